/** The real nginx of the tests, before several Sluices: round robin, with connections that are kept. */
import { freePort, pathOf, startProgram } from "./program.ts";

const BINARY = await pathOf("nginx");

/** Why a test that needs it cannot run; null: it can. */
export const NGINX_MISSING = BINARY === null ? "nginx is missing: apt-get install nginx" : null;

export interface Balancer extends AsyncDisposable {
  /** Without a trailing slash. */
  readonly url: string;
  readonly port: number;
}

function configuration(folder: string, port: number, backends: readonly number[]): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${folder}/${name};`);
  return `daemon off;
master_process off;
pid ${folder}/pid;
error_log ${folder}/error.log warn;
events { worker_connections 4096; }
http {
${temporary.join("\n")}
  access_log off;
  upstream sluices {
${backends.map((backend) => `    server 127.0.0.1:${backend};`).join("\n")}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      proxy_pass http://sluices;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffering off;
      client_max_body_size 0;
    }
  }
}
`;
}

/** Resolves when it answers. The backends need not be there yet: `port` may be asked for first. */
export async function startBalancer(backends: readonly number[], port = freePort()): Promise<Balancer> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-nginx-" });
  await Deno.writeTextFile(`${folder}/nginx.conf`, configuration(folder, port, backends));
  const program = await startProgram(BINARY ?? "nginx", ["-p", folder, "-c", `${folder}/nginx.conf`], {
    cwd: folder,
    async answers() {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return true;
      } catch {
        return false;
      }
    },
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      await program.kill();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
