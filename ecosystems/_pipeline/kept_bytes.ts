/** Bytes of a file that was verified once: from memory or the store, and what is done where they are no more what they were. */
import { createHash } from "node:crypto";
import { sha256Of } from "../../storage/artifacts/key.ts";
import type { ByteRange, StoredBlob } from "../../storage/artifacts/store.ts";
import type { FileRecord } from "../../storage/kv/packages.ts";
import { fileId, type Opening } from "./opening.ts";
import type { Services } from "./services.ts";

/** Up to this size an artifact is kept in memory once it was asked for: opening it costs more than its bytes do. */
const SMALL_BYTES = 2 ** 20;
/** Up to this size it is once it is asked for again, since to read and to hash it costs as much as to send it. */
const LARGE_BYTES = 8 * 2 ** 20;
/** Of what all of them may take: no more of it is driven out by one. */
const LARGEST_SHARE = 1 / 5;

/** null: it is gone, or of another length than it was. */
export async function openBlob(
  services: Services,
  file: FileRecord,
  within: ByteRange | null,
): Promise<StoredBlob | null> {
  try {
    const blob = await services.artifacts.get(file.blob, within ?? undefined);
    if (blob === null || blob.sizeBytes === file.sizeBytes) return blob;
    await blob.body.cancel();
    return null;
  } catch (error) {
    // Within the file as it was, and beyond what is left of it.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Forgets a file whose bytes are lost or damaged, unless somebody has fetched it again meanwhile. */
export async function evict(opening: Opening): Promise<void> {
  const { services, verdicts: { known: { key } }, filename } = opening;
  services.fileRecords.delete(fileId(opening));
  const file = await services.files.get(key, filename);
  if (file === null || await isSound(services, file)) return;
  const shown = JSON.stringify(filename);
  services.log("error", `Fetching ${key.ecosystem} file ${shown} again: its blob is lost or damaged`, {
    "blob.key": file.blob,
  });
  services.hot.delete(file.blob);
  await services.files.delete(key, filename);
  await services.artifacts.delete(file.blob).catch((error) => {
    // Upstream has it all the same; what cannot be deleted is in nobody's way but the next fill's.
    services.log("warn", error instanceof Error ? error.message : String(error), { "blob.key": file.blob });
  });
}

/** As far as a look tells: a larger file's digest is the background's business. */
async function isSound(services: Services, file: FileRecord): Promise<boolean> {
  const hot = await hotBytes(services, file, false);
  return hot === null
    ? (await services.artifacts.stat(file.blob))?.sizeBytes === file.sizeBytes
    : hot !== "damaged";
}

/** What of the services files in memory need. */
export type HotServices = Pick<Services, "hot" | "hotReads" | "hotAsks" | "memory" | "artifacts">;

/**
 * Small files come from memory, and larger ones of which all (`isWhole`) was asked for within ten minutes before; held
 * against their digest when they are read. null: neither, or lost.
 */
export async function hotBytes(
  services: HotServices,
  file: FileRecord,
  isWhole: boolean,
): Promise<Uint8Array | "damaged" | null> {
  const kept = services.hot.get(file.blob);
  if (kept !== undefined) return kept;
  if (file.sizeBytes > SMALL_BYTES && !(isWhole && isLargeAndHot(services, file))) return null;
  return await services.hotReads.run(file.blob, () => readHot(services, file));
}

function isLargeAndHot({ memory, hotAsks }: HotServices, { blob, sizeBytes }: FileRecord): boolean {
  return sizeBytes <= Math.min(LARGE_BYTES, memory.artifactBytes * LARGEST_SHARE) && !hotAsks.count(blob);
}

async function readHot(services: HotServices, file: FileRecord): Promise<Uint8Array | "damaged" | null> {
  const bytes = await services.artifacts.read(file.blob, LARGE_BYTES);
  if (bytes === null) return null;
  if (createHash("sha256").update(bytes).digest("hex") !== sha256Of(file.blob)) return "damaged";
  services.hot.set(file.blob, bytes);
  return bytes;
}
