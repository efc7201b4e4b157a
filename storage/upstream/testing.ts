/** What the tests of this folder share. */
import type { Source } from "../../ecosystems/ecosystem.ts";
import type { DurationMs, EpochMs } from "../../policy/types.ts";
import type { Log } from "../runtime.ts";
import { realTimers } from "../timers.ts";
import { createUpstreamClient, type UpstreamClientDeps } from "./client.ts";
import type { NetworkConfig, UpstreamConfig } from "./config.ts";
import type { Upstream, UpstreamClient } from "./upstream.ts";
import { createUpstreams } from "./upstreams.ts";

export const TEST_NETWORK: NetworkConfig = {
  proxy: null,
  noProxy: [],
  caPem: null,
  userAgent: "sluice/test",
  connectTimeoutMs: 5_000,
  firstByteTimeoutMs: 5_000,
  idleTimeoutMs: 5_000,
  maxConnectionsPerOrigin: 8,
};

/** For what is meant to time out, beside what is answered at once, on a machine that is busy. */
export const IMPATIENT = { connectTimeoutMs: 250, firstByteTimeoutMs: 250, idleTimeoutMs: 300 } as const;

export const TEST_LIFETIMES = { upstreamTimeout: 60_000 as DurationMs, userAgent: "sluice/test" } as const;

export interface TestClient extends AsyncDisposable {
  readonly client: UpstreamClient;
  readonly upstream: Upstream;
  readonly logged: readonly string[];
}

/** A client with one catch-all npm upstream. */
export function testClient(
  config: Partial<UpstreamConfig> & { readonly url: string },
  deps: Partial<Omit<UpstreamClientDeps, "network">> & { readonly network?: Partial<NetworkConfig> } = {},
): TestClient {
  const logged: string[] = [];
  const log: Log = (level, message) => void logged.push(`${level} ${message}`);
  const upstreams = createUpstreams([upstreamConfig(config)]);
  const client = createUpstreamClient({
    clock: () => 1_790_000_000_000 as EpochMs,
    timers: realTimers,
    log,
    random: () => 0,
    lifetimes: () => TEST_LIFETIMES,
    ...deps,
    upstreams,
    network: { ...TEST_NETWORK, ...deps.network },
  });
  return { client, upstream: upstreams.all()[0]!, logged, [Symbol.asyncDispose]: () => client.close() };
}

export function upstreamConfig(config: Partial<UpstreamConfig> & { readonly url: string }): UpstreamConfig {
  return {
    ecosystem: "npm",
    key: "registry",
    match: [],
    allowedHosts: [],
    credentials: null,
    organisations: null,
    ...config,
  };
}

export function source(path: string, more: Partial<Source> = {}): Source {
  return {
    key: "packument",
    upstream: "registry",
    path,
    accept: "application/json",
    maxBytes: 1_000_000,
    required: true,
    expects: "json",
    ...more,
  };
}

export async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(body).text();
}
