/** A package's facts and layout as bytes, and what of them is new. */
import type { PackageFacts } from "../../policy/types.ts";
import { encodeChunks, type EncodedChunks, type Parts } from "./chunks.ts";
import type { Timers } from "../runtime.ts";
import { encodeFacts } from "./facts_codec.ts";
import type { PackageKey, PackageRecord, Packages } from "./packages.ts";

/** What `commit` is given. */
export type Next = Parameters<Packages["commit"]>[1];

/** null: there is none. */
export interface EncodedNext {
  readonly facts: EncodedChunks | null;
  readonly layout: EncodedChunks | null;
}

/** In slices. Throws TypeError where the record names other facts. */
export async function encodeNext(key: PackageKey, next: Next, timers: Timers): Promise<EncodedNext> {
  const facts = next.facts === null
    ? null
    : next.encodedFacts ?? await encodeChunks(encodeFacts(next.facts), timers);
  const digest = facts?.parts.digest ?? "";
  if (next.record.factsDigest !== digest) {
    throw new TypeError(
      `Cannot commit the package ${JSON.stringify(key.name)}: its record names the facts ` +
        `"${next.record.factsDigest}", and they are "${digest}"`,
    );
  }
  const layout = next.layout === null || next.layout === undefined ? null : JSON.stringify(next.layout);
  return {
    facts,
    layout: layout === null ? null : await encodeChunks([new TextEncoder().encode(layout)], timers),
  };
}

/** Where a value is after the commit, and what must be written for it: nothing if it is there already. */
export function reuse(old: Parts | null, next: EncodedChunks | null) {
  if (next === null) return { parts: null, write: [] };
  if (old !== null && old.digest === next.parts.digest) return { parts: old, write: [] };
  return { parts: next.parts, write: [next] };
}

/** Facts and layout belong to these documents; validators and times are not content. */
export function sameContent(a: PackageRecord, b: PackageRecord): boolean {
  return a.factsDigest === b.factsDigest && a.absent === b.absent && contentOf(a) === contentOf(b);
}

function contentOf(record: PackageRecord): string {
  return JSON.stringify(record.documents.map(({ key, status, blob }) => [key, status, blob]));
}

/** Of every artifact. */
export function* filenamesOf(facts: PackageFacts): Iterable<string> {
  for (const release of facts.releases) {
    for (const artifact of release.artifacts) yield artifact.filename;
  }
}
