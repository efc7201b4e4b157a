/** Which records in KV point at bytes: at blobs in the store, and at chunks in KV itself. */
import type { BlobKey } from "../artifacts/store.ts";
import { attempt } from "../kv/call.ts";
import { deleteParts, type Parts, partsIn, readParts } from "../kv/chunks.ts";
import { keys } from "../kv/keys.ts";
import type { FileRecord, PackageKey, PackageRecord } from "../kv/packages.ts";

/** A blob as a record describes it. */
export interface Pointer {
  readonly blob: BlobKey;
  readonly sizeBytes: number;
}

/** One record of what is cached. */
export interface Reference {
  readonly kind: "file" | "package";
  /** false: a file, a catalogue, or what is known not to exist. */
  readonly isPackage: boolean;
  readonly key: Deno.KvKey;
  readonly versionstamp: string;
  readonly ecosystem: string;
  /** As upstream spells it; a very long one of a file's package only by its digest. */
  readonly name: string;
  /** null: of a package. */
  readonly filename: string | null;
  readonly pointers: readonly Pointer[];
  readonly parts: readonly Parts[];
  /** When upstream gave it, or last confirmed it; milliseconds. */
  readonly at: number;
}

interface StoredPackage {
  readonly key: PackageKey;
  readonly record: PackageRecord;
}

interface StoredFile {
  readonly filename: string;
  readonly record: FileRecord;
}

/** Of all ecosystems, or of one. Throws StorageError where KV fails. */
export async function* listReferences(kv: Deno.Kv, ecosystem?: string): AsyncGenerator<Reference> {
  for await (const { key, value, versionstamp } of entriesOf<StoredPackage>(kv, keys.packages(ecosystem))) {
    const { record } = value;
    yield {
      kind: "package",
      isPackage: isPackage(value.key, record),
      key,
      versionstamp,
      ecosystem: value.key.ecosystem,
      name: value.key.name,
      filename: null,
      pointers: record.documents.flatMap(({ blob, sizeBytes }) => blob === null ? [] : [{ blob, sizeBytes }]),
      parts: partsIn(value),
      at: record.checkedAt,
    };
  }
  for await (const { key, value, versionstamp } of entriesOf<StoredFile>(kv, keys.files(ecosystem))) {
    const { filename, record } = value;
    yield {
      kind: "file",
      isPackage: false,
      key,
      versionstamp,
      ecosystem: String(key[1]),
      name: String(key[4]),
      filename,
      pointers: [{ blob: record.blob, sizeBytes: record.sizeBytes }],
      parts: [],
      at: record.filledAt,
    };
  }
}

/** No catalogue, and nothing of which is known that it does not exist. */
export function isPackage(key: PackageKey, record: PackageRecord): boolean {
  return key.subject === "package" && !record.absent && record.factsDigest !== "";
}

async function* entriesOf<T>(kv: Deno.Kv, prefix: Deno.KvKey): AsyncGenerator<Deno.KvEntry<T>> {
  const entries = kv.list<T>({ prefix });
  while (true) {
    const { done, value } = await attempt("list what is cached", () => entries.next());
    if (done) return;
    yield value;
  }
}

/** For people: `npm left-pad-1.3.0.tgz`, or `npm left-pad (its documents)`. */
export function titleOf({ ecosystem, name, filename }: Reference): string {
  return filename === null ? `${ecosystem} ${name} (its documents)` : `${ecosystem} ${filename}`;
}

/** All its chunks are there and are what they were. */
export async function arePartsWhole(kv: Deno.Kv, { key, parts }: Reference): Promise<boolean> {
  for (const each of parts) {
    // What is damaged throws, what is missing is null: both are fetched anew.
    if (await readParts(kv, key, each).catch(nullIfDamaged) === null) return false;
  }
  return true;
}

function nullIfDamaged(error: unknown): null {
  if (error instanceof Error && /is damaged|its digest is not/.test(error.message)) return null;
  throw error;
}

/** Takes the record away, so that what it was of is fetched anew; false: it was replaced meanwhile, and stays. */
export async function dropReference(kv: Deno.Kv, { key, versionstamp, parts }: Reference): Promise<boolean> {
  const done = await attempt(
    "drop a record of what is cached",
    () => kv.atomic().check({ key, versionstamp }).delete(key).commit(),
  );
  if (!done.ok) return false;
  for (const each of parts) await deleteParts(kv, key, each);
  return true;
}
