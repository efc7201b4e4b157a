import assert from "node:assert/strict";
import type { BlobKey } from "../../storage/artifacts/store.ts";
import type { Following } from "../../storage/fill.ts";
import type { InstallRecord } from "../../storage/installs/log.ts";
import { recordAtEnd, recordPartial } from "./transfer.ts";

const STAT = { key: "sha256/00" as BlobKey, sizeBytes: 4 };

function following(...chunks: readonly string[]): Following {
  return {
    body: ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk))),
    done: Promise.resolve(STAT),
    keeps: true,
    verified: null,
    elsewhere: false,
  };
}

/** A log that writes down what it is told, and is done with a record when it is told so. */
function slowLog() {
  const told: string[] = [];
  const durable = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  return {
    told,
    durable,
    begun: begun.promise,
    async settle(bytes: number, _stat: unknown, complete: boolean) {
      told.push(`${complete ? "complete" : "partial"} ${bytes}`);
      begun.resolve();
      await durable.promise;
    },
    cutOff(bytes: number) {
      told.push(`cut off at ${bytes}`);
      return Promise.resolve();
    },
  };
}

Deno.test("recordAtEnd gives the last bytes out once the record is durable", async () => {
  const log = slowLog();
  const reader = recordAtEnd(following("ab", "cd"), log).getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "ab");
  let given = false;
  const last = reader.read();
  last.then(() => given = true);
  await log.begun;
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(given, false);
  log.durable.resolve();
  assert.equal(new TextDecoder().decode((await last).value), "cd");
  assert.equal((await reader.read()).done, true);
  assert.deepEqual(log.told, ["complete 4"]);
});

Deno.test("recordAtEnd writes one record for a client that goes away while it is written", async () => {
  const log = slowLog();
  const reader = recordAtEnd(following("ab", "cd"), log).getReader();
  await reader.read();
  const last = reader.read();
  await log.begun;
  const cancelled = reader.cancel();
  log.durable.resolve();
  await Promise.all([last, cancelled]);
  assert.deepEqual(log.told, ["complete 4", "cut off at 2"]);
});

Deno.test("recordAtEnd records as partial what was cancelled before", async () => {
  const log = slowLog();
  log.durable.resolve();
  const reader = recordAtEnd(following("ab", "cd", "ef"), log).getReader();
  await reader.read();
  await reader.cancel();
  assert.deepEqual(log.told, ["partial 2"]);
});

/** A log of what was cut off. */
function marks() {
  const told: number[] = [];
  const markPartial = (_record: InstallRecord, bytes: number) => {
    told.push(bytes);
    return Promise.resolve();
  };
  return { told, markPartial };
}

const RECORD = { file: "left-pad-1.0.0.tgz" } as InstallRecord;
const LARGE = new Uint8Array(600 * 1024).map((_, i) => i % 251);

for (const from of ["memory", "the store"]) {
  const open = () =>
    from === "memory" ? LARGE : ReadableStream.from([LARGE.subarray(0, 9), LARGE.subarray(9)]);

  Deno.test(`recordPartial from ${from}: the bytes are whole, and nothing is marked`, async () => {
    const log = marks();
    const sent = await new Response(recordPartial(log, RECORD, open(), LARGE.length) as BodyInit).bytes();
    assert.deepEqual(sent, LARGE);
    assert.deepEqual(log.told, []);
  });

  Deno.test(`recordPartial from ${from} marks what a client had that goes away`, async () => {
    const log = marks();
    const reader = recordPartial(log, RECORD, open(), LARGE.length).getReader();
    const { value } = await reader.read();
    await reader.cancel();
    assert.deepEqual(log.told, [value!.length]);
    assert.ok(value!.length < LARGE.length);
  });
}

Deno.test("recordPartial fails where the store gives fewer bytes than were promised", async () => {
  const short = recordPartial(marks(), RECORD, ReadableStream.from([LARGE.subarray(0, 9)]), LARGE.length);
  await assert.rejects(new Response(short as BodyInit).bytes(), /gave 9 of 614400 bytes/);
});
