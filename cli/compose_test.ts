import assert from "node:assert/strict";
import type { EpochMs } from "../policy/types.ts";
import { SAMPLE } from "../routes/testing.ts";
import { realTimers } from "../storage/timers.ts";
import { compose, type ComposeDeps, type Running } from "./compose.ts";
import { org } from "./org.ts";
import { testIo } from "./testing.ts";
import { type Config, formatMistakes, loadConfig } from "./config.ts";

/** What was logged, as `level message`. */
function quietDeps(lines: string[] = []): ComposeDeps {
  return {
    ecosystems: [SAMPLE],
    clock: () => Date.now() as EpochMs,
    timers: realTimers,
    log: (level, message) => void lines.push(`${level} ${message}`),
  };
}

function configIn(folder: string, ...args: readonly string[]): Config {
  const loaded = loadConfig({
    args: ["--data", folder, "--listen", "127.0.0.1:0", ...args],
    env: {},
    readTextFile: () => "",
    ecosystems: [{ id: SAMPLE.id, upstreams: Object.keys(SAMPLE.upstreams) }],
  });
  assert(loaded.ok, loaded.ok ? "" : formatMistakes(loaded.errors));
  return loaded.config;
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-compose-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function textOf(running: Running, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${running.baseUrl}${path}`);
  return { status: response.status, text: await response.text() };
}

Deno.test("compose: a whole Sluice on a free port, readable on disk, and gone after close", () =>
  withFolder(async (folder) => {
    const lines: string[] = [];
    const running = await compose(configIn(`${folder}/data`), quietDeps(lines));
    try {
      assert.equal(running.baseUrl, `http://127.0.0.1:${running.address.port}`);
      const health = await textOf(running, "/-/health");
      assert.equal(health.status, 200);
      const report = JSON.parse(health.text);
      assert.deepEqual(report.checks, { kv: "ok", artifacts: "ok" }, health.text);
      assert.match((await textOf(running, "/")).text, /sample config set registry http:\/\/127\.0\.0\.1:/);
      assert.equal((await textOf(running, "/o/nobody/sample/x")).status, 404);
      await running.maintain();
    } finally {
      await running.close();
      await running.close();
    }
    assert.deepEqual(lines, []);
    const names = [...Deno.readDirSync(`${folder}/data`)].map(({ name }) => name);
    assert(names.includes("kv.sqlite3") && names.includes("artifacts"), names.join());
    await assert.rejects(fetch(running.baseUrl));
  }));

Deno.test("org set: is in force in a running server within a second, from another process's handle", () =>
  withFolder(async (folder) => {
    let offset = 0;
    const clock = () => Date.now() + offset as EpochMs;
    const running = await compose(configIn(`${folder}/data`), { ...quietDeps(), clock });
    try {
      assert.equal((await textOf(running, "/sample/x")).status, 200);
      const io = testIo({ cwd: folder, stdin: "callers: named" });
      assert.equal(await org(["set", "-", "--data", `${folder}/data`], io), 0, io.take().err);
      offset = 1_000;
      assert.equal((await textOf(running, "/sample/x")).status, 401);
    } finally {
      await running.close();
    }
  }));

Deno.test("compose: what cannot be had is one sentence, and leaves nothing open", () =>
  withFolder(async (folder) => {
    const first = await compose(configIn(`${folder}/a`), quietDeps());
    const { port } = first.address;
    await assert.rejects(
      compose(configIn(`${folder}/b`, "--listen", `127.0.0.1:${port}`), quietDeps()),
      { name: "StartError", message: new RegExp(`^Cannot listen on 127.0.0.1:${port}: the port is taken`) },
    );
    await first.close();
    const config = configIn(`${folder}/c`);
    const url = "http://registry.example/";
    const twice = { ecosystem: "sample", key: "registry", url, match: ["a"], allowedHosts: [] };
    const upstreams = [0, 1].map(() => ({ ...twice, credentials: null, organisations: null }));
    await assert.rejects(compose({ ...config, upstreams }, quietDeps()), {
      name: "StartError",
      message: /^Cannot use upstreams: two have the id/,
    });
    Deno.writeTextFileSync(`${folder}/file`, "");
    await assert.rejects(compose(configIn(`${folder}/file/data`), quietDeps()), {
      name: "StartError",
      message: /^Cannot write to the data folder ".*\/file\/data"/,
    });
    const kv = await Deno.openKv(`${folder}/a/kv.sqlite3`);
    await kv.set(["schema"], { v: 999 });
    kv.close();
    await assert.rejects(compose(configIn(`${folder}/a`), quietDeps()), {
      name: "StorageError",
      message: /version 999/,
    });
  }));
