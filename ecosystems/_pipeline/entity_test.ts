import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import type { Timers } from "../../storage/runtime.ts";
import { createEntity } from "./entity.ts";

const timers: Timers = { sleep: () => new Promise((resolve) => setTimeout(resolve, 0)) };

function rendered(text: string, contentType = "application/json") {
  const bytes = new TextEncoder().encode(text);
  const body = [bytes.subarray(0, 10), bytes.subarray(10)];
  return { status: 200, contentType, headers: {}, body, withheld: () => 0 };
}

Deno.test("createEntity: joins the pieces, and compresses once what is worth it", async () => {
  const text = JSON.stringify(Array.from({ length: 200_000 }, (_, i) => i % 977));
  const entity = await createEntity(rendered(text), timers);
  assert.equal(new TextDecoder().decode(entity.identity), text);
  assert.equal(gunzipSync(entity.gzip!).toString(), text);
  assert.match(entity.etag, /^"[\w-]{27}"$/);
});

Deno.test("createEntity: equal bytes have equal tags however they were cut, other bytes another", async () => {
  const a = await createEntity(rendered(`{"a":"${"x".repeat(50)}"}`), timers);
  const b = await createEntity({ ...rendered(""), body: [a.identity] }, timers);
  const c = await createEntity(rendered(`{"a":"${"y".repeat(50)}"}`), timers);
  assert.equal(a.etag, b.etag);
  assert.notEqual(a.etag, c.etag);
});

Deno.test("createEntity: small and binary bodies are left as they are", async () => {
  assert.equal((await createEntity(rendered("{}          "), timers)).gzip, null);
  assert.equal(
    (await createEntity(rendered("x".repeat(5_000), "application/octet-stream"), timers)).gzip,
    null,
  );
});
