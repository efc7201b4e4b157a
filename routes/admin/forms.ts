/** A form that was sent: from a page of ours and by whoever's session it is, else it is not looked at. */
import { timingSafeEqual } from "node:crypto";
import type { Timers } from "../../storage/runtime.ts";
import type { SignedIn } from "../auth/signed_in.ts";
import { readBody } from "../body.ts";
import { RequestError } from "../problem.ts";
import { utf8 } from "../text.ts";

const MAX_FORM_BYTES = 2 * 1_048_576;

/**
 * WARNING: an organisation's host is the same site as the base address, so `same-site` is not enough. A browser that
 * says nothing of where a form comes from is asked for its Origin, and for the session's token. Throws RequestError.
 */
export function mustBeOurs(
  request: Request,
  from: { readonly base: URL; readonly form: URLSearchParams; readonly member: SignedIn },
): void {
  if (isOurs(request.headers, from)) return;
  throw new RequestError(
    403,
    "cross-site-form",
    "This form was not sent from a page of Sluice: open the page anew and try again.",
  );
}

function isOurs(
  headers: Headers,
  { base, form, member }: {
    readonly base: URL;
    readonly form: URLSearchParams;
    readonly member: Pick<SignedIn, "formToken">;
  },
): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  return headers.get("origin") === base.origin && isSame(form.get("token") ?? "", member.formToken);
}

/**
 * Where there is no session: the browser itself must say that the form comes from a page of this very origin. WARNING:
 * credentials that a browser remembers are sent along whoever's form it is.
 */
export function isSameOrigin(headers: Headers, origin: string): boolean {
  const site = headers.get("sec-fetch-site");
  return site !== null ? site === "same-origin" : headers.get("origin") === origin;
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [utf8(a), utf8(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Throws RequestError for what is no form, or larger than 2 MiB. */
export async function readForm(request: Request, timers: Timers): Promise<URLSearchParams> {
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new RequestError(415, "not-a-form", "A form is sent as application/x-www-form-urlencoded.");
  }
  const bytes = await readBody(request, MAX_FORM_BYTES, timers);
  return new URLSearchParams(new TextDecoder().decode(bytes));
}
