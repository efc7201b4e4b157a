/** The list of all projects: names alone, of which there are some 700,000. */
import type { CatalogueAsk, Links, Material, Rendered, UpstreamDocument } from "../ecosystem.ts";
import { permits } from "../../policy/types.ts";
import { type Form, MEDIA_TYPES } from "./accept.ts";
import { readTags } from "./html.ts";
import { isProjectName, normaliseName } from "./name.ts";
import { isJson } from "./page.ts";

const NAMES_PER_PIECE = 2_000;
/** Up to so many, a project of which nothing is allowed is left out; of more, the look-ups would take minutes. */
const MAX_MENTIONS = 500;
const ANCHORS: ReadonlySet<string> = new Set(["a"]);
const NAME_MEMBER = /"name"\s*:\s*"([A-Za-z0-9._-]{1,200})"/y;
const ENCODER = new TextEncoder();

/** Those of a short list. */
export function projectMentions(documents: readonly UpstreamDocument[]): readonly string[] {
  const names: string[] = [];
  for (const name of namesIn(documents)) {
    if (names.push(normaliseName(name)) > MAX_MENTIONS) return [];
  }
  return names;
}

export function renderProjects(ask: CatalogueAsk, material: Material, links: Links): Rendered {
  const form = ask.variant as Form;
  const names = offeredNames(material);
  return {
    status: 200,
    contentType: form === "html" ? `${MEDIA_TYPES.html}; charset=utf-8` : MEDIA_TYPES[form],
    headers: { vary: "accept" },
    body: form === "json" ? jsonList(names) : htmlList(names, links),
    withheld: () => 0,
  };
}

function* offeredNames(material: Material): Generator<string> {
  for (const name of namesIn(material.documents)) {
    const registered = normaliseName(name);
    const decisions = material.decisions(registered);
    const releases = decisions === null ? [] : material.facts?.(registered)?.releases ?? [];
    const isOffered = releases.length === 0 || releases.some(({ version }) => {
      const decision = decisions!.release(version);
      return decision !== null && permits(decision);
    });
    if (isOffered) yield name;
  }
}

/** Scanned, not parsed: the tree of 30 MB would take ten times that. */
function* namesIn(documents: readonly UpstreamDocument[]): Generator<string> {
  const document = documents.find(({ key, status }) => key === "projects" && status === 200);
  if (document === undefined) return;
  const text = new TextDecoder().decode(document.body);
  if (!isJson(document)) {
    for (const tag of readTags(text, ANCHORS)) if (isProjectName(tag.text)) yield tag.text;
    return;
  }
  for (let at = text.indexOf('"name"'); at >= 0; at = text.indexOf('"name"', at + 6)) {
    NAME_MEMBER.lastIndex = at;
    const name = NAME_MEMBER.exec(text)?.[1];
    if (name !== undefined && isProjectName(name)) yield name;
  }
}

function* pieces(names: Iterable<string>): Generator<readonly string[]> {
  let piece: string[] = [];
  for (const name of names) {
    if (piece.push(name) < NAMES_PER_PIECE) continue;
    yield piece;
    piece = [];
  }
  if (piece.length > 0) yield piece;
}

function* jsonList(names: Iterable<string>): Generator<Uint8Array> {
  yield ENCODER.encode('{"meta":{"api-version":"1.1"},"projects":[');
  let isFirst = true;
  for (const piece of pieces(names)) {
    const text = piece.map((name) => `{"name":"${name}"}`).join(",");
    yield ENCODER.encode(isFirst ? text : `,${text}`);
    isFirst = false;
  }
  yield ENCODER.encode("]}");
}

function* htmlList(names: Iterable<string>, links: Links): Generator<Uint8Array> {
  yield ENCODER.encode(
    '<!DOCTYPE html>\n<html>\n<head>\n<meta name="pypi:repository-version" content="1.1">\n' +
      "<title>Simple index</title>\n</head>\n<body>\n",
  );
  const folder = `${links.base}/simple`.replaceAll('"', "%22");
  for (const piece of pieces(names)) {
    const text = piece.map((name) => `<a href="${folder}/${normaliseName(name)}/">${name}</a><br />\n`);
    yield ENCODER.encode(text.join(""));
  }
  yield ENCODER.encode("</body>\n</html>\n");
}
