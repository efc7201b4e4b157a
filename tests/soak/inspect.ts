/** Looks at what a killed server has left: whether every key points at what is there, and every blob is what it is called. */
import { join } from "node:path";
import { sha256Of } from "../../storage/artifacts/key.ts";
import type { ArtifactStore, BlobKey } from "../../storage/artifacts/store.ts";
import { partsIn } from "../../storage/kv/chunks.ts";
import { keys } from "../../storage/kv/keys.ts";
import type { FileRecord, PackageRecord } from "../../storage/kv/packages.ts";
import { sha256Hex } from "./fixtures.ts";

export interface Inspection {
  /** In sentences. */
  readonly faults: readonly string[];
  /** Blobs that a record names and that are not there: a request must bring them back. */
  readonly lost: readonly BlobKey[];
  /** Chunks that no record names: they do no harm and take room. */
  readonly orphanedChunks: number;
  /** Blobs that no record names. */
  readonly orphanedBlobs: number;
  readonly keys: number;
  readonly blobs: number;
}

export interface Inspector {
  /** Every blob's digest is looked at once in its life, its size each time. */
  inspect(): Promise<Inspection>;
}

export function createInspector(kv: Deno.Kv, artifacts: ArtifactStore): Inspector {
  const verified = new Set<BlobKey>();

  async function inspect(): Promise<Inspection> {
    const faults: string[] = [];
    const sizes = new Map<BlobKey, number>();
    for await (const { key, sizeBytes } of artifacts.list()) sizes.set(key, sizeBytes);
    for (const [key, size] of sizes) {
      if (verified.has(key)) continue;
      faults.push(...await blobFaults(artifacts, key, size));
      verified.add(key);
    }
    const named = new Set<BlobKey>();
    const lost = new Set<BlobKey>();
    const there = new Set<string>();
    const wanted = new Set<string>();
    let count = 0;
    for await (const entry of kv.list<unknown>({ prefix: [] })) {
      count++;
      if (entry.key[0] === "parts") there.add(JSON.stringify(entry.key));
      for (const key of partKeys(entry)) wanted.add(JSON.stringify(key));
      for (const [blob, sizeBytes] of blobsIn(entry)) {
        named.add(blob);
        if (!sizes.has(blob)) lost.add(blob);
        else if (sizes.get(blob) !== sizeBytes) {
          faults.push(`${JSON.stringify(entry.key)}: ${blob} has ${sizes.get(blob)} of ${sizeBytes} bytes`);
        }
      }
    }
    for (const key of wanted) if (!there.has(key)) faults.push(`The chunk ${key} is missing`);
    faults.push(...await pointerFaults(kv));
    return {
      faults,
      lost: [...lost],
      orphanedChunks: there.difference(wanted).size,
      orphanedBlobs: [...sizes.keys()].filter((key) => !named.has(key)).length,
      keys: count,
      blobs: sizes.size,
    };
  }

  return { inspect };
}

async function blobFaults(artifacts: ArtifactStore, key: BlobKey, size: number): Promise<readonly string[]> {
  const bytes = await artifacts.read(key, size);
  if (bytes === null) return [`${key} is listed and cannot be read`];
  const digest = sha256Hex(bytes);
  return digest === sha256Of(key) ? [] : [`${key} holds ${bytes.byteLength} bytes with the digest ${digest}`];
}

function partKeys({ key, value }: Deno.KvEntry<unknown>): readonly Deno.KvKey[] {
  return partsIn(value).flatMap(({ id, chunks }) =>
    Array.from({ length: chunks }, (_, index) => keys.part(key, id, index))
  );
}

function blobsIn({ key, value }: Deno.KvEntry<unknown>): readonly (readonly [BlobKey, number])[] {
  if (key[0] === "files") {
    const { blob, sizeBytes } = (value as { readonly record: FileRecord }).record;
    return [[blob, sizeBytes]];
  }
  if (key[0] !== "packages") return [];
  const { documents } = (value as { readonly record: PackageRecord }).record;
  return documents.flatMap(({ blob, sizeBytes }) => blob === null ? [] : [[blob, sizeBytes] as const]);
}

/** Records that name another record. */
async function pointerFaults(kv: Deno.Kv): Promise<readonly string[]> {
  const faults: string[] = [];
  const expect = async (from: Deno.KvKey, to: Deno.KvKey) => {
    if ((await kv.get(to)).value === null) {
      faults.push(`${JSON.stringify(from)} points at ${JSON.stringify(to)}, where nothing is`);
    }
  };
  const organisations = kv.list<{ readonly id: string; readonly life: string; readonly revision: number }>({
    prefix: keys.organisations(),
  });
  for await (const { key, value } of organisations) {
    await expect(key, keys.policyRevision(value.id, value.life, value.revision));
  }
  for await (const { key } of kv.list({ prefix: keys.jobsDue() })) {
    await expect(key, keys.job(String(key.at(-1))));
  }
  return faults;
}

/** Temporary files below a folder store. */
export async function temporariesIn(artifacts: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(join(artifacts, "tmp"))) names.push(name);
  return names;
}
