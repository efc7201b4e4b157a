import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { NOW } from "../../tests/suites/install_log.ts";
import { createInstallQueries } from "./queries.ts";
import { foldInstalls } from "./fold.ts";

/** `SLUICE_KILLS=50` in .ci/run. */
const KILLS = Number(Deno.env.get("SLUICE_KILLS") ?? 5);
const CHILD = new URL("../../tests/suites/install_log_kill_child.ts", import.meta.url).pathname;

/** Lets a child append until `records` of them were acknowledged, kills it, and returns all acknowledged names. */
async function appendAndKill(path: string, instance: string, records: number): Promise<string[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-all", CHILD, path, instance],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  let killed = false;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (killed || text.split("\n").length <= records) continue;
    child.kill("SIGKILL");
    killed = true;
  }
  const { signal } = await child.status;
  assert.equal(signal, "SIGKILL");
  return text.split("\n").slice(0, -1);
}

Deno.test(`no acknowledged record is lost to SIGKILL, ${KILLS} times`, async () => {
  const path = await Deno.makeTempDir();
  using kv = await Deno.openKv(":memory:");
  const deps = { kv, journal: path, clock: () => NOW, log: () => {} };
  const queries = createInstallQueries(deps);
  const acknowledged = new Set<string>();
  for (let kill = 0; kill < KILLS; kill += 1) {
    const records = 20 + Math.floor(Math.random() * 2000);
    for (const id of await appendAndKill(path, `child${kill}`, records)) acknowledged.add(id);
    if (kill % 2 === 0) await foldInstalls(deps);
  }
  const kept = new Set<string>();
  for await (const { id } of queries.export()) {
    assert.ok(!kept.has(id), `record ${id} is there twice`);
    kept.add(id);
  }
  assert.ok(acknowledged.size >= KILLS * 20);
  assert.deepEqual(Array.from(acknowledged).filter((id) => !kept.has(id)), []);
  // Everything is folded, torn lines are skipped, and nothing is left behind once the writers are surely gone.
  const later = { ...deps, clock: () => Date.now() + 3 * 3_600_000 as EpochMs };
  await foldInstalls(later);
  assert.deepEqual(Array.from(Deno.readDirSync(path)), []);
  assert.equal((await queries.count())[0]?.installs, kept.size);
  await Deno.remove(path, { recursive: true });
});
