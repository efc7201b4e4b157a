import assert from "node:assert/strict";
import { openArtifactStore } from "../storage/artifacts/open.ts";
import { backupOrRestore } from "./backup.ts";
import { org } from "./org.ts";
import { testIo } from "./testing.ts";

async function withFolder(
  body: (
    run: (args: string) => Promise<{ code: number; out: string; err: string }>,
    folder: string,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-backup-" });
  async function run(args: string) {
    const io = testIo({ cwd: folder, stdin: "minimumAge: 14d" });
    const words = args.split(" ");
    const code = words[0] === "org" ? await org(words.slice(1), io) : await backupOrRestore(words, io);
    return { code, ...io.take() };
  }
  try {
    await body(run, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("backup and restore: policies and files come back, as they were", () =>
  withFolder(async (run, folder) => {
    assert.equal((await run(`org set - --data ${folder}/a`)).code, 0);
    const bytes = new TextEncoder().encode("a file");
    const { key } = await (await storeIn(`${folder}/a`)).put(bytes, { maxBytes: 100 });
    const written = await run(`backup all.gz --artifacts --data ${folder}/a`);
    assert.equal(written.code, 0, written.err);
    assert.match(written.out, /^Wrote \d+ records and 1 files to /);
    const mode = Deno.statSync(`${folder}/all.gz`).mode ?? 0;
    assert.equal(mode & 0o077, 0);
    const restored = await run(`restore all.gz --data ${folder}/b`);
    assert.equal(restored.code, 0, restored.err);
    assert.match(restored.out, /^Restored \d+ records and 1 files from the backup of 2026-11-21T12:00:00/);
    assert.match((await run(`org show --data ${folder}/b`)).out, /minimumAge: 14d/);
    assert.deepEqual(await (await storeIn(`${folder}/b`)).read(key, 100), bytes);
  }));

Deno.test("restore: a store with something in it is left alone without --replace", () =>
  withFolder(async (run, folder) => {
    assert.equal((await run(`org set - --data ${folder}/a`)).code, 0);
    assert.equal((await run(`backup k.gz --data ${folder}/a`)).code, 0);
    assert.equal((await run(`org create acme --data ${folder}/b`)).code, 0);
    const refused = await run(`restore k.gz --data ${folder}/b`);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /not empty.*policies, tokens, packages\. Nothing was changed.*--replace/);
    assert.equal((await run(`org show --org acme --data ${folder}/b`)).code, 0);
    const replaced = await run(`restore k.gz --replace --data ${folder}/b`);
    assert.equal(replaced.code, 0, replaced.err);
    assert.equal((await run(`org show --org acme --data ${folder}/b`)).code, 1);
    const copy = /What was there before: (\S+)/.exec(replaced.out)?.[1] ?? "";
    assert.equal(copy, `${folder}/k.gz.replaced-20261121T120000Z.gz`);
    assert.equal((await run(`restore ${copy} --replace --no-copy --data ${folder}/b`)).code, 0);
    assert.equal((await run(`org show --org acme --data ${folder}/b`)).code, 0);
  }));

Deno.test("restore: a file that was cut off changes nothing", () =>
  withFolder(async (run, folder) => {
    assert.equal((await run(`backup k.gz --data ${folder}/a`)).code, 0);
    const whole = await Deno.readFile(`${folder}/k.gz`);
    await Deno.writeFile(`${folder}/cut.gz`, whole.subarray(0, whole.length - 20));
    const cut = await run(`restore cut.gz --data ${folder}/b`);
    assert.equal(cut.code, 1, cut.err);
    assert.equal((await run(`restore k.gz --data ${folder}/b`)).code, 0);
  }));

Deno.test("backup: a file that is there is not replaced unasked, and a wrong command line ends with 2", () =>
  withFolder(async (run, folder) => {
    assert.equal((await run(`backup k.gz --data ${folder}/a`)).code, 0);
    assert.equal((await run(`backup k.gz --data ${folder}/a`)).code, 2);
    assert.equal((await run(`backup k.gz --force --data ${folder}/a`)).code, 0);
    assert.equal((await run(`backup no/such/folder/k.gz --data ${folder}/a`)).code, 2);
    assert.equal((await run("backup")).code, 2);
    assert.equal((await run("backup a b")).code, 2);
    assert.equal((await run("restore gone.gz")).code, 2);
    assert.match((await run("backup x --artifact")).err, /Unknown option '--artifact'/);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).toSorted(), ["a", "k.gz"]);
  }));

function storeIn(data: string) {
  return openArtifactStore(`file:${data}/artifacts`, {
    clock: testIo({ cwd: data }).clock,
    instance: "test",
    log: () => {},
  });
}
