/** Which records a purge is about: all, an ecosystem's, a package's, a release's, the old ones, the unused ones. */
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import type { EpochMs } from "../../policy/types.ts";
import { isBeside } from "../../storage/cache/held.ts";
import type { Reference } from "../../storage/cache/references.ts";
import type { LastUses } from "../../storage/cache/uses.ts";
import { keyPart } from "../../storage/kv/key_part.ts";
import { createPackages } from "../../storage/kv/package_store.ts";
import { wrongField } from "./error.ts";
import { type NamedPackage, namedPackage } from "./purl_field.ts";

/** As it was asked for; what is given narrows. */
export interface PurgeWish {
  /** A purl or an ecosystem. */
  readonly what?: string | undefined;
  readonly all: boolean;
  readonly before?: EpochMs | undefined;
  readonly unusedSince?: EpochMs | undefined;
}

export interface SelectionDeps {
  readonly kv: Deno.Kv;
  readonly ecosystems: readonly Ecosystem[];
  readonly lastUses: () => Promise<LastUses>;
  /** What is pinned or frozen, as it stands now. */
  readonly held: () => Promise<(reference: Reference) => boolean>;
}

type Matches = (reference: Reference) => boolean;

/** Throws ApiError, which names the field, and StorageError. */
export async function selectionOf(deps: SelectionDeps, wish: PurgeWish): Promise<Matches> {
  const { what, all, before, unusedSince } = wish;
  const isByAge = before !== undefined || unusedSince !== undefined;
  if (what === undefined && !all && !isByAge) {
    throw wrongField("body", "Name what to purge: what, all, before or unusedSince", "nothing-named");
  }
  if (what !== undefined && all) {
    throw wrongField("body.all", `Give what (${JSON.stringify(what)}) or all, not both`);
  }
  const parts: Matches[] = [];
  if (what !== undefined) parts.push(await matcherOf(deps, what));
  if (before !== undefined) parts.push(({ at }) => at < before);
  if (unusedSince !== undefined) parts.push(await unusedMatcher(deps, unusedSince));
  if (isByAge) {
    // Who goes by age means what nobody needs; who names a package means that one.
    const isHeld = await deps.held();
    parts.push((reference) => !isHeld(reference));
  }
  return (reference) => parts.every((matches) => matches(reference));
}

async function matcherOf(deps: SelectionDeps, what: string): Promise<Matches> {
  if (!what.startsWith("pkg:")) {
    const known = deps.ecosystems.map(({ id }) => id);
    if (known.includes(what)) return ({ ecosystem }) => ecosystem === what;
    throw wrongField(
      "body.what",
      `${JSON.stringify(what)} is neither a purl nor an ecosystem: ${known.join(", ")}`,
    );
  }
  const named = namedPackage(deps.ecosystems, what, "body.what");
  const files = await filesOf(deps.kv, named);
  return ({ key, name, filename }) => {
    if (key[1] !== named.ecosystem.id) return false;
    if (key[3] !== "package") return isBeside(files, name);
    if (key[4] !== keyPart(named.name)) return false;
    return named.version === null || (filename !== null && files.has(filename));
  };
}

/** The files of a release, or of all, as the package's facts name them; empty where nothing is cached of it. */
async function filesOf(kv: Deno.Kv, named: NamedPackage): Promise<ReadonlySet<string>> {
  const packages = createPackages(kv);
  const files = new Set<string>();
  for await (const { key, record } of packages.list(named.ecosystem.id)) {
    if (key.subject !== "package" || key.name !== named.name) continue;
    const facts = await packages.facts(key, record);
    for (const { version, artifacts } of facts?.releases ?? []) {
      if (named.version !== null && version !== named.version) continue;
      for (const { filename } of artifacts) files.add(filename);
    }
  }
  return files;
}

/** What nobody remembers to have used counts from when it came. */
async function unusedMatcher(deps: SelectionDeps, since: EpochMs): Promise<Matches> {
  const last = await deps.lastUses();
  return ({ pointers, at }) =>
    pointers.length === 0 ? at < since : pointers.every(({ blob }) => (last.of(blob) ?? at) < since);
}
