import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { createTestClock } from "../../tests/fakes/clock.ts";
import { StorageError } from "../errors.ts";
import { holds, type NewToken, TokenError } from "../tokens.ts";
import { keys } from "./keys.ts";
import { deleteTokensOf } from "./token_record.ts";
import { createTokens } from "./tokens.ts";

const JANE: NewToken = {
  user: "jane",
  organisation: "acme",
  scopes: ["read"],
  ecosystems: null,
  description: "laptop",
  kind: "header",
  expiresAt: null,
  createdBy: "ada",
};

async function world() {
  const kv = await Deno.openKv(":memory:");
  await kv.set(keys.organisation("acme"), {});
  const time = createTestClock();
  return { kv, time, tokens: createTokens(kv, time), other: createTokens(kv, time) };
}

Deno.test("create: the secret verifies, and nothing in KV holds it", async () => {
  const { kv, tokens } = await world();
  using _ = kv;
  const { info, secret } = await tokens.create(JANE);
  const verified = await tokens.verify(secret);
  assert.ok(verified.ok);
  assert.deepEqual(
    [verified.principal.user, verified.principal.organisation, holds(verified.principal, "read")],
    ["jane", "acme", true],
  );
  assert.equal(holds(verified.principal, "audit"), false);
  const random = secret.slice(-43);
  for await (const { key, value } of kv.list({ prefix: [] })) {
    assert.ok(!JSON.stringify([key, Deno.inspect(value)]).includes(random));
  }
  assert.ok(!JSON.stringify(info).includes(random));
});

Deno.test("verify: what differs in one character is unknown, whatever it looks like", async () => {
  const { kv, tokens } = await world();
  using _ = kv;
  const { secret } = await tokens.create(JANE);
  const last = secret.at(-2) === "A" ? "B" : "A";
  const wrong = [
    `${secret.slice(0, -2)}${last}${secret.at(-1)}`,
    `${secret}x`,
    secret.slice(0, -1),
    "slu_",
    "",
    "slu_a_b",
  ];
  for (const text of wrong) assert.deepEqual(await tokens.verify(text), { ok: false, why: "unknown" }, text);
});

Deno.test("revoke: in force in another process within a second; expiry to the millisecond", async () => {
  const { kv, time, tokens, other } = await world();
  using _ = kv;
  const end = time.clock() + 60_000 as EpochMs;
  const { info, secret } = await tokens.create({ ...JANE, expiresAt: end });
  assert.ok((await other.verify(secret)).ok);
  time.jump(59_999);
  assert.ok((await other.verify(secret)).ok);
  time.jump(1);
  assert.deepEqual(await other.verify(secret), { ok: false, why: "expired" });

  const second = await tokens.create(JANE);
  assert.ok((await other.verify(second.secret)).ok);
  assert.ok(await tokens.revoke(second.info.id));
  assert.deepEqual(await tokens.verify(second.secret), { ok: false, why: "unknown" });
  time.jump(1_000);
  assert.deepEqual(await other.verify(second.secret), { ok: false, why: "unknown" });
  assert.equal(await tokens.revoke(second.info.id), false);
  assert.deepEqual((await tokens.list("acme")).map(({ id }) => id), [info.id]);
});

Deno.test("verify: without KV a token is good for five seconds, then nobody's is", async () => {
  const { kv, time, tokens } = await world();
  const { secret } = await tokens.create(JANE);
  assert.ok((await tokens.verify(secret)).ok);
  kv.close();
  time.jump(4_999);
  assert.ok((await tokens.verify(secret)).ok);
  time.jump(1);
  await assert.rejects(tokens.verify(secret), StorageError);
});

Deno.test("isKnown: what was good when it was last looked up, by its whole secret; after a revocation it is not", async () => {
  const { kv, time, tokens, other } = await world();
  using _ = kv;
  const { info, secret } = await tokens.create(JANE);
  assert.equal(tokens.isKnown(secret), false);
  await tokens.verify(secret);
  time.jump(60_000);
  assert.equal(tokens.isKnown(secret), true);
  assert.equal(tokens.isKnown(`${secret.slice(0, -2)}AA`), secret.endsWith("AA"));
  await other.revoke(info.id);
  assert.deepEqual(await tokens.verify(secret), { ok: false, why: "unknown" });
  assert.equal(tokens.isKnown(secret), false);
});

Deno.test("deleteTokensOf: an organisation's tokens end with it; the instance's and others' stay", async () => {
  const { kv, time, tokens, other } = await world();
  using _ = kv;
  await kv.set(keys.organisation("beta"), {});
  const acme = await tokens.create(JANE);
  const beta = await tokens.create({ ...JANE, organisation: "beta" });
  const whole = await tokens.create({ ...JANE, organisation: null });
  await other.verify(acme.secret);
  await deleteTokensOf(kv, "acme");
  time.jump(1_000);
  assert.deepEqual(await other.verify(acme.secret), { ok: false, why: "unknown" });
  assert.ok((await other.verify(beta.secret)).ok && (await other.verify(whole.secret)).ok);
  await kv.delete(keys.organisation("acme"));
  await assert.rejects(tokens.create(JANE), /no organisation "acme"/);
});

Deno.test("list: what expired stays for thirty days, then it is no longer shown", async () => {
  const { kv, time, tokens } = await world();
  using _ = kv;
  await tokens.create({ ...JANE, expiresAt: time.clock() + 1_000 as EpochMs });
  await tokens.create(JANE);
  time.jump(1_000 + 30 * 86_400_000 - 1);
  assert.equal((await tokens.list("acme")).length, 2);
  time.jump(1);
  assert.deepEqual((await tokens.list("acme")).map(({ expiresAt }) => expiresAt), [null]);
});

Deno.test("create: what cannot be is refused with the field", async () => {
  const { kv, time, tokens } = await world();
  using _ = kv;
  const now = time.clock();
  const hour = now + 3_600_000 as EpochMs;
  const rows: readonly (readonly [Partial<NewToken>, string])[] = [
    [{ scopes: [] }, "scopes"],
    [{ expiresAt: now }, "expiresAt"],
    [{ kind: "path", expiresAt: now + 86_400_001 as EpochMs }, "expiresAt"],
    [{ kind: "path", expiresAt: hour, scopes: ["read", "audit"] }, "scopes"],
    [{ scopes: ["read", "audit"], ecosystems: ["npm"] }, "scopes"],
    [{ scopes: ["admin"], ecosystems: ["npm"] }, "scopes"],
    [{ organisation: "nobody" }, "organisation"],
  ];
  for (const [change, field] of rows) {
    await assert.rejects(
      tokens.create({ ...JANE, ...change }),
      (error) => error instanceof TokenError && error.field === field,
      JSON.stringify(change),
    );
  }
  assert.equal((await tokens.list()).length, 0);
  const path = await tokens.create({ ...JANE, kind: "path", expiresAt: hour });
  assert.equal(((await tokens.verify(path.secret)) as { kind: string }).kind, "path");
});

Deno.test("last use: written once an hour, not per request, and never for a token that is gone", async () => {
  const { kv, time, tokens, other } = await world();
  using _ = kv;
  const { info, secret } = await tokens.create(JANE);
  const first = time.clock();
  for (let i = 0; i < 50; i++) await tokens.verify(secret);
  await tokens.flushUses();
  assert.equal((await other.get(info.id))?.lastUsedAt, first);
  time.jump(1_800_000);
  await tokens.verify(secret);
  await tokens.flushUses();
  assert.equal((await other.get(info.id))?.lastUsedAt, first);
  time.jump(1_800_001);
  await tokens.verify(secret);
  await tokens.flushUses();
  assert.equal((await other.get(info.id))?.lastUsedAt, time.clock());
  await tokens.verify(secret);
  await other.revoke(info.id);
  time.jump(3_600_001);
  await tokens.flushUses();
  const left = await Array.fromAsync(kv.list({ prefix: ["token_uses"] }));
  assert.equal(left.length, 0);
});

Deno.test("the environment's token is for everything, and no other text is", async () => {
  using kv = await Deno.openKv(":memory:");
  const tokens = createTokens(kv, { ...createTestClock(), adminToken: "x".repeat(32) });
  const verified = await tokens.verify("x".repeat(32));
  assert.ok(verified.ok && verified.principal.organisation === null && holds(verified.principal, "operate"));
  assert.equal((await tokens.verify("x".repeat(31))).ok, false);
});
