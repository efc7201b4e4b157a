/** What a session's secret is made of, and what is derived from it and never kept. */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import type { ProviderId } from "../sessions.ts";

/** `{member}{session}.{secret}`: 24 hex digits that name the member, 16 that name the session, and 32 random bytes. */
const FORM = /^([0-9a-f]{24})([0-9a-f]{16})\.([A-Za-z0-9_-]{43})$/;
const ID = /^([0-9a-f]{24})([0-9a-f]{16})?$/;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Where a session is in KV. */
export interface SessionPlace {
  readonly member: string;
  readonly session: string;
}

/** The part of an id that all sessions of one member share. */
export function memberPartOf(provider: ProviderId, subject: string): string {
  return createHash("sha256").update(`${provider}\n${subject}`).digest("hex").slice(0, 24);
}

export function newSecret(member: string): { readonly place: SessionPlace; readonly secret: string } {
  const session = randomBytes(8).toString("hex");
  const secret = `${member}${session}.${randomBytes(32).toString("base64url")}`;
  return { place: { member, session }, secret };
}

/** null: this is no session's secret. */
export function placeOfSecret(secret: string): SessionPlace | null {
  const [, member, session] = FORM.exec(secret) ?? [];
  return member === undefined || session === undefined ? null : { member, session };
}

/** Of a session's id or a member's; null: it is none. */
export function placeOfId(id: string): { readonly member: string; readonly session: string | null } | null {
  const [, member, session = null] = ID.exec(id) ?? [];
  return member === undefined ? null : { member, session };
}

/** Too many to guess, so one hash is enough. */
export function hashOfSecret(secret: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(`session\n${secret}`).digest());
}

/** The same for every page of a session; says nothing of the secret. */
export function formTokenOf(secret: string): string {
  return createHash("sha256").update(`form\n${secret}`).digest("base64url");
}

/** AES-256-GCM under a key that only the cookie gives: KV alone opens nothing. */
export function seal(secret: string, text: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", keyOf(secret), nonce);
  const sealed = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
  return Uint8Array.from(sealed.flatMap((part) => [...part]));
}

/** null: it was sealed with another secret, or altered. */
export function unseal(secret: string, sealed: Uint8Array): string | null {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv("aes-256-gcm", keyOf(secret), sealed.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8");
    return text + decipher.final("utf8");
  } catch {
    return null;
  }
}

function keyOf(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "sluice", "session grant", 32));
}
