import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { createGrants, MAX_GRANTED_PACKAGES, MAX_GRANTED_VERSIONS } from "./grants.ts";
import { countingKv, testClock, withMemoryKv, withTwoKvs } from "./test_support.ts";

const key = { organisation: "acme", user: "ann", ecosystem: "npm", name: "left-pad" };

function until(entries: Record<string, number>): ReadonlyMap<string, EpochMs> {
  return new Map(Object.entries(entries).map(([version, at]) => [version, at as EpochMs]));
}

Deno.test("put and get: a grant is its user's alone, and ends", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const grants = createGrants(kv, { clock });
    assert.equal((await grants.get(key)).size, 0);
    assert.equal(
      await grants.put({ ...key, versions: until({ "1.0.1": clock() + 1_000, old: clock() }) }),
      true,
    );
    await grants.put({ ...key, versions: until({ "1.0.2": clock() + 5_000, "1.0.1": clock() + 500 }) });
    assert.deepEqual([...await grants.get(key)].sort(), [["1.0.1", clock() + 1_000], [
      "1.0.2",
      clock() + 5_000,
    ]]);
    for (
      const other of [{ user: "bob" }, { organisation: "x" }, { ecosystem: "pypi" }, { name: "Left-pad" }]
    ) {
      assert.equal((await grants.get({ ...key, ...other })).size, 0);
    }
    clock.advance(1_000);
    assert.deepEqual([...(await grants.get(key)).keys()], ["1.0.2"]);
    clock.advance(4_000);
    assert.equal((await grants.get(key)).size, 0);
  }));

Deno.test("get sees what another process granted within a second, and asks at most once a second", () =>
  withTwoKvs(async (a, b) => {
    const clock = testClock();
    const counted = countingKv(a);
    const mine = createGrants(counted.kv, { clock });
    await mine.get(key);
    await createGrants(b, { clock }).put({ ...key, versions: until({ "1": clock() + 9_000 }) });
    clock.advance(999);
    await mine.get(key);
    assert.equal(counted.reads, 1);
    clock.advance(1);
    assert.deepEqual([...(await mine.get(key)).keys()], ["1"]);
  }));

Deno.test("put is bounded in packages of one user and versions of one package", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const grants = createGrants(kv, { clock });
    const versions = until({ "1": clock() + 1_000 });
    for (let i = 0; i < MAX_GRANTED_PACKAGES; i++) {
      assert.equal(await grants.put({ ...key, name: `p${i}`, versions }), true);
    }
    assert.equal(await grants.put({ ...key, name: "more", versions }), false);
    assert.equal(await grants.put({ ...key, name: "p0", versions: until({ "2": clock() + 1_000 }) }), true);
    assert.equal(await grants.put({ ...key, user: "bob", versions }), true);
    clock.advance(1_000);
    const many = until(
      Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`1.${i}`, clock() + 1_000 + i])),
    );
    assert.equal(await grants.put({ ...key, name: "more", versions: many }), true);
    assert.equal((await grants.get({ ...key, name: "more" })).size, MAX_GRANTED_VERSIONS);
  }));

Deno.test("put keeps odd versions and names apart", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const grants = createGrants(kv, { clock });
    const versions = until({ constructor: clock() + 1_000, ["__proto__"]: clock() + 1_000 });
    await grants.put({ ...key, user: "\ud800", name: "x".repeat(3_000), versions });
    assert.deepEqual(await grants.get({ ...key, user: "\ud800", name: "x".repeat(3_000) }), versions);
    assert.equal((await grants.get({ ...key, user: "\ud801", name: "x".repeat(3_000) })).size, 0);
  }));
