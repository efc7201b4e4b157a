/** Counts and hashes a blob's bytes on their way. */
import { createHash } from "node:crypto";
import { sha256Of } from "./artifacts/key.ts";
import type { BlobKey } from "./artifacts/store.ts";
import { IntegrityError } from "./errors.ts";

export interface BlobCheck {
  update(bytes: Uint8Array): void;
  /** Throws IntegrityError where size or digest differ from what the key says. */
  end(): void;
}

/** `key` ends with the SHA-256 that the bytes must have. */
export function createBlobCheck(key: BlobKey, sizeBytes: number): BlobCheck {
  const hash = createHash("sha256");
  let seen = 0;
  return {
    update(bytes) {
      hash.update(bytes);
      seen += bytes.byteLength;
    },
    end() {
      const digest = hash.digest("hex");
      if (seen === sizeBytes && sha256Of(key) === digest) return;
      throw new IntegrityError(
        `Cannot trust the blob "${key}": it has ${seen} bytes of ${sizeBytes} and the digest ${digest}`,
      );
    },
  };
}
