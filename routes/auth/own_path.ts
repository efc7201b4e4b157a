/** Where somebody is sent after the sign-in: a page of ours, or the first of them. */

const PLAIN = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/;
const MAX_LENGTH = 2_000;

/**
 * WARNING: `to` is anybody's text. What is answered is a path of this address below `/-/`, without host: what a
 * browser would read as another host (`//host`, `/\host`, `/%09/host`), and the sign-in itself, is `otherwise`.
 */
export function ownPath(to: string | null, base: URL, otherwise: string): string {
  if (to === null || to.length > MAX_LENGTH || !PLAIN.test(to) || !URL.canParse(to, base)) return otherwise;
  const url = new URL(to, base);
  const prefix = base.pathname.replace(/\/+$/, "");
  const isOurs = url.origin === base.origin && url.username === "" && url.password === "" &&
    url.pathname.startsWith(`${prefix}/-/`) && !url.pathname.startsWith(`${prefix}/-/auth`) &&
    !url.pathname.includes("//");
  return isOurs ? `${url.pathname}${url.search}` : otherwise;
}
