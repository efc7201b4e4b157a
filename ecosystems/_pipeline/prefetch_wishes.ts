/** From what was read to what is wished for: each release once, of the ecosystems that are here. */
import type { InstallRecord } from "../../storage/installs/log.ts";
import type { LockedFile, LockedPackage, SkippedEntry } from "../_shared/lockfiles/types.ts";
import type { Ecosystem } from "../ecosystem.ts";
import type { Wish } from "./prefetch_types.ts";

export interface Wishes {
  readonly wishes: readonly Wish[];
  readonly skipped: readonly SkippedEntry[];
}

/** Entries of other ecosystems are skipped; several of one release become one that wants the files of all. */
export function wishesOf(ecosystems: readonly Ecosystem[], locked: Iterable<LockedPackage>): Wishes {
  const wishes = new Map<string, Wish>();
  const skipped: SkippedEntry[] = [];
  for (const { type, name: written, version, files, where } of locked) {
    const ecosystem = ecosystems.find(({ purlType }) => purlType === type);
    if (ecosystem === undefined) {
      skipped.push({ where, why: `no ecosystem here is pkg:${type}` });
      continue;
    }
    const name = ecosystem.canonicalName?.(written) ?? written;
    const id = JSON.stringify([ecosystem.id, name, version]);
    const known = wishes.get(id);
    const versions = version === null ? "newest" : { exact: version };
    const wish: Wish = { ecosystem, name, versions, files, where };
    wishes.set(id, known === undefined ? wish : joined(known, wish));
  }
  return { wishes: [...wishes.values()], skipped };
}

/** All files where either wants all of them; what one of them locks is held against them all the same. */
function joined(a: Wish, b: Wish): Wish {
  const files = new Map([...a.files ?? [], ...b.files ?? []].map((file) => [JSON.stringify(file), file]));
  const isWhole = [a, b].some((each) => each.files === null || each.isWhole === true);
  return { ...a, files: files.size === 0 ? null : [...files.values()], isWhole };
}

/** What was really installed, and nothing of who did: each release with the files that were taken of it. */
export async function* installed(
  ecosystems: readonly Ecosystem[],
  records: AsyncIterable<InstallRecord>,
): AsyncGenerator<LockedPackage> {
  const seen = new Map<string, LockedPackage & { readonly files: LockedFile[] }>();
  const known = new Set<string>();
  for await (const { ecosystem: id, package: name, version, file, outcome } of records) {
    if (outcome === "refused" || version === "") continue;
    const type = ecosystems.find((each) => each.id === id)?.purlType;
    const fileId = JSON.stringify([id, name, version, file]);
    if (type === undefined || known.has(fileId)) continue;
    known.add(fileId);
    const release = JSON.stringify([id, name, version]);
    const found = seen.get(release) ?? { type, name, version, files: [], where: "the install log" };
    if (file !== "") found.files.push({ filename: file, digests: [] });
    seen.set(release, found);
  }
  for (const each of seen.values()) yield each.files.length === 0 ? { ...each, files: null } : each;
}
