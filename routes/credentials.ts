/** What an Authorization header holds, in the forms that clients of registries know. */
import { Buffer } from "node:buffer";
import { looksLikeToken } from "../storage/tokens.ts";
import { remember } from "./remember.ts";

const MAX_USER_LENGTH = 128;
const MAX_CREDENTIALS_LENGTH = 8_192;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** Padding is not asked for: some clients leave it out. */
const BASE64 = /^([A-Za-z0-9+/]*)={0,2}$/;

export type Credentials =
  | { readonly kind: "none" }
  /** Basic auth's name; its password, if any (`isAlone`: there is none), is none of ours and was not looked at. */
  | { readonly kind: "name"; readonly user: string; readonly isAlone: boolean }
  /** One of our tokens: as Basic's password, as bearer, or raw, as Cargo sends it. */
  | { readonly kind: "token"; readonly secret: string }
  /** There is a name, and it cannot be one. */
  | { readonly kind: "unreadable" };

export const UNREADABLE_CREDENTIALS =
  `Cannot read the credentials: a user name is 1 to ${MAX_USER_LENGTH} visible characters, sent as Basic auth.`;

const NONE: Credentials = { kind: "none" };
const UNREADABLE: Credentials = { kind: "unreadable" };

/**
 * What is no name and no token of ours counts as nothing: clients send what they keep for other registries. What
 * could be a name and cannot be read does not: the log would name nobody.
 */
export function credentialsOf(authorization: string | null): Credentials {
  if (authorization === null) return NONE;
  const [scheme, rest] = splitOnce(authorization.trim(), " ");
  if (rest === "" && looksLikeToken(scheme)) return { kind: "token", secret: scheme };
  const lower = scheme.toLowerCase();
  if (lower === "bearer") {
    const secret = rest.trim();
    return looksLikeToken(secret) ? { kind: "token", secret } : NONE;
  }
  return lower === "basic" ? basic(rest.trim()) : NONE;
}

/** `credentialsOf` for every request. WARNING: what holds a secret, of ours or another's, is not remembered. */
export function createCredentialsReader(): typeof credentialsOf {
  const read = remember(credentialsOf, (credentials) => credentials.kind === "name" && credentials.isAlone);
  return (authorization) => authorization === null ? NONE : read(authorization);
}

/** Any bearer: the API's own token may have a form of its own. null: there is none. */
export function bearerOf(authorization: string | null): string | null {
  const [scheme, rest] = splitOnce(authorization?.trim() ?? "", " ");
  const secret = rest.trim();
  return scheme.toLowerCase() === "bearer" && secret !== "" ? secret : null;
}

function basic(credentials: string): Credentials {
  const decoded = decodeBasic(credentials);
  if (decoded === null) return UNREADABLE;
  const [user, password] = splitOnce(decoded, ":");
  if (looksLikeToken(password)) return { kind: "token", secret: password };
  // `cargo`-like clients and .netrc files put it where the name is.
  if (looksLikeToken(user)) return { kind: "token", secret: user };
  if (user === "") return NONE;
  if (user.length > MAX_USER_LENGTH || user !== user.trim() || INVISIBLE.test(user)) return UNREADABLE;
  return { kind: "name", user: user.normalize("NFC"), isAlone: password === "" };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });
const ASCII = /^[\x20-\x7e]*$/;

function decodeBasic(credentials: string): string | null {
  const digits = credentials.length > MAX_CREDENTIALS_LENGTH ? undefined : BASE64.exec(credentials)?.[1];
  if (digits === undefined) return null;
  try {
    const binary = atob(digits);
    return ASCII.test(binary) ? binary : UTF8.decode(Buffer.from(binary, "latin1"));
  } catch {
    // Both throw for one reason only: these are no credentials.
    return null;
  }
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
