/** Who asks, resolved once, and whether this organisation lets them in. */
import { Buffer } from "node:buffer";
import type { Caller } from "../ecosystems/ecosystem.ts";
import type { OrganisationView } from "../storage/organisations.ts";
import { clientOf } from "./client.ts";

const MAX_USER_LENGTH = 128;
const MAX_CREDENTIALS_LENGTH = 8_192;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Why somebody is not let in. `challenge`: a name would help, so the client is asked for one. */
export interface Denial {
  readonly status: 401 | 403;
  readonly code: string;
  readonly message: string;
  readonly challenge: boolean;
}

export type Identified =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly denial: Denial };

/**
 * The user's name comes from Basic auth; a password is not looked at, since no policy here asks for one. A bearer
 * token is not a name. Credentials that cannot be read are refused, not ignored: the log would name nobody.
 */
export function callerOf(request: Request, info: Deno.ServeHandlerInfo, organisation: string): Identified {
  const user = userOf(request.headers.get("authorization"));
  if (user === undefined) {
    return {
      ok: false,
      denial: {
        status: 401,
        code: "unreadable-credentials",
        message:
          `Cannot read the credentials: a user name is 1 to ${MAX_USER_LENGTH} visible characters, sent as Basic auth.`,
        challenge: true,
      },
    };
  }
  const caller = { organisation, user, address: peerOf(info), client: clientOf(request.headers) };
  return { ok: true, caller };
}

/** null: let in. What the organisation's policy says of `callers`, before anything else is answered. */
export function authorise(view: OrganisationView, caller: Caller): Denial | null {
  const { policy } = view;
  if (policy.closed) {
    return deny(
      403,
      "organisation-closed",
      `Organisation "${view.id}" is closed: use the address of your own organisation.`,
    );
  }
  switch (policy.callers) {
    case "anyone":
      return null;
    case "named":
      if (caller.user !== null) return null;
      return {
        ...deny(
          401,
          "name-required",
          `Organisation "${view.id}" lets in callers with a name only: put a user name into the registry's credentials.`,
        ),
        challenge: true,
      };
    case "token":
      return deny(
        403,
        "token-required",
        `Organisation "${view.id}" lets in callers with a token only, and no token exists yet: nobody is let in.`,
      );
  }
}

/** undefined: there is a name and it cannot be one. */
function userOf(authorization: string | null): string | null | undefined {
  if (authorization === null) return null;
  const [scheme, credentials] = splitOnce(authorization.trim(), " ");
  if (scheme.toLowerCase() !== "basic") return null;
  const decoded = decodeBasic(credentials.trim());
  if (decoded === null) return undefined;
  const [user] = splitOnce(decoded, ":");
  if (user === "") return null;
  if (user.length > MAX_USER_LENGTH || user !== user.trim() || INVISIBLE.test(user)) return undefined;
  return user.normalize("NFC");
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

function decodeBasic(credentials: string): string | null {
  if (credentials.length > MAX_CREDENTIALS_LENGTH || !BASE64.test(credentials)) return null;
  try {
    return UTF8.decode(Buffer.from(credentials, "base64"));
  } catch {
    // Both throw for one reason only: these are no credentials.
    return null;
  }
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** The peer's own address: a forwarded one is anybody's word. IPv4 in IPv6 is written as IPv4. */
function peerOf(info: Deno.ServeHandlerInfo): string {
  const peer = info.remoteAddr;
  if (!("hostname" in peer) || typeof peer.hostname !== "string") return "";
  return peer.hostname.replace(/^::ffff:(?=[0-9.]+$)/i, "");
}

function deny(status: Denial["status"], code: string, message: string): Denial {
  return { status, code, message, challenge: false };
}
