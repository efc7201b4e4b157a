/** A place for artifacts that nothing can be written to (full, or read-only): what can be served is served, and told. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createTarball, startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const HOUR_MS = 3_600_000;
const OLD = { publishedAt: daysAgo(100) };
const LARGE = {
  ...OLD,
  files: { "text.txt": Array.from({ length: 200_000 }, (_, n) => `${n * 7919 % 65_537}\n`).join("") },
};

/** What is being written has no place any more: a file stands where its folder was. */
async function closeFolder(data: string): Promise<void> {
  await Deno.remove(`${data}/artifacts/tmp`, { recursive: true });
  await Deno.writeTextFile(`${data}/artifacts/tmp`, "");
}

async function reopenFolder(data: string): Promise<void> {
  await Deno.remove(`${data}/artifacts/tmp`);
  await Deno.mkdir(`${data}/artifacts/tmp`);
}

Deno.test("artifacts that cannot be kept are passed on, whole and recorded, told once each; known indexes stay; then all is kept", async () => {
  await using registry = await startNpmRegistry();
  registry.publish({ name: "known", releases: { "1.0.0": LARGE, "1.1.0": OLD } });
  registry.publish({ name: "unknown", releases: { "1.0.0": OLD } });
  await using sluice = await startSluice({ env: { SLUICE_UPSTREAM_NPM: registry.upstream.url } });
  const told = () => sluice.lines.filter(({ level }) => level === "warn" || level === "error");
  const url = (version: string) => `${sluice.url}/npm/known/-/known-${version}.tgz`;
  assert.equal((await ask(`${sluice.url}/npm/known`)).status, 200);
  await closeFolder(sluice.data);

  for (const [version, release] of [["1.0.0", LARGE], ["1.1.0", OLD]] as const) {
    const wanted = createTarball("known", version, release);
    for (const headers of [{}, { range: "bytes=5-9" }]) {
      const before = told().length;
      const answer = await ask(url(version), { user: "ada", headers });
      assert.equal(answer.status, 200, answer.text);
      assert.ok(Buffer.from(answer.bytes).equals(wanted), "a range of what cannot be kept is the whole file");
      const lines = told().slice(before);
      assert.deepEqual(lines.map(({ level }) => level), ["warn"], JSON.stringify(lines));
      assert.match(
        lines[0]!.message,
        /^Cannot keep "npm\/known\/known-.*: a file stands where a folder belongs: passed on/,
      );
    }
    const records = (await sluice.installs()).filter(({ file }) => file === `known-${version}.tgz`);
    assert.deepEqual(records.map(({ outcome, user, bytes }) => [outcome, user, bytes]), [
      ["served", "ada", wanted.length],
      ["served", "ada", wanted.length],
    ]);
    for (const { digest } of records) assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  }
  assert.equal(registry.downloads("known", "1.0.0"), 2);

  // An index that changed cannot be kept: the one that is known goes on, and says that it is stale.
  registry.publish({ name: "known", releases: { "1.0.0": LARGE, "1.1.0": OLD, "1.2.0": OLD } });
  sluice.advance(3 * HOUR_MS);
  const stale = await ask(`${sluice.url}/npm/known`);
  assert.deepEqual(Object.keys(stale.json().versions), ["1.0.0", "1.1.0"]);
  assert.match(told().at(-1)!.message, /^Serving npm "known" stale: Cannot keep /);
  // One of which nothing is known cannot be decided about.
  const none = await ask(`${sluice.url}/npm/unknown`);
  assert.equal(none.status, 503);
  assert.equal(none.json().error, "Sluice's own storage does not answer.");

  await reopenFolder(sluice.data);
  sluice.advance(3 * HOUR_MS);
  assert.equal((await ask(`${sluice.url}/npm/unknown`)).status, 200);
  assert.deepEqual(Object.keys((await ask(`${sluice.url}/npm/known`)).json().versions), [
    "1.0.0",
    "1.1.0",
    "1.2.0",
  ]);
  for (const _ of [1, 2]) assert.equal((await ask(url("1.0.0"))).status, 200);
  assert.equal(registry.downloads("known", "1.0.0"), 3);
});
