/** The servers that are measured: Sluice, Deno alone, and nginx where it is installed; each a process of its own. */
import { fileURLToPath } from "node:url";
import { spawnServer } from "../e2e/server.ts";
import type { FixturePackage } from "./fixtures.ts";

export interface Measured extends AsyncDisposable {
  readonly name: "sluice" | "deno" | "nginx";
  /** Without a trailing slash. */
  readonly url: string;
  readonly pid: number;
}

/** Sluice on an empty folder, before a registry that has these packages. */
export async function startMeasuredSluice(packages: readonly FixturePackage[]): Promise<Measured> {
  const data = await Deno.makeTempDir({ prefix: "sluice-bench-" });
  const upstream = serveFixtures(packages);
  const env = { SLUICE_UPSTREAM_NPM: `http://127.0.0.1:${upstream.addr.port}/` };
  const server = await spawnServer({ data, env });
  return {
    name: "sluice",
    url: server.url,
    pid: server.pid,
    async [Symbol.asyncDispose]() {
      await server.end("SIGTERM");
      await upstream.shutdown();
      await Deno.remove(data, { recursive: true });
    },
  };
}

function serveFixtures(packages: readonly FixturePackage[]): Deno.HttpServer<Deno.NetAddr> {
  const bodies = new Map<string, Uint8Array>();
  for (const { name, packument, tarballs } of packages) {
    bodies.set(`/${name}`, packument);
    for (const [file, bytes] of tarballs) bodies.set(`/${name}/-/${file}`, bytes);
  }
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
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
}

/** The folder's files, by name. */
export async function startBareDeno(folder: string): Promise<Measured> {
  const script = fileURLToPath(new URL("bare.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", script, folder],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  return {
    name: "deno",
    url: value.trim(),
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await Promise.all([reader.cancel(), child.status]);
    },
  };
}

/** One worker, as the others have one thread; null where nginx is not installed. */
export async function startNginx(folder: string): Promise<Measured | null> {
  const place = await Deno.makeTempDir({ prefix: "sluice-nginx-" });
  // As root its workers are nobody, who may not read a folder made for one user alone.
  for (const path of [place, folder]) await Deno.chmod(path, 0o755);
  const port = freePort();
  await Deno.writeTextFile(`${place}/nginx.conf`, nginxConfig(place, folder, port));
  try {
    const child = new Deno.Command("nginx", {
      args: ["-p", place, "-e", `${place}/error.log`, "-c", `${place}/nginx.conf`],
      stdout: "null",
      stderr: "null",
    }).spawn();
    await untilListening(port);
    return {
      name: "nginx",
      url: `http://127.0.0.1:${port}`,
      pid: child.pid,
      async [Symbol.asyncDispose]() {
        child.kill("SIGTERM");
        await child.status;
        await Deno.remove(place, { recursive: true });
      },
    };
  } catch (error) {
    await Deno.remove(place, { recursive: true });
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function nginxConfig(place: string, folder: string, port: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${place}/${kind};`).join("\n    ");
  return `
daemon off;
worker_processes 1;
pid ${place}/nginx.pid;
events { worker_connections 512; }
http {
    ${temporary}
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    open_file_cache max=100;
    default_type application/octet-stream;
    server {
        listen 127.0.0.1:${port};
        root ${folder};
        location ~ \\.gz$ { add_header content-encoding gzip; }
    }
}
`;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`nginx does not listen on port ${port}`);
}

/** Of a process, in megabytes: now, and the most it ever was; null where the system does not tell. */
export async function memoryOf(
  pid: number,
): Promise<{ readonly rssMb: number; readonly peakMb: number } | null> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const read = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1000;
    return { rssMb: read("VmRSS"), peakMb: read("VmHWM") };
  } catch {
    return null;
  }
}
