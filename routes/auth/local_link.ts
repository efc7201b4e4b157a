/** The link that is printed at the start and signs the operator in, once. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../storage/runtime.ts";

/** What is printed may be read later by somebody else. */
const VALID_MS = 3_600_000;

export interface LocalLink {
  /** What the link carries; one for the life of the process. */
  readonly secret: string;
  /** true once, within an hour of the start, for whoever has the secret. */
  redeem(secret: string): boolean;
}

/** One for the process. */
export function createLocalLink(clock: Clock): LocalLink {
  const secret = randomBytes(32).toString("base64url");
  const hash = hashOf(secret);
  const startedAt = clock();
  let isUsed = false;
  return {
    secret,
    redeem(given) {
      const isGood = timingSafeEqual(hashOf(given), hash) && !isUsed && clock() - startedAt < VALID_MS;
      if (isGood) isUsed = true;
      return isGood;
    },
  };
}

function hashOf(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}
