/** What no eviction takes: pinned packages and releases, and the files of frozen packages up to their instant. */
import type { EpochMs, PackageFacts } from "../../policy/types.ts";
import { attempt } from "../kv/call.ts";
import { keyPart } from "../kv/key_part.ts";
import type { Organisations } from "../kv/organisation_types.ts";
import { createPackages } from "../kv/package_store.ts";
import type { Pins } from "../kv/pins.ts";
import type { Reference } from "./references.ts";

export interface HeldDeps {
  readonly kv: Deno.Kv;
  readonly pins: Pick<Pins, "list">;
  readonly organisations: Pick<Organisations, "list" | "freezes">;
}

/** What is wanted of a package. */
interface Wanted {
  isWhole: boolean;
  readonly versions: Set<string>;
  /** The latest instant at which an organisation has it frozen. */
  frozenAt: EpochMs | null;
  /** Of it, as its facts say. */
  readonly files: Set<string>;
  isKnown: boolean;
}

/** As it stands now. Where a package's facts are not there, all of it is held. Throws StorageError. */
export async function readHeld(deps: HeldDeps): Promise<(reference: Reference) => boolean> {
  const wanted = await readWanted(deps);
  if (wanted.size === 0) return () => false;
  await readFiles(deps.kv, wanted);
  const files = new Set([...wanted.values()].flatMap((each) => [...each.files]));

  return function isHeld({ key, name, filename }) {
    if (key[3] !== "package") return isBeside(files, name);
    const found = wanted.get(`${String(key[1])}\n${String(key[4])}`);
    if (found === undefined) return false;
    return found.isWhole || !found.isKnown || filename === null || found.files.has(filename);
  };
}

/** The name of a document that stands beside one of these files: a part of its address begins with the file's name. */
export function isBeside(files: ReadonlySet<string>, name: string): boolean {
  if (files.size === 0) return false;
  return name.split(/[/ ?]/).some((part) => {
    for (let rest = part; rest !== ""; rest = rest.slice(0, Math.max(0, rest.lastIndexOf(".")))) {
      if (files.has(rest)) return true;
    }
    return false;
  });
}

async function readWanted({ pins, organisations }: HeldDeps): Promise<Map<string, Wanted>> {
  const wanted = new Map<string, Wanted>();
  function of(ecosystem: string, name: string): Wanted {
    const id = `${ecosystem}\n${keyPart(name)}`;
    const found = wanted.get(id) ??
      { isWhole: false, versions: new Set(), frozenAt: null, files: new Set(), isKnown: false };
    wanted.set(id, found);
    return found;
  }
  for (const { ecosystem, name, version } of await pins.list()) {
    const found = of(ecosystem, name);
    if (version === null) found.isWhole = true;
    else found.versions.add(version);
  }
  for (const { id } of await organisations.list()) {
    for (const { ecosystem, name, at } of await organisations.freezes(id)) {
      const found = of(ecosystem, name);
      found.frozenAt = Math.max(found.frozenAt ?? 0, at) as EpochMs;
    }
  }
  return wanted;
}

async function readFiles(kv: Deno.Kv, wanted: ReadonlyMap<string, Wanted>): Promise<void> {
  const packages = createPackages(kv);
  for (const ecosystem of new Set([...wanted.keys()].map((id) => id.split("\n", 1)[0]!))) {
    for await (const { key, record } of packages.list(ecosystem)) {
      const found = key.subject === "package" ? wanted.get(`${ecosystem}\n${keyPart(key.name)}`) : undefined;
      if (found === undefined) continue;
      const facts = await attempt(
        `read which files of ${JSON.stringify(key.name)} are held`,
        () => packages.facts(key, record),
      );
      if (facts === null) continue;
      found.isKnown = true;
      for (const file of filesOf(facts, found)) found.files.add(file);
    }
  }
}

function* filesOf({ releases }: PackageFacts, wanted: Wanted): Generator<string> {
  const { isWhole, versions, frozenAt } = wanted;
  for (const { version, artifacts } of releases) {
    for (const { filename, publishedAt } of artifacts) {
      // Of what has no date nobody can say that it came later.
      const isOld = frozenAt !== null && (!publishedAt.known || publishedAt.value.at <= frozenAt);
      if (isWhole || isOld || versions.has(version)) yield filename;
    }
  }
}
