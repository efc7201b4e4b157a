/** Verifies tokens, and slows down whoever tries them out. */
import { createTally } from "../ecosystems/_pipeline/tally.ts";
import type { Clock } from "../storage/runtime.ts";
import type { Principal, Tokens } from "../storage/tokens.ts";
import type { Denial } from "./caller.ts";
import { networkOf } from "./peer.ts";

/** Wrong tokens that one address may send, in a window; then only those are taken that were good before. */
const FAILURES = 20;
const WINDOW_MS = 10 * 60_000;
const MAX_ADDRESSES = 20_000;

export interface Authenticator {
  /** Throws StorageError where no store can say. `inPath`: it stood in the address. */
  verify(secret: string, from: { readonly address: string; readonly inPath: boolean }): Promise<
    | { readonly ok: true; readonly principal: Principal }
    | { readonly ok: false; readonly denial: Denial }
  >;
}

export function createAuthenticator(deps: { readonly tokens: Tokens; readonly clock: Clock }): Authenticator {
  const { tokens, clock } = deps;
  const failures = createTally({ clock, windowMs: WINDOW_MS, limit: FAILURES, maxKeys: MAX_ADDRESSES });

  return {
    async verify(secret, { address, inPath }) {
      const network = networkOf(address);
      if (!failures.allows(network) && !tokens.isKnown(secret)) return { ok: false, denial: TOO_MANY };
      const verified = await tokens.verify(secret);
      if (!verified.ok) {
        // Whoever has one that expired does not guess.
        if (verified.why === "expired") return { ok: false, denial: EXPIRED };
        failures.count(network);
        return { ok: false, denial: UNKNOWN };
      }
      if (inPath !== (verified.kind === "path")) {
        return { ok: false, denial: inPath ? NOT_IN_PATH : PATH_ONLY };
      }
      return { ok: true, principal: verified.principal };
    },
  };
}

const UNKNOWN: Denial = {
  status: 401,
  code: "unknown-token",
  message: "This token is not known here: it was revoked, or mistyped.",
  challenge: true,
};
const EXPIRED: Denial = {
  status: 401,
  code: "expired-token",
  message: "This token has expired: ask for a new one.",
  challenge: true,
};
const NOT_IN_PATH: Denial = {
  status: 403,
  code: "token-in-address",
  message: "This token must not stand in an address: send it in a header. It should be revoked now.",
  challenge: false,
};
const PATH_ONLY: Denial = {
  status: 403,
  code: "address-token",
  message: "This token is for addresses (/t/TOKEN/) alone.",
  challenge: false,
};
const TOO_MANY: Denial = {
  status: 429,
  code: "too-many-failures",
  message: "This address sent too many wrong tokens: try again in ten minutes.",
  challenge: false,
  retryAfterSeconds: WINDOW_MS / 1000,
};
