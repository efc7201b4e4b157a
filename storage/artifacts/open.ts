/** From the configured address to a store. */
import { fileURLToPath } from "node:url";
import type { Clock, Log, Timers } from "../runtime.ts";
import { realTimers } from "../timers.ts";
import { createFolderStore } from "./folder.ts";
import { createMemoryStore } from "./memory.ts";
import { createS3Store } from "./s3.ts";
import { parseS3Address, S3_FORM } from "./s3_address.ts";
import type { S3Credentials } from "./s3_client.ts";
import type { ArtifactStore } from "./store.ts";

export interface OpenStoreOptions {
  readonly clock: Clock;
  /** Unique among the processes that share a folder, and new at each start. */
  readonly instance: string;
  readonly log: Log;
  /** For a bucket; null: none are given, and a bucket is a RangeError. */
  readonly credentials?: S3Credentials | null;
  /** Authorities that a bucket's server is trusted by beside the usual ones. */
  readonly caPem?: string | null;
  /** Between two tries at a bucket's server; else the runtime's. */
  readonly timers?: Timers;
}

/** For `memory:` without a size: leaves two thirds of the 512 MB that the platform gives a process. */
const DEFAULT_MEMORY_BYTES = 160_000_000;

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

function memoryBytes(address: string): number {
  const size = address.slice("memory:".length);
  if (size === "") return DEFAULT_MEMORY_BYTES;
  const match = /^(\d{1,12})([kKMG]?i?B)$/.exec(size);
  const unit = UNITS[match?.[2] ?? ""];
  const bytes = Number(match?.[1]) * (unit ?? NaN);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new RangeError(
    `Cannot keep artifacts in ${JSON.stringify(address)}: expected a size such as memory:512MB`,
  );
}

/** A `file://` address is a URL and percent-encoded; `file:PATH` is a path as it stands. */
function folderPath(address: string): string {
  return address.startsWith("file://") ? fileURLToPath(address) : address.slice("file:".length);
}

/** Which store an address is: the same for all who name it, from wherever, once it was opened. Holds no secret. */
export function placeOf(address: string): string {
  if (!address.startsWith("file:")) return address.split("?")[0]!;
  try {
    return `file:${Deno.realPathSync(folderPath(address))}`;
  } catch {
    return address;
  }
}

/**
 * `memory:`, `memory:512MB`, `file:PATH` or `s3://BUCKET/PREFIX?…`. Throws RangeError for anything else, with the
 * address quoted (but never what follows a `?`), and StorageError where the folder or the bucket cannot be used.
 */
export async function openArtifactStore(address: string, options: OpenStoreOptions): Promise<ArtifactStore> {
  if (address.startsWith("memory:")) return createMemoryStore({ maxBytes: memoryBytes(address) });
  if (address.startsWith("file:") && address.length > "file:".length) {
    return await createFolderStore({ path: folderPath(address), ...options });
  }
  if (address.startsWith("s3://")) return await openBucket(address, options);
  const shown = JSON.stringify(address.split("?")[0]);
  throw new RangeError(
    `Cannot keep artifacts in ${shown}: expected memory:, memory:512MB, file:PATH or ${S3_FORM}`,
  );
}

async function openBucket(address: string, options: OpenStoreOptions): Promise<ArtifactStore> {
  const place = parseS3Address(address);
  const { credentials = null, timers = realTimers } = options;
  if (credentials === null) {
    const shown = JSON.stringify(address.split("?")[0]);
    throw new RangeError(
      `Cannot keep artifacts in ${shown}: expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to be set`,
    );
  }
  return await createS3Store({ ...options, place, credentials, timers, random: Math.random });
}
