/** For tests: documents read and rendered without a pipeline. */
import type { Decision, Decisions, EpochMs, PackageFacts, Release } from "../../policy/types.ts";
import type { Ask, Links, Material, Rendered, UpstreamDocument } from "../ecosystem.ts";
import { pypi } from "./pypi.ts";

export const ROOT = "http://index.example/root/";
export const LINKS: Links = { base: "http://sluice.example/pypi", authRequired: false, artifacts: "proxy" };
export const AT = Date.UTC(2026, 5, 1) as EpochMs;

export function simpleDocument(body: string, contentType: string, name = "foo"): UpstreamDocument {
  return documentOf("simple", { body, contentType, url: `${ROOT}simple/${name}/` });
}

export function jsonDocument(page: Readonly<Record<string, unknown>>): UpstreamDocument {
  return simpleDocument(JSON.stringify(page), "application/vnd.pypi.simple.v1+json");
}

export function legacyDocument(fields: Readonly<Record<string, unknown>>, key = "legacy"): UpstreamDocument {
  return documentOf(key, {
    body: JSON.stringify(fields),
    contentType: "application/json",
    url: `${ROOT}pypi/foo/json`,
  });
}

function documentOf(
  key: string,
  { body, contentType, url }: { readonly body: string; readonly contentType: string; readonly url: string },
): UpstreamDocument {
  return { key, status: 200, contentType, body: new TextEncoder().encode(body), fetchedAt: AT, url };
}

export function factsOf(...documents: readonly UpstreamDocument[]): PackageFacts {
  for (const reading of pypi.read({ kind: "package", name: "foo" }, documents)) {
    if (reading !== undefined) return reading.facts;
  }
  throw new Error("Nothing was read");
}

/** As the policy would decide that withholds exactly these files. */
export function decisionsOf(facts: PackageFacts, withheld: readonly string[]): Decisions {
  const decide = (permitted: boolean): Decision => {
    const verdict = permitted ? "allow" : "deny";
    return { verdict, enforcedVerdict: verdict, reasons: [], horizon: null };
  };
  const isOffered = ({ artifacts }: Release) =>
    artifacts.some(({ filename }) => !withheld.includes(filename));
  return {
    artifact(filename) {
      const known = facts.releases.some(({ artifacts }) =>
        artifacts.some((each) => each.filename === filename)
      );
      return known ? decide(!withheld.includes(filename)) : null;
    },
    release(version) {
      const release = facts.releases.find((candidate) => candidate.version === version);
      return release === undefined ? null : decide(isOffered(release));
    },
    horizon: null,
    allowedUntil: null,
  };
}

export interface RenderOptions {
  readonly path: string;
  readonly accept?: string;
  readonly withheld?: readonly string[];
  readonly links?: Partial<Links>;
}

/** null: 404. */
export function render(
  documents: readonly UpstreamDocument[],
  { path, accept, withheld = [], links = {} }: RenderOptions,
): { readonly rendered: Rendered; readonly text: string } | null {
  const ask = askOf(path, accept);
  if (ask.kind !== "index" && ask.kind !== "version") throw new Error(`${path} asks for ${ask.kind}`);
  const facts = factsOf(...documents);
  const decisions = decisionsOf(facts, withheld);
  const material: Material = {
    documents,
    reading: { facts, layout: null },
    decisions: (name) => name === "foo" ? decisions : null,
    now: AT,
    notice: () => "",
  };
  const rendered = pypi.render(ask, material, { ...LINKS, ...links });
  if (rendered === null) return null;
  const decoder = new TextDecoder();
  return { rendered, text: [...rendered.body].map((piece) => decoder.decode(piece)).join("") };
}

function askOf(path: string, accept: string | undefined): Ask {
  const ask = pypi.parse({
    method: "GET",
    segments: path.split("/"),
    query: new URLSearchParams(),
    headers: new Map(accept === undefined ? [] : [["accept", accept]]),
  });
  if (ask === null) throw new Error(`${path} asks for nothing`);
  return ask;
}
