/**
 * Connections that never finish their request. Deno.serve has no hook for them and never ends them (tried with 2.5.7
 * and 2.9.6: open after 260 s, 16 kB of memory each): they must cost others nothing, up to the last descriptor.
 */
import assert from "node:assert/strict";
import { type SpawnedServer, spawnServer } from "./server.ts";

/** What a stranger leaves unfinished. */
const HALVES = [
  "",
  "GET /npm/-/pi",
  "GET /npm/-/ping HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
  "POST /npm/-/npm/v1/security/advisories/bulk HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\n{",
];

interface Crowd extends Disposable {
  readonly open: readonly Deno.Conn[];
}

/** As many as are let in: what is refused or cut is left out. */
async function crowd({ url }: SpawnedServer, count: number): Promise<Crowd> {
  const port = Number(new URL(url).port);
  const connections = await Promise.all(Array.from({ length: count }, async (_, index) => {
    try {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(new TextEncoder().encode(HALVES[index % HALVES.length]));
      return connection;
    } catch {
      return null;
    }
  }));
  const open = connections.filter((connection) => connection !== null);
  return {
    open,
    [Symbol.dispose]: () => open.forEach((connection) => connection.close()),
  };
}

async function answers({ url }: SpawnedServer): Promise<boolean> {
  try {
    const response = await fetch(`${url}/npm/-/ping`, { signal: AbortSignal.timeout(10_000) });
    return response.ok && await response.text() === "{}";
  } catch {
    return false;
  }
}

/** Looks every 50 ms, for half a minute and more. */
async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 700; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`It never happened: ${what}`);
}

async function withServer(test: (server: SpawnedServer) => Promise<void>): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "sluice-half-open-" });
  try {
    await using server = await spawnServer({ data, env: { SLUICE_DRAIN_TIMEOUT: "2s" } });
    await test(server);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

Deno.test("half-open connections: four hundred of them, and everybody else is answered; a stop waits no longer than it may", () =>
  withServer(async (server) => {
    using held = await crowd(server, 400);
    assert.equal(held.open.length, 400);
    const healthy = await Promise.all(Array.from({ length: 50 }, () => answers(server)));
    assert.ok(healthy.every(Boolean));
    assert.equal(await server.end("SIGTERM"), 0, server.output());
  }));

Deno.test({
  name: "half-open connections: of every descriptor there is; once they are gone everybody is answered again",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withServer(async (server) => {
      const args = ["--pid", String(server.pid), "--nofile=200:200"];
      const { success } = await new Deno.Command("prlimit", { args }).output();
      assert.ok(success, "prlimit is part of util-linux");
      {
        using held = await crowd(server, 400);
        assert.ok(held.open.length > 100);
        await until(
          "the server says that it takes no more",
          () => server.output().includes("No connection can be taken"),
        );
        // It says so at the first that it could not take: one that was given back may still go round.
        await until("nobody else is answered", async () => !await answers(server));
      }
      await until("it answers again", () => answers(server));
      assert.equal(await server.end("SIGTERM"), 0, server.output());
    }),
});
