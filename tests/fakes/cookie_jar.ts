/** As much of a browser as a sign-in needs: it keeps cookies by host and port, and goes where it is sent. */

export interface Visit {
  readonly url: string;
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** Where it is sent on to; null: nowhere. */
  readonly location: string | null;
}

export interface CookieJar {
  /** By `host:port name`. */
  readonly cookies: ReadonlyMap<string, string>;
  /** Every Set-Cookie there was. */
  readonly set: readonly string[];
  /** One request; goes nowhere by itself. */
  visit(
    url: string,
    init?: { readonly headers?: Record<string, string>; readonly form?: Record<string, string> },
  ): Promise<Visit>;
  /** Follows redirects, as far as one that `until` does not want. */
  follow(url: string, until?: (url: string) => boolean): Promise<Visit>;
}

export function createCookieJar(): CookieJar {
  const cookies = new Map<string, string>();
  const set: string[] = [];

  const visit: CookieJar["visit"] = async (url, { headers = {}, form } = {}) => {
    const { host } = new URL(url);
    const own = [...cookies].filter(([key]) => key.startsWith(`${host} `))
      .map(([key, value]) => `${key.slice(host.length + 1)}=${value}`);
    const response = await fetch(url, {
      method: form === undefined ? "GET" : "POST",
      headers: { ...(own.length === 0 ? {} : { cookie: own.join("; ") }), ...headers },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
      redirect: "manual",
    });
    for (const cookie of response.headers.getSetCookie()) {
      set.push(cookie);
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      if (/Max-Age=0\b/.test(cookie)) cookies.delete(`${host} ${name}`);
      else cookies.set(`${host} ${name}`, value!);
    }
    const to = response.headers.get("location");
    return {
      url,
      status: response.status,
      text: await response.text(),
      headers: response.headers,
      location: to === null ? null : new URL(to, url).href,
    };
  };

  return {
    cookies,
    set,
    visit,
    async follow(url, until = () => false) {
      let here = await visit(url);
      for (let i = 0; i < 10 && here.location !== null && !until(here.location); i++) {
        here = await visit(here.location);
      }
      return here;
    },
  };
}
