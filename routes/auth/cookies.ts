/** The two cookies there are: a session, and a sign-in that is under way. */

/** What a browser is told of both: this host alone, no script, not with what other sites send. */
const ATTRIBUTES = "Path=/; HttpOnly; SameSite=Lax";

export interface CookieNames {
  readonly session: string;
  readonly flow: string;
  readonly isSecure: boolean;
}

/**
 * null: no session can be kept safely at this address, which is neither HTTPS nor loopback. `__Host-`: a browser
 * takes it from this very host alone, over HTTPS. On loopback the port tells several programs apart.
 */
export function cookieNames(base: URL): CookieNames | null {
  if (base.protocol === "https:") {
    return { session: "__Host-sluice", flow: "__Host-sluice-sign-in", isSecure: true };
  }
  if (!isLoopback(base.hostname)) return null;
  const port = base.port || "80";
  return { session: `sluice-${port}`, flow: `sluice-sign-in-${port}`, isSecure: false };
}

export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** A cookie's value as the browser sent it; null: it sent none, or two. */
export function readCookie(headers: Headers, name: string): string | null {
  const found = (headers.get("cookie") ?? "").split(";").map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`));
  return found.length === 1 ? found[0]!.slice(name.length + 1) : null;
}

/** `value` is of characters that a cookie may have. */
export function cookieText(name: string, value: string, options: {
  readonly maxAgeSeconds: number;
  readonly isSecure: boolean;
}): string {
  const secure = options.isSecure ? "; Secure" : "";
  return `${name}=${value}; Max-Age=${options.maxAgeSeconds}; ${ATTRIBUTES}${secure}`;
}

/** Makes the browser forget it. */
export function noCookie(name: string, isSecure: boolean): string {
  return cookieText(name, "", { maxAgeSeconds: 0, isSecure });
}
