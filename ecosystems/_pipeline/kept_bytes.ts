/** Bytes of a file that was verified once: from memory or the store, and what is done where they are no more what they were. */
import { createHash } from "node:crypto";
import { sha256Of } from "../../storage/artifacts/key.ts";
import type { ByteRange, StoredBlob } from "../../storage/artifacts/store.ts";
import type { FileRecord } from "../../storage/kv/packages.ts";
import { fileId, type Opening } from "./opening.ts";
import type { Services } from "./services.ts";

/** Up to this size an artifact is kept in memory once it was asked for. */
const HOT_BYTES = 2 ** 20;

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
  const hot = await hotBytes(services, file);
  return hot === null
    ? (await services.artifacts.stat(file.blob))?.sizeBytes === file.sizeBytes
    : hot !== "damaged";
}

/** Small files come from memory, held against their digest when they are read; null: too large for it, or lost. */
export async function hotBytes(services: Services, file: FileRecord): Promise<Uint8Array | "damaged" | null> {
  if (file.sizeBytes > HOT_BYTES) return null;
  const kept = services.hot.get(file.blob);
  if (kept !== undefined) return kept;
  const bytes = await services.artifacts.read(file.blob, HOT_BYTES);
  if (bytes === null) return null;
  if (createHash("sha256").update(bytes).digest("hex") !== sha256Of(file.blob)) return "damaged";
  services.hot.set(file.blob, bytes);
  return bytes;
}
