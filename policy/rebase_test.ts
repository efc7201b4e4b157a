import assert from "node:assert/strict";
import { rebase } from "./rebase.ts";

Deno.test("rebase: what one changed is done to what the other made", () => {
  const base = {
    minimumAge: "10d",
    yanked: "deny",
    block: ["npm/a", "npm/b"],
    ecosystems: { npm: { yanked: "warn" } },
  };
  const mine = {
    minimumAge: "14d",
    yanked: "deny",
    block: ["npm/b", "npm/c"],
    ecosystems: { npm: { yanked: "warn", deprecated: "deny" } },
  };
  const theirs = {
    minimumAge: "10d",
    yanked: "warn",
    block: ["npm/a", "npm/b", "npm/d"],
    ecosystems: { npm: {} },
  };
  assert.deepEqual(rebase({ base, mine, theirs }), {
    document: {
      minimumAge: "14d",
      yanked: "warn",
      block: ["npm/b", "npm/d", "npm/c"],
      ecosystems: { npm: { deprecated: "deny" } },
    },
    both: [],
  });
});

Deno.test("rebase: where both changed the same, mine holds and is named; the same change is no conflict", () => {
  const found = rebase({ base: { a: { b: 1 } }, mine: { a: { b: 2 }, c: 1 }, theirs: { a: { b: 3 }, c: 1 } });
  assert.deepEqual(found, { document: { a: { b: 2 }, c: 1 }, both: ["a.b"] });
  assert.deepEqual(rebase({ base: {}, mine: { constructor: 1 }, theirs: { b: 1 } }).document, {
    b: 1,
    constructor: 1,
  });
});
