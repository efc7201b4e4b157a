/** A Sluice before a registry with something young, something denied and something blocked; and who asks for exceptions. */
import { ADMIN_TOKEN, HOLDERS_ENV } from "../fakes/holders.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import { ask, type Asked } from "./ask.ts";

/** What a browser says of a form on a page of the same origin. */
export const FROM_PAGE = { "sec-fetch-site": "same-origin", accept: "text/html" } as const;

export async function createWaiverWorld(env: Readonly<Record<string, string>> = {}) {
  const registry = await startNpmRegistry();
  registry.publish({
    name: "fresh",
    releases: {
      "1.0.0": { publishedAt: daysAgo(100) },
      "1.1.0": { publishedAt: daysAgo(2) },
      "1.2.0": { publishedAt: daysAgo(1) },
      "2.0.0": { publishedAt: daysAgo(1) },
    },
  });
  registry.publish({
    name: "old",
    releases: {
      "1.0.0": { publishedAt: daysAgo(300) },
      "1.1.0": { publishedAt: daysAgo(200), deprecated: "use fresh" },
    },
  });
  const sluice = await startSluice({
    env: { ...HOLDERS_ENV, SLUICE_UPSTREAM_NPM: registry.upstream.url, ...env },
  });
  let asks = 0;

  /** The API, as the instance's admin or by another token. */
  async function api(
    method: string,
    path: string,
    { body, token = ADMIN_TOKEN, at = "" }: {
      readonly body?: unknown;
      readonly token?: string | null;
      readonly at?: string;
    } = {},
  ) {
    const response = await fetch(`${sluice.url}${at}/-/api/v1${path}`, {
      method,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  }

  return {
    registry,
    sluice,
    api,
    file: (
      version: string,
      options: { readonly user?: string; readonly at?: string; readonly name?: string } = {},
    ) => {
      const { user = "ada", at = "", name = "fresh" } = options;
      return ask(`${sluice.url}${at}/npm/${name}/-/${name}-${version}.tgz`, { user });
    },
    /** The form of a why page. */
    form(path: string, fields: Readonly<Record<string, string>>, options: {
      readonly user?: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** Default: another one with each call. */
      readonly address?: string;
    } = {}): Promise<Asked> {
      const { user, address = `198.51.100.${++asks % 250}`, headers = FROM_PAGE } = options;
      return ask(`${sluice.url}${path}`, {
        method: "POST",
        ...(user === undefined ? {} : { user }),
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          "x-forwarded-for": address,
          ...headers,
        },
        body: new TextEncoder().encode(new URLSearchParams(fields).toString()),
      });
    },
    page: (path: string, headers: Readonly<Record<string, string>> = {}) =>
      ask(`${sluice.url}${path}`, { headers: { accept: "text/html", ...headers } }),
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}
