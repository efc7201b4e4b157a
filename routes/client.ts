/** What of a request's headers reaches a protocol, and which client sent it. */
import type { Client, ClientRequest } from "../ecosystems/ecosystem.ts";
import { remember } from "./remember.ts";
import type { RegistryTarget } from "./target.ts";

/** Nothing else that a client sends is seen by a plugin, let alone by an upstream. */
const ALLOWED_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "content-encoding",
  "content-type",
  "npm-command",
  "npm-session",
  "pacote-integrity",
  "pacote-pkg-id",
  "pacote-req-type",
  "pacote-version",
  "user-agent",
]);
const MAX_HEADER_LENGTH = 2_048;

/** RFC 9110 §10.1.5: the first product, and its version. Bounded, so that a hostile one is one short name. */
const PRODUCT = /^\s*([A-Za-z0-9._+-]{1,64})(?:\/([A-Za-z0-9._+-]{1,64}))?/;
/** Clients that introduce themselves by the library they ask with: yarn 2 and later by `got`, without a version. */
const BY_LIBRARY: ReadonlyMap<string, string> = new Map([["got", "yarn"]]);
const COMMAND = /^[a-z][a-z0-9:-]{0,31}$/;

/** The request as plugins see it. A header longer than 2,048 characters counts as not sent; each is read when asked for. */
export function clientRequest(request: Request, target: RegistryTarget): ClientRequest {
  const headers = { get: (name: string) => allowedHeader(request.headers, name) };
  return { method: target.method, segments: target.segments, query: target.query, headers };
}

function allowedHeader(headers: Headers, name: string): string | undefined {
  const value = ALLOWED_HEADERS.has(name) ? headers.get(name) : null;
  return value !== null && value.length <= MAX_HEADER_LENGTH ? value : undefined;
}

/** Never throws; what cannot be read is `""` and null. */
export function clientOf(headers: Headers): Client {
  return clientFrom(headers, productOf);
}

/** `clientOf` for every request: there are few different clients. */
export function createClientReader(): typeof clientOf {
  const remembered = remember(productOf);
  return (headers) => clientFrom(headers, remembered);
}

function clientFrom(headers: Headers, readProduct: typeof productOf): Client {
  const { name, version } = readProduct(headers.get("user-agent") ?? "");
  const command = headers.get("npm-command")?.toLowerCase();
  return { name, version, command: command !== undefined && COMMAND.test(command) ? command : null };
}

function productOf(userAgent: string): Pick<Client, "name" | "version"> {
  const product = PRODUCT.exec(userAgent);
  const name = product?.[1]?.toLowerCase() ?? "";
  return { name: BY_LIBRARY.get(name) ?? name, version: product?.[2] ?? "" };
}
