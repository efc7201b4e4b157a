import assert from "node:assert/strict";
import { artifactStoreSuite } from "../../tests/suites/artifact_store.ts";
import { StorageError } from "../errors.ts";
import { createMemoryStore } from "./memory.ts";

artifactStoreSuite("memory store", () =>
  Promise.resolve({
    store: createMemoryStore({ maxBytes: 64_000_000 }),
    reopen: null,
    leftovers: () => Promise.resolve([]),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));

Deno.test("createMemoryStore: a put beyond the bound is a StorageError, and gives its bytes back", async () => {
  const store = createMemoryStore({ maxBytes: 1000 });
  const kept = await store.put(new Uint8Array(600), { maxBytes: 1000 });
  for (let round = 0; round < 3; round++) {
    await assert.rejects(
      store.put(new Uint8Array(401).fill(round), { maxBytes: 1000, label: "x/y" }),
      (error) => {
        assert.ok(error instanceof StorageError);
        assert.match(error.message, /Cannot keep "x\/y".*full \(1000 bytes\)/);
        return true;
      },
    );
  }
  await store.put(new Uint8Array(400), { maxBytes: 1000 });
  assert.equal(await store.delete(kept.key), true);
  await store.put(new Uint8Array(599), { maxBytes: 1000 });
});

Deno.test("createMemoryStore: the same bytes twice count once", async () => {
  const store = createMemoryStore({ maxBytes: 1000 });
  await store.put(new Uint8Array(500), { maxBytes: 1000 });
  await store.put(new Uint8Array(500), { maxBytes: 1000 });
  await store.put(new Uint8Array(500).fill(1), { maxBytes: 1000 });
});
