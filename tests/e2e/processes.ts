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
