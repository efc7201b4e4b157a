/** Requests to whoever vouches for people: bounded in time and size, no redirect followed, through the proxy. */
import { failure, named } from "../upstream/failures.ts";
import { UpstreamError } from "../errors.ts";
import { type Timers, UNNEEDED } from "../runtime.ts";
import type { NetworkConfig } from "../upstream/config.ts";
import { createDispatcher } from "../upstream/dispatcher.ts";
import { responseAt } from "../upstream/response.ts";

/** For a whole answer. */
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1_048_576;

export interface IdentityRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The answer, read whole. Throws UpstreamError, whose message names the origin. */
export type IdentityFetch = (url: string, request: IdentityRequest) => Promise<Response>;

/** `own`: what a person configured, which may be private; every other host must be public. */
export function createIdentityFetch(deps: {
  readonly network: NetworkConfig;
  readonly timers: Timers;
  readonly own: readonly string[];
}): { readonly fetch: IdentityFetch; close(): Promise<void> } {
  const { network, timers } = deps;
  const dispatcher = createDispatcher(network);
  const own = new Set(deps.own.map((url) => new URL(url).origin));

  async function answer(url: string, { method, headers, body }: IdentityRequest): Promise<Response> {
    const { origin } = new URL(url);
    const late = new AbortController();
    const done = new AbortController();
    timers.sleep(TIMEOUT_MS, done.signal).then(
      () => late.abort(failure("timeout", `no answer within ${TIMEOUT_MS} ms`, origin)),
      () => {},
    );
    try {
      const request = new Request(url, {
        method,
        headers: { ...headers, "user-agent": network.userAgent, "accept-encoding": "identity" },
        ...(body === undefined ? {} : { body }),
        signal: late.signal,
      });
      const response = await dispatcher.send(request, own.has(origin) ? "configured" : "named");
      const bytes = await readAll(response, origin);
      const { status } = response;
      return responseAt(url, bytes === null ? null : new Blob([bytes]).stream(), {
        status,
        headers: response.headers,
      });
    } finally {
      done.abort(UNNEEDED);
    }
  }

  return {
    fetch: async (url, request) => {
      try {
        return await answer(url, request);
      } catch (error) {
        throw error instanceof UpstreamError ? named(error, "ask") : error;
      }
    },
    close: () => dispatcher.close(),
  };
}

async function readAll(response: Response, origin: string): Promise<Uint8Array<ArrayBuffer> | null> {
  if (response.body === null) return null;
  const encoding = response.headers.get("content-encoding") ?? "identity";
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body) {
    size += part.byteLength;
    if (size > MAX_BYTES) throw failure("content", `the answer is longer than ${MAX_BYTES} bytes`, origin);
    parts.push(part);
  }
  if (encoding !== "identity") {
    throw failure("content", "the answer is encoded, which was not asked for", origin);
  }
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}
