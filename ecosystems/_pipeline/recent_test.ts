import assert from "node:assert/strict";
import type { BlobKey } from "../../storage/artifacts/store.ts";
import { createRecentBodies } from "./recent.ts";

Deno.test("createRecentBodies: gives back what is still there, and remembers a bounded number", () => {
  const recent = createRecentBodies();
  const bodies = Array.from({ length: 300 }, (_, i) => new Uint8Array([i]));
  const key = (i: number) => `sha256/00/${i}` as BlobKey;
  for (const [i, body] of bodies.entries()) recent.set(key(i), body);
  assert.equal(recent.get(key(299)), bodies[299]);
  assert.equal(recent.get(key(44)), bodies[44]);
  assert.equal(recent.get(key(43)), null);
  assert.equal(recent.get(key(1_000)), null);
});
