/** nginx as the yardstick: a folder's files, sent as they are. */
import { freePort, type Measured, untilListening } from "./servers.ts";

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
      // Where Debian has it, which is on root's path alone.
      env: { PATH: `${Deno.env.get("PATH") ?? ""}:/usr/sbin` },
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
