import assert from "node:assert/strict";
import type { EpochMs, Waiver } from "../../policy/types.ts";
import type { WaiverRequest } from "../waivers.ts";
import { testClock, testOrganisations, withMemoryKv } from "./test_support.ts";
import { createWaiverRequests, lapseOf } from "./waiver_requests.ts";
import { createWaiverUses } from "./waiver_uses.ts";

const DAY_MS = 86_400_000;

async function withRequests(
  test: (world: {
    readonly kv: Deno.Kv;
    readonly clock: ReturnType<typeof testClock>;
    readonly organisations: ReturnType<typeof testOrganisations>;
    readonly requests: ReturnType<typeof createWaiverRequests>;
    readonly request: (id: string, words?: Partial<WaiverRequest>) => WaiverRequest;
    readonly waiver: (id: string, days?: number) => Waiver;
  }) => Promise<void>,
): Promise<void> {
  await withMemoryKv(async (kv) => {
    // KV's own expiry goes by the real clock.
    const clock = testClock(Date.now());
    const organisations = testOrganisations(kv, clock);
    for (const id of ["acme", "beta"]) await organisations.create(id, { author: "ann" });
    await test({
      kv,
      clock,
      organisations,
      requests: createWaiverRequests(kv, { clock, organisations }),
      request: (id, words = {}) => ({
        id,
        ecosystem: "npm",
        name: "left-pad",
        version: "1.3.1",
        range: null,
        reason: "the build is broken",
        ticket: "OPS-1",
        until: null,
        asker: { user: "ada", isVerified: true, address: "192.0.2.1" },
        askedAt: clock(),
        lapsesAt: lapseOf(clock()),
        decisionId: null,
        answer: null,
        ...words,
      }),
      waiver: (id, days = 1) => ({
        id,
        ecosystem: "npm",
        name: "left-pad",
        version: "1.3.1",
        reason: "the build is broken",
        owner: "bob",
        createdAt: clock(),
        until: clock() + days * DAY_MS as EpochMs,
        kind: "granted",
      }),
    });
  });
}

const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

Deno.test("waiver requests: in pages, the newest first; answered once, and then no longer open", () =>
  withRequests(async ({ clock, organisations, requests, request, waiver }) => {
    for (const id of ["r1", "r2", "r3"]) assert.equal(await requests.add("acme", request(id)), "added");
    await requests.add("acme", request("r4", { name: "other" }));
    const first = await requests.open("acme", { limit: 3 });
    assert.deepEqual([ids(first.rows), first.next], [["r4", "r3", "r2"], "r2"]);
    const second = await requests.open("acme", { limit: 3, after: first.next! });
    assert.deepEqual([ids(second.rows), second.next], [["r1"], null]);
    assert.deepEqual((await requests.open("beta", { limit: 3 })).rows, []);
    assert.equal(await requests.get("beta", "r1"), null, "another organisation's");

    const said = { granted: true, by: "bob", at: clock(), word: "until the release" };
    const granted = waiver("w1");
    const answer = { ...said, waiver: { id: "w1", until: granted.until } };
    const answered = await requests.answer("acme", "r2", { answer, waiver: granted });
    assert.deepEqual(answered?.answer, answer);
    assert.deepEqual(ids(await organisations.waivers("acme")), ["w1"]);
    const refusal = { answer: { ...said, granted: false, waiver: null }, waiver: null };
    assert.equal(await requests.answer("acme", "r2", refusal), null, "already answered");
    assert.equal(await requests.answer("acme", "r2", { answer, waiver: waiver("w2") }), null);
    assert.deepEqual(ids(await organisations.waivers("acme")), ["w1"], "nothing came of the second answer");
    assert.notEqual(await requests.answer("acme", "r3", refusal), null);
    assert.deepEqual(ids((await requests.open("acme", { limit: 9 })).rows), ["r4", "r1"]);
    assert.deepEqual(ids((await requests.answered("acme", { limit: 9 })).rows), ["r3", "r2"]);
    const of = { ecosystem: "npm", name: "left-pad", limit: 9 };
    assert.deepEqual(
      (await requests.ofPackage("acme", of)).map(({ id, answer }) => [id, answer?.granted ?? null]),
      [["r3", false], ["r2", true], ["r1", null]],
    );
  }));

Deno.test("waiver requests: two answers at once, and one of them holds", () =>
  withRequests(async ({ clock, organisations, requests, request, waiver }) => {
    await requests.add("acme", request("r1"));
    const said = { by: "bob", at: clock(), word: null };
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        requests.answer(
          "acme",
          "r1",
          n % 2 === 0 ? { answer: { ...said, granted: false, waiver: null }, waiver: null } : {
            answer: { ...said, granted: true, waiver: { id: `w${n}`, until: waiver("w").until } },
            waiver: waiver(`w${n}`),
          },
        )),
    );
    const held = answers.filter((answer) => answer !== null);
    assert.equal(held.length, 1);
    const kept = held[0]!.answer!;
    assert.deepEqual((await requests.get("acme", "r1"))?.answer, kept);
    assert.deepEqual(ids(await organisations.waivers("acme")), kept.granted ? [kept.waiver!.id] : []);
  }));

Deno.test("waiver requests: unanswered for thirty days they are closed; strangers leave room for members", () =>
  withRequests(async ({ clock, requests, request }) => {
    const stranger = { user: "eve", isVerified: false, address: "192.0.2.66" };
    const results = [];
    for (let n = 0; n < 202; n++) {
      results.push(
        await requests.add("acme", request(`s${String(n).padStart(3, "0")}`, { asker: stranger })),
      );
    }
    assert.deepEqual(results.slice(198), ["added", "added", "full", "full"]);
    assert.equal(await requests.add("acme", request("t1")), "added");
    clock.advance(30 * DAY_MS);
    assert.deepEqual((await requests.open("acme", { limit: 9 })).rows, []);
    assert.equal(await requests.get("acme", "t1"), null);
    const answer = { granted: false, by: "bob", at: clock(), word: null, waiver: null };
    assert.equal(await requests.answer("acme", "t1", { answer, waiver: null }), null);
    assert.equal(await requests.add("acme", request("u1", { asker: stranger })), "added");
  }));

Deno.test("waiver requests: what people write is cut and well-formed; a deleted organisation leaves nothing", () =>
  withRequests(async ({ kv, organisations, requests, request, waiver }) => {
    await requests.add(
      "acme",
      request("r1", { reason: `${"x".repeat(999)}\ud83d\ude00`, ticket: "y".repeat(900) }),
    );
    const found = await requests.get("acme", "r1");
    assert.ok(found!.reason.isWellFormed() && found!.reason.length <= 1_001);
    assert.equal(found!.ticket!.length, 200);
    await organisations.addWaiver("acme", waiver("w1"));
    const uses = createWaiverUses(kv, { clock: () => 1 as EpochMs });
    uses.used("acme", "w1");
    await uses.fold();
    await organisations.delete("acme");
    const left = (await Array.fromAsync(kv.list({ prefix: [] }))).map(({ key }) => key);
    assert.deepEqual(left.filter((key) => key.includes("acme")), []);
  }));

Deno.test("past waivers: those that ended and those that were revoked, by whom; not those in force", () =>
  withRequests(async ({ clock, organisations, waiver }) => {
    for (const [id, days] of [["w1", 1], ["w2", 5], ["w3", 9]] as const) {
      await organisations.addWaiver("acme", waiver(id, days));
    }
    assert.equal(await organisations.revokeWaiver("acme", "w2", "cleo"), true);
    clock.advance(2 * DAY_MS);
    const past = await organisations.pastWaivers("acme", { limit: 9 });
    assert.deepEqual(past.rows.map(({ waiver, revokedBy }) => [waiver.id, revokedBy]), [["w2", "cleo"], [
      "w1",
      null,
    ]]);
    const first = await organisations.pastWaivers("acme", { limit: 1 });
    assert.deepEqual(ids(first.rows.map(({ waiver }) => waiver)), ["w2"]);
    const second = await organisations.pastWaivers("acme", { limit: 1, after: first.next! });
    assert.deepEqual([ids(second.rows.map(({ waiver }) => waiver)), second.next], [["w1"], null]);
    // What had ended by itself was not revoked, although its record may still be there.
    await organisations.revokeWaiver("acme", "w1", "cleo");
    assert.equal((await organisations.pastWaivers("acme", { limit: 9 })).rows[1]?.revokedBy, null);
    clock.advance(179 * DAY_MS);
    assert.deepEqual(
      ids((await organisations.pastWaivers("acme", { limit: 9 })).rows.map(({ waiver }) => waiver)),
      ["w3"],
    );
  }));

Deno.test("waiver uses: added up over processes, seen before they are written down, and lost by no failure", () =>
  withRequests(async ({ kv, clock }) => {
    const [a, b] = [createWaiverUses(kv, { clock }), createWaiverUses(kv, { clock })];
    for (let n = 0; n < 3; n++) a.used("acme", "w1");
    b.used("acme", "w1");
    assert.deepEqual(await a.read("acme", ["w1", "w2"]), [
      { count: 3, lastAt: clock() },
      { count: 0, lastAt: null },
    ]);
    await Promise.all([a.fold(), b.fold()]);
    clock.advance(1_000);
    b.used("acme", "w1");
    assert.deepEqual(await b.read("acme", ["w1"]), [{ count: 5, lastAt: clock() }]);
    const broken = createWaiverUses(
      new Proxy(kv, {
        get: (target, name) =>
          name === "atomic"
            ? () => {
              throw new TypeError("gone");
            }
            : (Reflect.get(target, name, target) as () => unknown).bind(target),
      }),
      { clock },
    );
    broken.used("acme", "w1");
    await assert.rejects(broken.fold());
    assert.equal((await broken.read("acme", ["w1"]))[0]?.count, 5, "four that were written, and its own");
  }));
