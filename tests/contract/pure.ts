/** A package of a sample, read as the pipeline reads it, without network or storage. */
import type {
  Ask,
  ClientRequest,
  Ecosystem,
  Links,
  Reading,
  Source,
  Subject,
  UpstreamDocument,
} from "../../ecosystems/ecosystem.ts";
import { parsePolicy } from "../../policy/config.ts";
import { resolvePolicy } from "../../policy/resolve.ts";
import type { Decisions, EpochMs, Joined, PackageFacts } from "../../policy/types.ts";
import { NOW } from "../fakes/sluice.ts";
import type { SampleAnswer, SampleAsk } from "./sample.ts";

export const ROOT = "http://registry.example/root/";
export const LINKS: Links = {
  base: "http://sluice.example/o/acme/mount",
  authRequired: false,
  artifacts: "proxy",
};

/** The documents that the plugin's sources name, asked for until it wants no more. */
export function documentsOf(
  ecosystem: Ecosystem,
  answers: readonly SampleAnswer[],
  subject: Subject,
): readonly UpstreamDocument[] {
  const documents: UpstreamDocument[] = [];
  for (let round = 0; round < 10; round++) {
    const sources = ecosystem.sources(subject, documents);
    if (sources.length === 0) return documents;
    for (const source of sources) documents.push(documentOf(answers, source));
  }
  throw new Error(`${ecosystem.id} never has enough documents of ${JSON.stringify(subject.name)}`);
}

/** What upstream says of one source. */
export function documentOf(answers: readonly SampleAnswer[], { key, path }: Source): UpstreamDocument {
  const found = answers.find(({ target, method }) => target === `/${path}` && method !== "POST");
  return {
    key,
    status: found === undefined ? 404 : 200,
    contentType: found?.contentType ?? "",
    body: found?.body ?? new Uint8Array(),
    fetchedAt: NOW as EpochMs,
    url: ROOT + path,
  };
}

/** With a layout that went through storage. Throws what `read` throws, and Error where there is no reading. */
export function readOne(
  ecosystem: Ecosystem,
  subject: Subject,
  documents: readonly UpstreamDocument[],
): Reading {
  for (const reading of ecosystem.read(subject, documents)) {
    if (reading === undefined) continue;
    return { facts: reading.facts, layout: JSON.parse(JSON.stringify(reading.layout ?? null)) };
  }
  throw new Error(`${ecosystem.id} read nothing of ${JSON.stringify(subject.name)}`);
}

/** Everything there is, allowed. */
export function allowAll(ecosystem: Ecosystem, facts: PackageFacts): Decisions {
  return decide(ecosystem, facts, {
    minimumAge: "0s",
    unknownAge: "allow",
    yanked: "allow",
    publisherDowngrade: "allow",
  });
}

export function decide(
  ecosystem: Ecosystem,
  facts: PackageFacts,
  policy: Readonly<Record<string, unknown>>,
): Decisions {
  const parsed = parsePolicy(policy);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  const resolved = resolvePolicy({ document: parsed.document, floor: { deny: [] }, waivers: [], ecosystem });
  return resolved.decide(facts, NOTHING_JOINED, NOW as EpochMs);
}

const NOTHING_JOINED: Joined = { firstSeen: () => null, grants: new Set(), digest: "" };

/** As routes/ hands it on: split before it is decoded. */
export function requestOf(ask: Pick<SampleAsk, "method" | "path" | "headers">): ClientRequest {
  const [path = "", query = ""] = ask.path.split("?", 2);
  return {
    method: ask.method,
    segments: path.split("/").map(decodeURIComponent),
    query: new URLSearchParams(query),
    headers: new Map(Object.entries(ask.headers)),
  };
}

/** The path below the mount of a link that was served; throws where it leads elsewhere. */
export function pathBelow(base: string, url: string): string {
  if (!url.startsWith(`${base}/`)) throw new Error(`${url} is not below ${base}`);
  return url.slice(base.length + 1).replace(/#.*$/, "");
}

/** All paths that an ask will go to upstream with. */
export function upstreamPaths(ecosystem: Ecosystem, ask: Ask): readonly string[] {
  if (ask.kind === "forward") return [ask.path];
  if (ask.kind === "local" || ask.kind === "publish") return [];
  const own = ask.kind === "sidecar" ? [ask.source] : "also" in ask ? ask.also ?? [] : [];
  return [
    ...own.map((source) => source.path),
    ...ecosystem.sources(ask.subject, []).map((source) => source.path),
  ];
}

/** What every object of JavaScript has, and arrays and lists. */
export const HOSTILE = [
  "constructor",
  "__proto__",
  "hasOwnProperty",
  "toString",
  "valueOf",
  "prototype",
  "length",
  "0",
];

/** Nothing in a name that could lead elsewhere when it becomes part of an address, a key or a file's name. */
export function isTame(text: string): boolean {
  // deno-lint-ignore no-control-regex -- control characters are what must not be there
  return text !== "" && !/[\x00-\x1f\x7f\\]/.test(text) &&
    !text.split("/").some((part) => /^\.{0,2}$/.test(part)) &&
    text.isWellFormed();
}
