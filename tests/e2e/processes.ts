/** Sluices in processes of their own over one database and one bucket, behind nginx: for tests that end processes. */
import { type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { NGINX_MISSING, startBalancer } from "../fakes/nginx.ts";
import { freePort } from "../fakes/program.ts";
import { SHARED_MISSING, type SharedStorage, startSharedStorage } from "../fakes/shared_storage.ts";
import { type Ended, runOurs, type SpawnedServer, spawnServer } from "./server.ts";

/** Why a test that needs it cannot run; null: it can. */
export const PROCESSES_MISSING = SHARED_MISSING ?? NGINX_MISSING;

export interface Processes extends AsyncDisposable {
  readonly registry: FakeNpmRegistry;
  readonly storage: SharedStorage;
  /** nginx before the first two, without a trailing slash. */
  readonly url: string;
  /** The addresses of the first two themselves. */
  readonly urls: readonly [string, string];
  /** The first two: replaced by what is started in their place. */
  readonly servers: SpawnedServer[];
  readonly env: Readonly<Record<string, string>>;
  /** On a port of its own, or in the place of one of the first two. */
  start(place?: 0 | 1): Promise<SpawnedServer>;
  /** A command of ours on the same storage. */
  beside(script: string, args: readonly string[], stdin?: string): Promise<Ended>;
}

export async function startProcesses(more: Readonly<Record<string, string>> = {}): Promise<Processes> {
  const registry = await startNpmRegistry();
  const storage = await startSharedStorage();
  const [port, ...ports] = [freePort(), freePort(), freePort()] as const;
  const env = {
    SLUICE_UPSTREAM_NPM: registry.upstream.url,
    ...storage.env,
    SLUICE_BASE_URL: `http://127.0.0.1:${port}`,
    ...more,
  };
  const started: SpawnedServer[] = [];
  async function start(place?: 0 | 1): Promise<SpawnedServer> {
    const listen = `127.0.0.1:${place === undefined ? freePort() : ports[place]}`;
    const server = await spawnServer({ data: "none", env, listen });
    started.push(server);
    if (place !== undefined) servers[place] = server;
    return server;
  }
  const servers: SpawnedServer[] = [];
  await Promise.all([start(0), start(1)]);
  const balancer = await startBalancer(ports, port);
  return {
    registry,
    storage,
    url: balancer.url,
    urls: [`http://127.0.0.1:${ports[0]}`, `http://127.0.0.1:${ports[1]}`],
    servers,
    env,
    start,
    beside: (script, args, stdin = "") => runOurs(script, args, { env, stdin }),
    async [Symbol.asyncDispose]() {
      await balancer[Symbol.asyncDispose]();
      for (const server of started) await server[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Skips with the reason where a component is missing. */
export function processesTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: PROCESSES_MISSING === null ? name : `${name} (skipped: ${PROCESSES_MISSING})`,
    ignore: PROCESSES_MISSING !== null,
    fn,
  });
}

/** A registry's address at which every single request is answered by a process that was started for it. */
export interface FreshEach extends AsyncDisposable {
  /** Without a trailing slash. */
  readonly url: string;
  readonly registry: FakeNpmRegistry;
  /** How many processes there were. */
  readonly started: number;
  beside(script: string, args: readonly string[]): Promise<Ended>;
}

/** Each process ends with SIGINT, as the platform does it, when its answer is whole. */
export async function startFreshEach(): Promise<FreshEach> {
  const registry = await startNpmRegistry();
  const storage = await startSharedStorage();
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url, ...storage.env, SLUICE_BASE_URL: url };
  let started = 0;
  const front = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
    started++;
    const listen = `127.0.0.1:${freePort()}`;
    await using server = await spawnServer({ data: "none", env, listen });
    const { pathname, search } = new URL(request.url);
    const answer = await fetch(`http://${listen}${pathname}${search}`, {
      method: request.method,
      headers: request.headers,
      body: request.body,
      redirect: "manual",
    });
    const body = await answer.arrayBuffer();
    await server.end("SIGINT");
    const headers = new Headers(answer.headers);
    // The body is whole and decoded by now.
    for (const name of ["content-encoding", "content-length", "transfer-encoding"]) headers.delete(name);
    return new Response(answer.status === 304 ? null : body, { status: answer.status, headers });
  });
  return {
    url,
    registry,
    get started() {
      return started;
    },
    beside: (script, args) => runOurs(script, args, { env }),
    async [Symbol.asyncDispose]() {
      await front.shutdown();
      await storage[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}
