/** The servers that are measured, each a process of its own. nginx.ts and verdaccio.ts have those of others. */
import { fileURLToPath } from "node:url";
import { spawnServer } from "../e2e/server.ts";
import { addOrganisations } from "./organisations.ts";
import type { FixturePackage } from "./fixtures.ts";

/** `kv`: Sluice with its log in KV alone; `unlogged`: without any; `deno`: Deno alone. */
export type ServerName = "sluice" | "kv" | "unlogged" | "deno" | "nginx" | "verdaccio";

export interface Measured extends AsyncDisposable {
  readonly name: ServerName;
  /** Without a trailing slash. */
  readonly url: string;
  readonly pid: number;
  /** Where it is profiled (`ws://…`); absent: it is not to be. */
  readonly inspector?: string;
}

/** Sluice on an empty folder, as `deno task start` runs it. `upstream` without a trailing slash. */
export async function startMeasuredSluice(
  upstream: string,
  options: { readonly inspected?: boolean } = {},
): Promise<Measured> {
  const data = await Deno.makeTempDir({ prefix: "sluice-bench-" });
  await addOrganisations(data);
  const runtime = options.inspected === true ? ["--inspect=127.0.0.1:0"] : [];
  const server = await spawnServer({ data, env: { SLUICE_UPSTREAM_NPM: `${upstream}/` }, runtime });
  const inspector = /Debugger listening on (ws:\S+)/.exec(server.output())?.[1];
  return {
    name: "sluice",
    url: server.url,
    pid: server.pid,
    ...(inspector === undefined ? {} : { inspector }),
    async [Symbol.asyncDispose]() {
      await server.end("SIGTERM");
      await Deno.remove(data, { recursive: true });
    },
  };
}

/** Sluice with another install log: variant.ts says what they are. */
export async function startVariant(name: "kv" | "unlogged", upstream: string): Promise<Measured> {
  const data = await Deno.makeTempDir({ prefix: `sluice-bench-${name}-` });
  const script = await startScript("variant.ts", [name, data], { SLUICE_UPSTREAM_NPM: `${upstream}/` });
  return {
    name,
    ...script,
    async [Symbol.asyncDispose]() {
      await script[Symbol.asyncDispose]();
      await Deno.remove(data, { recursive: true });
    },
  };
}

/** The folder's files, by name. */
export async function startBareDeno(folder: string): Promise<Measured> {
  return { name: "deno", ...await startScript("bare.ts", [folder]) };
}

interface Script extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** A script beside this one that prints its address first, and ends on SIGTERM. */
async function startScript(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Script> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", fileURLToPath(new URL(name, import.meta.url)), ...args],
    env,
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  return {
    url: value.trim(),
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await Promise.all([reader.cancel(), child.status]);
    },
  };
}

/** The upstream of all that ask one; in this process, since what is measured is hot and asks it no more. */
export function serveFixtures(packages: readonly FixturePackage[]): Measurable {
  const bodies = new Map<string, Uint8Array>();
  for (const { name, packument, tarballs } of packages) {
    bodies.set(`/${name}`, packument);
    for (const [file, bytes] of tarballs) bodies.set(`/${name}/-/${file}`, bytes);
  }
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    const body = bodies.get(pathname);
    if (body === undefined) return new Response(null, { status: 404 });
    if (pathname.includes("/-/")) return new Response(body as BodyInit);
    // Links in fixtures point at no port; here they must lead back.
    const own = new TextDecoder().decode(body).replaceAll(
      "https://registry.example/",
      new URL("/", request.url).href,
    );
    return new Response(own, { headers: { "content-type": "application/json", etag: `"${body.length}"` } });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

interface Measurable extends AsyncDisposable {
  readonly url: string;
}

/** A port that was free when asked for. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Resolves once somebody listens there; throws after five seconds. */
export async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`Nobody listens on port ${port}`);
}

export { memoryOf } from "./usage.ts";
