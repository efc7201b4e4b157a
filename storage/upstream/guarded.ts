/** The guarded client for addresses that an organisation wrote down (webhooks): POST, no redirects, public hosts only. */
import type { Timers } from "../runtime.ts";
import { UpstreamError } from "../errors.ts";
import { type AddressCheck, createAddressCheck } from "./address_check.ts";
import type { NetworkConfig } from "./config.ts";
import { createDispatcher, type LookupAll } from "./dispatcher.ts";
import { failure, named } from "./failures.ts";
import { compileHosts } from "./hosts.ts";
import { discard } from "./response.ts";

/**
 * Resolves with the answer's status, a redirect's as well (none is followed). Throws UpstreamError: the message
 * names the origin alone, since the rest of a webhook's address is a secret.
 */
export type GuardedPost = (url: string, body: string, options: {
  readonly contentType: string;
  /** Until the answer's headers. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}) => Promise<{ readonly status: number }>;

export interface GuardedPostDeps {
  readonly network: NetworkConfig;
  readonly timers: Timers;
  /** `host` (any port) or `host:port` that may be private. */
  readonly allowPrivate?: readonly string[];
  /** Default: the system's resolver. */
  readonly lookup?: LookupAll;
}

/** One per process; `close` cuts what runs. */
export function createGuardedPost(
  deps: GuardedPostDeps,
): { readonly post: GuardedPost; readonly check: AddressCheck; close(): Promise<void> } {
  const { network, timers } = deps;
  const dispatcher = createDispatcher(network, deps.lookup);
  const mayBePrivate = compileHosts(deps.allowPrivate ?? [], { portless: "any" });

  async function send(url: URL, body: string, options: Parameters<GuardedPost>[2]): Promise<Response> {
    const late = new AbortController();
    const answered = new AbortController();
    timers.sleep(options.timeoutMs, answered.signal).then(
      () => late.abort(failure("timeout", `no answer within ${options.timeoutMs} ms`, url.origin)),
      () => {},
    );
    const signals = options.signal === undefined ? [late.signal] : [late.signal, options.signal];
    const request = new Request(url, {
      method: "POST",
      headers: { "content-type": options.contentType, "user-agent": network.userAgent, accept: "*/*" },
      body,
      signal: AbortSignal.any(signals),
    });
    try {
      const response = await dispatcher.send(request, mayBePrivate(url) ? "configured" : "named");
      await discard(response);
      return response;
    } finally {
      answered.abort();
    }
  }

  async function post(...[address, body, options]: Parameters<GuardedPost>): Promise<{ status: number }> {
    const url = toUrl(address);
    try {
      const { status } = await send(url, body, options);
      return { status };
    } catch (error) {
      throw error instanceof UpstreamError ? named(error, "post to") : error;
    }
  }

  const check = createAddressCheck({
    ...deps,
    trustOf: (address) => mayBePrivate(address) ? "configured" : "named",
  });
  return { post, check, close: () => dispatcher.close() };
}

/** Userinfo is refused, not dropped: whoever wrote it meant it to be sent. */
function toUrl(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TypeError("Cannot post to the webhook: its address is not an http or https address");
  }
  if (url.username === "" && url.password === "") return url;
  throw new TypeError(`Cannot post to ${url.origin}: the address carries credentials`);
}
