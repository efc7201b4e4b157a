import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import type { Caller } from "../ecosystem.ts";
import { createCallerNames } from "./caller_names.ts";

function caller(user: string | null, address = "192.0.2.1", organisation = "default"): Caller {
  return { organisation, user, address, client: { name: "npm", version: "11", command: null } };
}

Deno.test("createCallerNames: an address may bring so many new names an hour; known ones and nobody are never in the way", () => {
  let now = 0;
  const names = createCallerNames({ clock: () => now as EpochMs, limit: 2 });
  assert.deepEqual(["a", "b", "a", "c"].map((user) => names.admits(caller(user))), [true, true, true, false]);
  assert.ok(names.admits(caller(null)));
  assert.ok(names.admits({ ...caller("c"), isVerified: true }), "a token's user is counted elsewhere");
  assert.ok(names.admits(caller("c", "192.0.2.2")), "another address has its own");
  assert.ok(names.admits(caller("c", "192.0.2.1", "acme")), "and another organisation");
  now += 60 * 60_000;
  assert.ok(names.admits(caller("c")));
});
