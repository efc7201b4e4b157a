/** A sign-in that is under way, in a cookie of the browser that began it: nothing is kept here for strangers. */
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { EpochMs } from "../../policy/types.ts";
import type { FlowSecrets } from "../../storage/identity/provider.ts";
import { utf8 } from "../text.ts";

/** From the page to the provider and back. */
export const FLOW_SECONDS = 600;

export interface Flow extends FlowSecrets {
  readonly provider: "github" | "oidc";
  /** As `ownPath` answered it; asked again before it is used. */
  readonly to: string;
  readonly begunAt: EpochMs;
}

/** Each of its secrets has 32 random bytes. */
export function newFlow(options: Pick<Flow, "provider" | "to" | "begunAt">): Flow {
  const random = () => randomBytes(32).toString("base64url");
  return { ...options, state: random(), verifier: random(), nonce: random() };
}

/** As a cookie's value. */
export function writeFlow(flow: Flow): string {
  const { provider, state, verifier, nonce, to, begunAt } = flow;
  return [provider, state, verifier, nonce, begunAt, utf8(to).toBase64({ alphabet: "base64url" })].join(".");
}

/**
 * WARNING: the state must be the one that this browser was sent away with, else somebody else's sign-in would be
 * finished in it. null: it is not, or it was begun too long ago.
 */
export function readFlow(
  cookie: string | null,
  given: { readonly state: string | null; readonly now: EpochMs },
): Flow | null {
  const [provider, state = "", verifier = "", nonce = "", begun = "", path = ""] = (cookie ?? "").split(".");
  if (provider !== "github" && provider !== "oidc") return null;
  if (state.length !== 43 || given.state === null || !isSame(state, given.state)) return null;
  const begunAt = Number(begun) as EpochMs;
  if (!(Math.abs(given.now - begunAt) < FLOW_SECONDS * 1_000)) return null;
  try {
    const to = new TextDecoder().decode(Uint8Array.fromBase64(path, { alphabet: "base64url" }));
    return { provider, state, verifier, nonce, to, begunAt };
  } catch {
    return null;
  }
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [utf8(a), utf8(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
