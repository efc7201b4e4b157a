/** SIGKILL at the worst moment: whoever holds a whole file is in the log. SLUICE_KILLS=50 for the long run. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { query } from "../../cli/query.ts";
import { testIo } from "../../cli/testing.ts";
import { createTarball, startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo } from "../fakes/sluice.ts";
import { spawnServer } from "./server.ts";

const KILLS = Number(Deno.env.get("SLUICE_KILLS") ?? "5");
const CLIENTS = 12;
const HOT = "hot";

/** Of the sizes that take different ways: from memory, from a fill's last piece, from a fill in many pieces. */
const LINES = [10, 20_000, 200_000];

function releaseOf(kill: number) {
  const lines = LINES[kill % LINES.length]!;
  const text = Array.from({ length: lines }, (_, line) => `${line * 7919 % 104_729}\n`).join("");
  return { publishedAt: daysAgo(100), files: { "text.txt": text } };
}

interface Download {
  readonly user: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

async function exported(data: string) {
  const io = testIo({ cwd: data });
  const code = await query(["export", "--json", "--data", data], io);
  const { out, err } = io.take();
  assert.equal(code, 0, err);
  return JSON.parse(out) as { user: string; package: string; outcome: string }[];
}

Deno.test(`kill: ${KILLS} times, every client that held a whole file is in the log, once; the next start goes on`, async () => {
  await using registry = await startNpmRegistry();
  const data = await Deno.makeTempDir({ prefix: "sluice-kill-" });
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url };
  const held = new Map<string, string>();
  registry.publish({ name: HOT, releases: { "1.0.0": releaseOf(0) } });
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const cold = `cold-${kill}`;
      registry.publish({ name: cold, releases: { "1.0.0": releaseOf(kill) } });
      await using server = await spawnServer({ data, env });
      // Warm in memory, so that it is answered from there.
      await (await fetch(`${server.url}/npm/${HOT}/-/${HOT}-1.0.0.tgz`)).bytes();

      const first = Promise.withResolvers<void>();
      const downloads = Array.from({ length: CLIENTS }, async (_, client): Promise<Download | null> => {
        const name = client % 3 === 0 ? HOT : cold;
        const user = `k${kill}-${client}`;
        const bytes = await download(`${server.url}/npm/${name}/-/${name}-1.0.0.tgz`, user);
        if (bytes === null) return null;
        // Not one turn of the loop later, in a third of all kills; then, in the middle of others.
        if (kill % 3 === 0 || client > kill % CLIENTS) server.signal("SIGKILL");
        first.resolve();
        return { user, name, bytes };
      });
      await first.promise;
      const whole = (await Promise.all(downloads)).filter((each) => each !== null);
      await server.end("SIGKILL");
      assert.ok(whole.length > 0);
      for (const { user, name, bytes } of whole) {
        const release = name === HOT ? releaseOf(0) : releaseOf(kill);
        assert.ok(Buffer.from(bytes).equals(createTarball(name, "1.0.0", release)), `${user} got ${name}`);
        held.set(user, name);
      }
      const records = await exported(data);
      for (const [user, name] of held) {
        const mine = records.filter((record) => record.user === user);
        assert.deepEqual(mine.map((record) => [record.package, record.outcome]), [[name, "served"]], user);
      }
    }

    await using server = await spawnServer({ data, env });
    for (let kill = 0; kill < KILLS; kill++) {
      const bytes = await download(`${server.url}/npm/cold-${kill}/-/cold-${kill}-1.0.0.tgz`, "after");
      assert.ok(Buffer.from(bytes!).equals(createTarball(`cold-${kill}`, "1.0.0", releaseOf(kill))));
    }
    assert.equal((await (await fetch(`${server.url}/-/health`)).json()).checks.kv, "ok");
    assert.equal(await server.end("SIGTERM"), 0);
    const records = await exported(data);
    assert.equal(records.filter(({ user }) => user === "after").length, KILLS);
    assert.equal(records.filter(({ user }) => held.has(user)).length, held.size, "folded, and nothing twice");
    console.log(`      ${KILLS} kills, ${held.size} whole files, ${held.size} records`);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});

/** null: it broke off before the file was whole. */
async function download(url: string, user: string): Promise<Uint8Array | null> {
  try {
    const response = await fetch(url, { headers: { authorization: `Basic ${btoa(`${user}:`)}` } });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    return await response.bytes();
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
