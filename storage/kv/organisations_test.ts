import assert from "node:assert/strict";
import { parseFloor, parsePolicy } from "../../policy/config.ts";
import type { EpochMs, Waiver } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import { createDeliveries } from "./deliveries.ts";
import { keys } from "./keys.ts";
import { isOrganisationId, OrganisationError, type OrganisationErrorCode } from "./organisation_error.ts";
import { createOrganisations } from "./organisations.ts";
import { MAX_DOCUMENT_BYTES, MAX_REVISIONS } from "./revisions.ts";
import { testClock, testOrganisations, withMemoryKv, withTwoKvs } from "./test_support.ts";

function failsWith(code: OrganisationErrorCode, words: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof OrganisationError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, words);
    return true;
  };
}

function waiver(id: string, until: number): Waiver {
  return {
    id,
    ecosystem: "npm",
    name: "left-pad",
    version: "1.0.0",
    reason: "audit fix",
    owner: "ann",
    createdAt: 0 as EpochMs,
    until: until as EpochMs,
    kind: "audit-fix",
  };
}

Deno.test("isOrganisationId takes DNS labels and nothing else", () => {
  for (const id of ["a", "acme", "a-b", "0", "x".repeat(63)]) assert.ok(isOrganisationId(id), id);
  for (const id of ["", "-a", "a-", "A", "a.b", "a_b", "ä", "x".repeat(64), "a\n", "\ud800", "../a"]) {
    assert.ok(!isOrganisationId(id), id);
  }
});

Deno.test("create refuses a name that is no DNS label, quoting it", () =>
  withMemoryKv(async (kv) => {
    const organisations = testOrganisations(kv);
    await assert.rejects(
      organisations.create("Acme Inc", { author: "ann" }),
      failsWith("invalid-id", /"Acme Inc" .* a-z, 0-9 and -/),
    );
    assert.deepEqual(await organisations.list(), []);
  }));

Deno.test("ensureDefault creates default once, also from two processes", () =>
  withTwoKvs(async (a, b) => {
    await Promise.all([testOrganisations(a).ensureDefault(), testOrganisations(b).ensureDefault()]);
    await testOrganisations(a).ensureDefault();
    const all = await testOrganisations(b).list();
    assert.deepEqual(all.map(({ id, revision }) => [id, revision]), [["default", 1]]);
  }));

Deno.test("set keeps the source as written, and get reads it with the schema", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const organisations = testOrganisations(kv, clock);
    await organisations.create("acme", { author: "ann" });
    const source = { minimumAge: "3d", block: ["npm/left-pad: ALL"] };
    clock.advance(1_000);
    await organisations.set({ id: "acme", source, author: "bob", message: "shorter" });
    const stored = await organisations.get("acme");
    assert.deepEqual(stored?.source, source);
    assert.equal(stored?.revision, 2);
    assert.equal(stored?.author, "bob");
    assert.equal(stored?.message, "shorter");
    assert.equal(stored?.at, clock());
    assert.ok(stored.parsed.ok);
    assert.equal(stored.parsed.document.minimumAge, 3 * 86_400_000);
    assert.equal(await organisations.get("nobody"), null);
    assert.equal(await organisations.get("No Body"), null);
  }));

Deno.test("set refuses a policy with all its mistakes, and changes nothing", () =>
  withMemoryKv(async (kv) => {
    const organisations = testOrganisations(kv);
    await organisations.create("acme", { author: "ann" });
    const stamp = (await kv.get(keys.stamp())).versionstamp;
    const source = { minimumAge: "soon", colour: "red" };
    await assert.rejects(organisations.set({ id: "acme", source, author: "ann" }), (error) => {
      failsWith("invalid-policy", /there are 2 mistakes/)(error);
      assert.deepEqual((error as OrganisationError).errors.map(({ path }) => path).sort(), [
        "colour",
        "minimumAge",
      ]);
      return true;
    });
    assert.equal((await organisations.get("acme"))?.revision, 1);
    assert.equal((await kv.get(keys.stamp())).versionstamp, stamp);
  }));

Deno.test("set of two writers: one gets a conflict that names both revisions", () =>
  withTwoKvs(async (a, b) => {
    const [mine, theirs] = [testOrganisations(a), testOrganisations(b)];
    await mine.create("acme", { author: "ann" });
    const change = { id: "acme", expectedRevision: 1 };
    await mine.set({ ...change, source: { minimumAge: "1d" }, author: "ann" });
    await assert.rejects(
      theirs.set({ ...change, source: { minimumAge: "2d" }, author: "bob" }),
      failsWith("conflict", /upon revision 1, and revision 2 is there/),
    );
    assert.deepEqual((await theirs.get("acme"))?.source, { minimumAge: "1d" });
  }));

Deno.test("set of many writers at once: each that succeeded is a revision, none is lost", () =>
  withTwoKvs(async (a, b) => {
    const both = [testOrganisations(a), testOrganisations(b)];
    await both[0]!.create("acme", { author: "ann" });
    const results = await Promise.allSettled(
      Array.from(
        { length: 12 },
        (_, i) =>
          both[i % 2]!.set({ id: "acme", source: { minimumAge: `${i + 1}d` }, author: `writer ${i}` }),
      ),
    );
    const done = results.filter(({ status }) => status === "fulfilled").length;
    for (const result of results) {
      if (result.status === "rejected") failsWith("conflict", /revision/)(result.reason);
    }
    const history = await both[1]!.history("acme");
    assert.equal(history.length, done + 1);
    assert.deepEqual(
      history.map(({ revision }) => revision),
      Array.from({ length: done + 1 }, (_, i) => done + 1 - i),
    );
  }));

Deno.test("history, revision and restore: an old revision becomes a new one", () =>
  withMemoryKv(async (kv) => {
    const organisations = testOrganisations(kv);
    await organisations.create("acme", { author: "ann", source: { minimumAge: "1d" } });
    await organisations.set({ id: "acme", source: { minimumAge: "2d" }, author: "bob" });
    const restored = await organisations.restore("acme", 1, "eve");
    assert.equal(restored.revision, 3);
    assert.deepEqual((await organisations.get("acme"))?.source, { minimumAge: "1d" });
    const history = await organisations.history("acme");
    assert.deepEqual(history.map(({ revision, author, message }) => [revision, author, message]), [
      [3, "eve", "restores revision 1"],
      [2, "bob", ""],
      [1, "ann", "created"],
    ]);
    assert.deepEqual((await organisations.revision("acme", 2))?.source, { minimumAge: "2d" });
    await assert.rejects(organisations.restore("acme", 9, "eve"), failsWith("unknown", /no revision 9/));
  }));

Deno.test("set keeps 200 revisions, and no parts of older ones", () =>
  withMemoryKv(async (kv) => {
    const organisations = testOrganisations(kv);
    await organisations.create("acme", { author: "ann" });
    for (let i = 0; i < MAX_REVISIONS + 5; i++) {
      await organisations.set({ id: "acme", source: {}, author: "ann" });
    }
    assert.equal((await organisations.history("acme")).length, MAX_REVISIONS);
    const parts = await Array.fromAsync(kv.list({ prefix: ["parts"] }));
    assert.equal(parts.length, MAX_REVISIONS);
    assert.equal(await organisations.revision("acme", 1), null);
  }));

function large(entries: number, length: number): unknown {
  // Reasons that do not compress much.
  const reason = (i: number) =>
    Array.from({ length }, (_, j) => ((i * 7_919 + j * 104_729) * 2_654_435_761 % 36 | 0).toString(36)).join(
      "",
    );
  return { block: Array.from({ length: entries }, (_, i) => ({ purl: `pkg:npm/p${i}`, reason: reason(i) })) };
}

Deno.test("set keeps a policy of several values' size, whole", () =>
  withMemoryKv(async (kv) => {
    const organisations = testOrganisations(kv);
    await organisations.create("acme", { author: "ann" });
    const source = large(5_000, 300);
    await organisations.set({ id: "acme", source, author: "ann" });
    assert.deepEqual((await organisations.get("acme"))?.source, source);
  }));

Deno.test("set refuses a policy above the limit, and tells both sizes", () =>
  withMemoryKv(async (kv) => {
    const anything = () =>
      ({ ok: true, document: {}, source: {} }) as unknown as ReturnType<typeof parsePolicy>;
    const organisations = createOrganisations(kv, { clock: testClock(), parsePolicy: anything, parseFloor });
    await organisations.create("acme", { author: "ann" });
    const source = { text: "x".repeat(MAX_DOCUMENT_BYTES) };
    await assert.rejects(
      organisations.set({ id: "acme", source, author: "ann" }),
      failsWith("too-large", /4000011 bytes as JSON, and 4000000 are the limit/),
    );
  }));

Deno.test("every change bumps the stamp, also several within one moment of the clock", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const organisations = testOrganisations(kv, clock);
    const stamps = new Set<string | null>();
    async function bumped(change: Promise<unknown>) {
      await change;
      const { versionstamp } = await kv.get(keys.stamp());
      assert.ok(!stamps.has(versionstamp));
      stamps.add(versionstamp);
    }
    await bumped(organisations.create("acme", { author: "ann" }));
    await bumped(organisations.set({ id: "acme", source: {}, author: "ann" }));
    await bumped(organisations.addWaiver("acme", waiver("w", clock() + 1_000)));
    await bumped(organisations.revokeWaiver("acme", "w"));
    await bumped(organisations.setFloor({ source: { deny: [] }, author: "ann" }));
    await bumped(organisations.restore("acme", 1, "ann"));
    await bumped(organisations.delete("acme"));
  }));

Deno.test("delete refuses default, and leaves nothing of the others for a namesake", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const organisations = testOrganisations(kv, clock);
    await organisations.ensureDefault();
    await assert.rejects(organisations.delete("default"), failsWith("refused", /default/));
    await organisations.create("acme", { author: "ann", source: { minimumAge: "1d" } });
    await organisations.addWaiver("acme", waiver("w", clock() + 1_000));
    const before = await organisations.snapshot("acme", null);
    const deliveries = createDeliveries(kv);
    const sent = {
      at: clock(),
      event: "refused",
      about: "npm private-name 1.0.0",
      status: 200,
      failure: null,
    };
    await deliveries.note("acme", "webhook-1", sent);
    await organisations.delete("acme");
    assert.equal(await organisations.get("acme"), null);
    assert.equal(await organisations.snapshot("acme", before), null);
    await assert.rejects(organisations.history("acme"), failsWith("unknown", /"acme"/));
    await organisations.create("acme", { author: "bob" });
    assert.deepEqual(await organisations.waivers("acme"), []);
    assert.deepEqual(await deliveries.list("acme", "webhook-1"), []);
    assert.deepEqual((await organisations.history("acme")).map(({ author }) => author), ["bob"]);
    assert.notDeepEqual((await organisations.snapshot("acme", null))?.decisionKey, before?.decisionKey);
  }));

Deno.test("a namesake never meets waivers that a deletion broken off left behind", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const organisations = testOrganisations(kv, clock);
    await organisations.create("acme", { author: "ann" });
    await organisations.addWaiver("acme", waiver("w", clock() + 1_000));
    await kv.delete(keys.organisation("acme"));
    await organisations.create("acme", { author: "bob" });
    assert.deepEqual(await organisations.waivers("acme"), []);
    assert.equal(await organisations.revokeWaiver("acme", "w"), false);
  }));

Deno.test("waivers: added, replaced by id, revoked, gone with their end", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const organisations = testOrganisations(kv, clock);
    await organisations.create("acme", { author: "ann" });
    await organisations.addWaiver("acme", waiver("a", clock() + 1_000));
    await organisations.addWaiver("acme", waiver("a", clock() + 2_000));
    await organisations.addWaiver("acme", waiver("b", clock() + 500));
    assert.deepEqual((await organisations.waivers("acme")).map(({ id, until }) => [id, until - clock()]), [
      ["a", 2_000],
      ["b", 500],
    ]);
    clock.advance(500);
    assert.deepEqual((await organisations.waivers("acme")).map(({ id }) => id), ["a"]);
    assert.equal((await Array.fromAsync(kv.list({ prefix: ["waivers"] }))).length, 1);
    assert.equal(await organisations.revokeWaiver("acme", "a"), true);
    assert.equal(await organisations.revokeWaiver("acme", "a"), false);
    assert.deepEqual(await organisations.waivers("acme"), []);
    await assert.rejects(
      organisations.addWaiver("acme", waiver("c", clock())),
      failsWith("refused", /has passed/),
    );
    await assert.rejects(
      organisations.addWaiver("nobody", waiver("c", clock() + 1)),
      failsWith("unknown", /nobody/),
    );
  }));

Deno.test("addWaiver refuses above 10,000 with the limit, and makes room of what has ended", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const organisations = testOrganisations(kv, clock);
    await organisations.create("acme", { author: "ann" });
    await organisations.addWaiver("acme", waiver("short", clock() + 1_000));
    const life = (await kv.get<{ life: string }>(keys.organisation("acme"))).value!.life;
    // The other 9,999, as if they had been added.
    for (let from = 1; from < 10_000; from += 900) {
      const atomic = kv.atomic();
      for (let i = from; i < Math.min(10_000, from + 900); i++) {
        atomic.set(keys.waiver("acme", life, `w${i}`), { v: 1, waiver: waiver(`w${i}`, clock() + 9_000) });
      }
      await atomic.commit();
    }
    await kv.set(keys.waiverCount("acme", life), { v: 1, count: 10_000 });
    const one = waiver("one", clock() + 9_000);
    await assert.rejects(organisations.addWaiver("acme", one), failsWith("too-many", /10000 are the limit/));
    clock.advance(1_000);
    await organisations.addWaiver("acme", one);
    assert.equal((await organisations.waivers("acme")).length, 10_000);
  }));

Deno.test("waivers added at once by two processes are all there", () =>
  withTwoKvs(async (a, b) => {
    const clock = testClock();
    const both = [testOrganisations(a, clock), testOrganisations(b, clock)];
    await both[0]!.create("acme", { author: "ann" });
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => both[i % 2]!.addWaiver("acme", waiver(`w${i}`, clock() + 1_000))),
    );
    assert.equal((await both[0]!.waivers("acme")).length, 10);
  }));

Deno.test("floor is empty until it is set, and has a history of its own", () =>
  withMemoryKv(async (kv) => {
    const organisations = testOrganisations(kv);
    const none = await organisations.floor();
    assert.equal(none.revision, 0);
    assert.ok(none.parsed.ok);
    assert.deepEqual(none.parsed.document.deny, []);
    const source = { deny: ["npm/left-pad: ALL"] };
    await organisations.setFloor({ source, author: "ann", expectedRevision: 0 });
    await organisations.setFloor({ source: {}, author: "bob", expectedRevision: 1 });
    await assert.rejects(
      organisations.setFloor({ source, author: "eve", expectedRevision: 1 }),
      failsWith("conflict", /revision 1, and revision 2/),
    );
    await organisations.restoreFloor(1, "eve");
    assert.deepEqual((await organisations.floor()).source, source);
    assert.deepEqual((await organisations.floorHistory()).map(({ author }) => author), ["eve", "bob", "ann"]);
  }));

Deno.test("snapshot is the same object while nothing changes, and another when anything does", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const organisations = testOrganisations(kv, clock);
    await organisations.create("acme", { author: "ann" });
    await organisations.create("other", { author: "ann" });
    let view = await organisations.snapshot("acme", null);
    assert.equal(view?.revision, 1);
    async function changes(change: Promise<unknown>) {
      await change;
      const after = await organisations.snapshot("acme", view);
      assert.notEqual(after, view);
      assert.notEqual(after?.stamp, view?.stamp);
      view = after;
    }
    await organisations.set({ id: "other", source: {}, author: "ann" });
    assert.equal(await organisations.snapshot("acme", view), view);
    await changes(organisations.set({ id: "acme", source: {}, author: "ann" }));
    await changes(organisations.addWaiver("acme", waiver("w", clock() + 1_000)));
    await changes(organisations.setFloor({ source: { deny: [] }, author: "ann" }));
    assert.equal(view?.waivers.length, 1);
  }));

Deno.test("snapshot with hundreds of ended waivers leaves them out", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const organisations = testOrganisations(kv, clock);
    await organisations.create("acme", { author: "ann" });
    for (let i = 0; i < 100; i++) await organisations.addWaiver("acme", waiver(`w${i}`, clock() + 10));
    clock.advance(10);
    assert.deepEqual((await organisations.snapshot("acme", null))?.waivers, []);
  }));

Deno.test("a stored policy that no longer parses: snapshot fails closed, get shows it for repair", () =>
  withMemoryKv(async (kv) => {
    const organisations = testOrganisations(kv);
    await organisations.create("acme", { author: "ann", source: { minimumAge: "1d" } });
    const stricter = createOrganisations(kv, {
      clock: testClock(),
      parseFloor,
      parsePolicy: () => ({
        ok: false,
        errors: [{ path: "minimumAge", value: '"1d"', expected: "a number" }],
      }),
    });
    await assert.rejects(stricter.snapshot("acme", null), (error) => {
      assert.ok(error instanceof StorageError);
      assert.match(error.message, /policy of organisation "acme": a mistake at "minimumAge"/);
      return true;
    });
    const stored = await stricter.get("acme");
    assert.equal(stored?.parsed.ok, false);
    assert.deepEqual(stored?.source, { minimumAge: "1d" });
  }));
