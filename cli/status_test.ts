import assert from "node:assert/strict";
import { startSluice, type TestSluice } from "../tests/fakes/sluice.ts";
import { alerts } from "./alerts.ts";
import type { Io } from "./io.ts";
import { search } from "./search.ts";
import { stats } from "./stats.ts";
import { status } from "./status.ts";
import { testIo } from "./testing.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";
const WORLD = { env: { SLUICE_ADMIN_TOKEN: ADMIN }, now: Date.UTC(2026, 10, 21, 12) };
const COMMANDS = { status, stats, alerts, search } as const;

function places(sluice: TestSluice): readonly (readonly string[])[] {
  return [["--data", sluice.data], ["--server", sluice.url]];
}

async function run(command: (args: readonly string[], io: Io) => Promise<number>, args: readonly string[]) {
  const io = testIo({ cwd: "/", env: { SLUICE_TOKEN: ADMIN } });
  const code = await command(args, io);
  return { code, ...io.take() };
}

Deno.test("status, stats, alerts, search: on an empty Sluice each says what comes next, here and over --server", async () => {
  await using sluice = await startSluice(WORLD);
  await sluice.maintain();
  for (const place of places(sluice)) {
    const said = await run(status, place);
    assert.deepEqual([said.code, said.err], [0, ""]);
    assert.match(said.out, /^version +\d+\.\d+\.\d+\ncache +0 B of 10 GB, 0 files\n/);
    assert.match(said.out, /cache hits +nothing was asked since 2026-11-20/);
    assert.match(said.out, /install log +up to date/);
    assert.match(said.out, /alerts +none/);
    assert.match(said.out, /process +version +up +memory/);
    assert.match(said.out, /https:\/\/\S+ +ok\n/);
    const numbers = await run(stats, [...place, "--days"]);
    assert.equal(numbers.code, 0);
    assert.match(numbers.out, /npm +0 +0 +0 B/);
    assert.match(
      numbers.out,
      /Nothing was installed since 2026-10-23\. The address that deno task start prints/,
    );
    const wrong = await run(alerts, place);
    assert.deepEqual([wrong.code, wrong.out], [0, "Nothing is wrong.\n"]);
    const found = await run(search, ["left", "pad", ...place]);
    assert.match(found.out, /^Nothing that is cached matches .* deno task prefetch/);
  }
});

Deno.test("status, stats, alerts, search --json: the same from the data folder as from the server", async () => {
  await using sluice = await startSluice(WORLD);
  await sluice.maintain();
  for (const [name, command] of Object.entries(COMMANDS)) {
    const operands = name === "search" ? ["x"] : [];
    const [here, there] = await Promise.all(
      places(sluice).map(async (place) =>
        JSON.parse((await run(command, [...operands, "--json", ...place])).out)
      ),
    );
    // What the server says of itself is newer there.
    delete here.processes;
    delete there.processes;
    delete here.storage?.kvBytes;
    delete there.storage?.kvBytes;
    assert.deepEqual(here, there, name);
  }
});

Deno.test("status: without a server it says so", async () => {
  await using sluice = await startSluice(WORLD);
  await sluice.maintain();
  const alive = await run(status, ["--data", sluice.data]);
  assert.ok(!alive.out.includes("deno task start"));
  await sluice.restart();
  assert.match((await run(status, ["--data", sluice.data])).out, /No server has said .*: deno task start/);
});

Deno.test("status, stats, alerts, search: a wrong command line ends with 2 and says what is wrong", async () => {
  const rows = [
    [status, ["now"], /takes no "now"/],
    [stats, ["--popular", "many"], /"many" is not a whole number/],
    [alerts, ["fix", "x"], /ack, or nothing/],
    [alerts, ["ack"], /alert's id/],
    [search, [], /needs a word/],
    [search, ["x", "--ecosytem", "npm"], /Did you mean --ecosystem/],
  ] as const;
  for (const [command, args, words] of rows) {
    const { code, err } = await run(command, args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, words);
  }
});
