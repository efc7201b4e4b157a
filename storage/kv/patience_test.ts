import assert from "node:assert/strict";
import { patiently } from "./patience.ts";
import { withTwoKvs } from "./test_support.ts";

Deno.test("withPatience lets two handles on one file count together without a loss or an error", () =>
  withTwoKvs(async (a, b) => {
    const each = 150;
    async function count(kv: Deno.Kv): Promise<void> {
      for (let done = 0; done < each;) {
        const entry = await kv.get<number>(["count"]);
        const written = await kv.atomic().check(entry).set(["count"], (entry.value ?? 0) + 1).commit();
        if (written.ok) done++;
        await kv.set(["noise", done], done);
      }
    }
    await Promise.all([count(a), count(b)]);
    assert.equal((await a.get(["count"])).value, 2 * each);
  }));

const timers = { sleep: () => Promise.resolve() };

Deno.test("patiently tries again while the file is locked, and no other failure", async () => {
  let tries = 0;
  const work = () =>
    ++tries < 4 ? Promise.reject(new TypeError("database is locked")) : Promise.resolve("done");
  assert.equal(await patiently(work, { timers }), "done");
  assert.equal(tries, 4);
  tries = 0;
  const other = () => Promise.reject(new TypeError(`disk full ${++tries}`));
  await assert.rejects(patiently(other, { timers }), /disk full 1/);
});

Deno.test("patiently gives up after five seconds of pauses", async () => {
  let slept = 0;
  const counted = { sleep: (ms: number) => Promise.resolve(void (slept += ms)) };
  const locked = () => Promise.reject(new TypeError("database is locked"));
  await assert.rejects(patiently(locked, { timers: counted, random: () => 0.5 }), /locked/);
  assert.ok(slept >= 5_000 && slept < 5_100, String(slept));
});
