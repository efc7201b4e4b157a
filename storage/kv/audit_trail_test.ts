import assert from "node:assert/strict";
import { MAX_DOCUMENT_BYTES } from "./revisions.ts";
import { createAuditTrail } from "./audit_trail.ts";
import { testClock } from "./test_support.ts";

const ENTRY = { user: "ada", principal: "p", from: "", action: "putPolicy", subject: "revision 2" } as const;

async function world() {
  const kv = await Deno.openKv(":memory:");
  return { kv, trail: createAuditTrail(kv, { clock: testClock() }), [Symbol.dispose]: () => kv.close() };
}

for (
  const [what, changes] of Object.entries({
    "one line that no KV value holds": [`+ x: ${"y".repeat(200_000)}`],
    "many": Array.from({ length: 3_000 }, (_, n) => `+ block: "npm/package-${n}"`),
    "of a document of the greatest size, that does not compress": randomLines(MAX_DOCUMENT_BYTES),
  })
) {
  Deno.test(`audit trail: ${what}: every change is kept whole, a list has the first and counts the others`, async () => {
    using w = await world();
    await w.trail.append({ ...ENTRY, organisation: "acme", changes });
    const [listed] = await w.trail.list({ organisation: "acme", limit: 10 });
    assert.ok(listed!.changesLeftOut > 0);
    assert.equal(listed!.changes.length + listed!.changesLeftOut, changes.length);
    assert.deepEqual(listed!.changes, changes.slice(0, listed!.changes.length));
    for (const whose of [{ organisation: "acme" }, {}]) {
      const whole = await w.trail.get(listed!.id, whose);
      assert.deepEqual([whole?.changes.length, whole?.changesLeftOut], [changes.length, 0]);
      assert.deepEqual(whole?.changes, changes);
    }
    assert.equal(await w.trail.get(listed!.id, { organisation: "beta" }), null);
    // The parts are no entries.
    assert.equal((await w.trail.list({ limit: 10 })).length, 1);
  });
}

Deno.test("audit trail: a few changes are in the entry itself; an entry of before they were counted has none left out", async () => {
  using w = await world();
  await w.trail.append({ ...ENTRY, organisation: null, changes: ["+ a: 1"] });
  const [{ key, value }] = await Array.fromAsync(
    w.kv.list<{ entry: { id: string; changesLeftOut?: number } }>({ prefix: ["audit_trail", "of"] }),
  ) as [Deno.KvEntry<{ entry: { id: string; changesLeftOut?: number } }>];
  const { changesLeftOut: _none, ...older } = value.entry;
  await w.kv.set(key, { ...value, entry: older });
  const [entry] = await w.trail.list({ organisation: null, limit: 1 });
  assert.deepEqual([entry?.changes, entry?.changesLeftOut], [["+ a: 1"], 0]);
  assert.deepEqual(await w.trail.get(entry!.id, { organisation: null }), entry);
  assert.equal((await Array.fromAsync(w.kv.list({ prefix: ["audit_trail", "whole"] }))).length, 0);
});

function randomLines(bytes: number): readonly string[] {
  const line = () => crypto.getRandomValues(new Uint8Array(3_000)).toBase64();
  return Array.from({ length: Math.ceil(bytes / 4_000) }, line);
}
