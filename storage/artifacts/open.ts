/** From the configured address to a store. */
import { fileURLToPath } from "node:url";
import type { Clock, Log } from "../runtime.ts";
import { createFolderStore } from "./folder.ts";
import { createMemoryStore } from "./memory.ts";
import type { ArtifactStore } from "./store.ts";

export interface OpenStoreOptions {
  readonly clock: Clock;
  /** Unique among the processes that share a folder, and new at each start. */
  readonly instance: string;
  readonly log: Log;
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

/**
 * `memory:`, `memory:512MB` or `file:PATH`. Throws RangeError for anything else, with the address quoted (but
 * never what follows a `?`), and StorageError where the folder cannot be used.
 */
export async function openArtifactStore(address: string, options: OpenStoreOptions): Promise<ArtifactStore> {
  if (address.startsWith("memory:")) return createMemoryStore({ maxBytes: memoryBytes(address) });
  if (address.startsWith("file:") && address.length > "file:".length) {
    return await createFolderStore({ path: folderPath(address), ...options });
  }
  const shown = JSON.stringify(address.split("?")[0]);
  if (address.startsWith("s3://")) {
    throw new RangeError(
      `Cannot keep artifacts in ${shown}: S3 follows in a later release; expected memory: or file:PATH`,
    );
  }
  throw new RangeError(`Cannot keep artifacts in ${shown}: expected memory:, memory:512MB or file:PATH`);
}
