import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { ABSOLUTE_MS, type Identity, IDLE_MS, MAX_SESSIONS } from "../sessions.ts";
import { seal, unseal } from "./session_secret.ts";
import { createSessions } from "./sessions.ts";

const ADA: Identity = { provider: "github", subject: "1", user: "ada", traits: ["github:ada"] };
const EVE: Identity = { provider: "oidc", subject: "1", user: "eve", traits: ["oidc:sub=1"] };

async function world() {
  const kv = await Deno.openKv(":memory:");
  const time = { now: Date.UTC(2026, 0, 1) };
  const sessions = createSessions(kv, { clock: () => time.now as EpochMs });
  return { kv, time, sessions, [Symbol.dispose]: () => kv.close() };
}

Deno.test("sessions: found by the whole secret alone; KV holds neither the secret nor the grant", async () => {
  using w = await world();
  const { secret, session } = await w.sessions.begin(ADA, "the grant");
  assert.deepEqual(await w.sessions.find(secret), { session, grant: "the grant" });
  const [id = "", rest = ""] = secret.split(".");
  for (const other of [`${id}.${"A".repeat(43)}`, id, "", `${id}.${rest}x`, secret.toUpperCase()]) {
    assert.equal(await w.sessions.find(other), null, other);
  }
  for await (const { key, value } of w.kv.list({ prefix: [] })) {
    const text = Deno.inspect([key, value], { iterableLimit: Infinity, strAbbreviateSize: Infinity });
    assert.ok(!text.includes(rest) && !text.includes("the grant"));
  }
});

Deno.test("seal: opened by the same secret, not by another, nor once it was altered", () => {
  const sealed = seal("a", "the grant");
  assert.equal(unseal("a", sealed), "the grant");
  assert.equal(unseal("b", sealed), null);
  for (let i = 0; i < sealed.length; i++) {
    const altered = sealed.map((byte, at) => at === i ? byte ^ 1 : byte);
    assert.equal(unseal("a", altered), null, `byte ${i}`);
  }
  assert.equal(unseal("a", sealed.subarray(0, 20)), null);
});

Deno.test("sessions: end when idle, end in any case, and are kept by use up to then", async () => {
  using w = await world();
  const idle = await w.sessions.begin(ADA, null);
  w.time.now += IDLE_MS - 1;
  assert.ok(await w.sessions.find(idle.secret));
  w.time.now += 1;
  assert.equal(await w.sessions.find(idle.secret), null);
  const used = await w.sessions.begin(ADA, null);
  const began = w.time.now;
  while (w.time.now - began < ABSOLUTE_MS - IDLE_MS / 2) {
    w.time.now += IDLE_MS / 2;
    const found = await w.sessions.find(used.secret);
    if (w.time.now - began >= ABSOLUTE_MS) break;
    assert.ok(found, `${(w.time.now - began) / 3_600_000} h`);
    await w.sessions.use(found.session);
  }
  w.time.now = began + ABSOLUTE_MS;
  assert.equal(await w.sessions.find(used.secret), null);
});

Deno.test("sessions: a use that was noted just before is not written again, and brings nothing back", async () => {
  using w = await world();
  const { secret, session } = await w.sessions.begin(ADA, null);
  w.time.now += 4 * 60_000;
  await w.sessions.use(session);
  assert.equal((await w.sessions.find(secret))?.session.usedAt, session.usedAt);
  w.time.now += 60_000;
  await w.sessions.use(session);
  assert.equal((await w.sessions.find(secret))?.session.usedAt, w.time.now);
  assert.equal(await w.sessions.end(session.id), true);
  w.time.now += 10 * 60_000;
  await w.sessions.use(session);
  assert.equal(await w.sessions.find(secret), null);
  assert.equal(await w.sessions.renew(secret, ADA, null), false);
  assert.equal(await w.sessions.end(session.id), false);
});

Deno.test("sessions: one member's are bounded and ended together; another's stay", async () => {
  using w = await world();
  const eve = await w.sessions.begin(EVE, null);
  const all = [];
  for (let i = 0; i < MAX_SESSIONS + 3; i++) {
    w.time.now += 1_000;
    all.push(await w.sessions.begin(ADA, null));
  }
  const [first] = all;
  assert.equal(await w.sessions.find(first!.secret), null);
  assert.equal((await w.sessions.of(first!.session.id)).length, MAX_SESSIONS);
  const [ada, other] = await w.sessions.visitors();
  assert.deepEqual([ada?.user, other?.user], ["ada", "eve"]);
  assert.equal((await w.sessions.of(ada!.id)).length, MAX_SESSIONS);
  assert.equal(await w.sessions.endAll(ada!.id), MAX_SESSIONS);
  assert.equal(await w.sessions.find(all.at(-1)!.secret), null);
  assert.ok(await w.sessions.find(eve.secret));
  assert.equal(await w.sessions.endAll("anything"), 0);
});

Deno.test("sessions: what a provider says is bounded, so that it fits, and replaced when it is read again", async () => {
  using w = await world();
  const traits = Array.from({ length: 5_000 }, (_, i) => `github:team/acme/${"ü".repeat(50)}-${i}`);
  const { secret, session } = await w.sessions.begin(
    { ...ADA, user: "a\u0000".repeat(500), traits },
    "x".repeat(16_000),
  );
  assert.ok(session.traits.length > 100 && session.traits.length < 5_000);
  assert.ok(session.user.length <= 200 && !session.user.includes("\0"));
  w.time.now += 1_000;
  assert.equal(await w.sessions.renew(secret, ADA, "next"), true);
  const found = await w.sessions.find(secret);
  assert.deepEqual([found?.session.traits, found?.session.readAt, found?.grant], [
    ADA.traits,
    w.time.now,
    "next",
  ]);
});
