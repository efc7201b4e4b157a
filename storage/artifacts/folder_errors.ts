/** What the file system says, as a StorageError that a person can act upon. */
import { StorageError } from "../errors.ts";

const SENTENCES: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EACCES: "this process may not write there",
  EPERM: "this process may not write there",
  EMFILE: "this process has too many files open",
  ENFILE: "the machine has too many files open",
  EIO: "the disk reports an input/output error",
  ENOTDIR: "a file stands where a folder belongs",
};

/** The system's own code (`ENOSPC`), or null where the error is not the file system's. */
export function systemCode(error: unknown): string | null {
  const code = error instanceof Error ? (error as Error & { readonly code?: unknown }).code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : null;
}

/** `action` completes `Cannot …`: `keep "npm/x/x-1.0.0.tgz" in "./data/artifacts"`. */
export function storageError(action: string, error: unknown): StorageError {
  const code = systemCode(error);
  const sentence = (code !== null ? SENTENCES[code] : undefined) ??
    (error instanceof Error ? error.message : String(error));
  return new StorageError(`Cannot ${action}: ${sentence}`, { cause: error });
}
