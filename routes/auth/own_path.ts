/** Where somebody is sent after the sign-in: a page of ours, or the first of them. */

/** Below the base address's path: ours, of an organisation or as of an instant too. */
const OURS = /^(?:\/o\/[^/]+)?(?:\/at\/[^/]+)?\/(?:-\/(?!auth)|stats$)/;
const PLAIN = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/;
const MAX_LENGTH = 2_000;

/**
 * WARNING: `to` is anybody's text. What is answered is the path of a page of this address, without host: what a
 * browser would read as another host (`//host`, `/\host`, `/%09/host`), and the sign-in itself, is `otherwise`.
 */
export function ownPath(to: string | null, base: URL, otherwise: string): string {
  if (to === null || to.length > MAX_LENGTH || !PLAIN.test(to) || !URL.canParse(to, base)) return otherwise;
  const url = new URL(to, base);
  const prefix = base.pathname.replace(/\/+$/, "");
  const { pathname } = url;
  const isOurs = url.origin === base.origin && url.username === "" && url.password === "" &&
    pathname.startsWith(`${prefix}/`) && OURS.test(pathname.slice(prefix.length)) && !pathname.includes("//");
  return isOurs ? `${url.pathname}${url.search}` : otherwise;
}
