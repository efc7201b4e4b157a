import assert from "node:assert/strict";
import { realTimers } from "../../storage/timers.ts";
import type { AsOf, Entity, RegistryRequest } from "../outcome.ts";
import { createInstants, placeOf } from "./instants.ts";
import type { MemoEntry } from "./memo.ts";
import { finished, withPlaceholder } from "./placeholder.ts";
import type { Services } from "./services.ts";

function services(): Services {
  const instants = createInstants({ memoBytes: 1_000_000, factsBytes: 1_000_000, clock: () => 0 as never });
  return { instants, timers: realTimers } as unknown as Services;
}

const AT: AsOf = { instant: 5 as never, text: "2026-03-01", isNamed: false };

function entryOf(text: string, headers: Readonly<Record<string, string>> = {}): MemoEntry {
  const entity: Entity = {
    status: 200,
    contentType: "application/json",
    headers,
    etag: '"x"',
    identity: new TextEncoder().encode(text),
    gzip: null,
    brotli: null,
  };
  return { entity, decisionId: null, whyLink: null } as unknown as MemoEntry;
}

Deno.test("withPlaceholder: only the instant is replaced, in both addresses; nothing where none is named", () => {
  const own = services();
  const request = {
    at: AT,
    site: "http://s/o/2026-03-01/at/2026-03-01",
    mount: "http://s/o/2026-03-01/at/2026-03-01/npm",
  } as RegistryRequest;
  const { site, mount } = withPlaceholder(own, request);
  assert.equal(site, `http://s/o/2026-03-01/at/${own.instants.placeholder}`);
  assert.equal(mount, `${site}/npm`);
  const { at: _, ...plain } = request;
  assert.equal(withPlaceholder(own, plain), plain);
});

Deno.test("finished: every place is filled in, over pieces of 256 kB; what has none is served as it is", async () => {
  const own = services();
  const { placeholder } = own.instants;
  const long = "é".repeat(200_000);
  const entry = entryOf(`${placeholder}${long}${placeholder}${long}/${placeholder}`, {
    notice: `x ${placeholder}`,
  });
  const { entity } = await finished(own, entry, AT);
  assert.equal(new TextDecoder().decode(entity.identity), `2026-03-01${long}2026-03-01${long}/2026-03-01`);
  assert.equal(entity.headers.notice, "x 2026-03-01");
  assert.notEqual(entity.etag, entry.entity.etag);
  assert.equal((await finished(own, entry, AT)).entity, entity, "the last one is kept");
  const other = await finished(own, entry, { ...AT, text: "spring" });
  assert.match(new TextDecoder().decode(other.entity.identity), /^springé/);
  const plain = entryOf("nothing of ours");
  assert.equal((await finished(own, plain, AT)).entity.identity, plain.entity.identity);
  assert.equal((await finished(own, entry, undefined)).entity, entry.entity);
});

Deno.test("placeOf: days, hours and odd instants are spread over the same few places", () => {
  const places = new Set(Array.from({ length: 1_000 }, (_, day) => placeOf(day * 86_400_000)));
  assert.equal(places.size, 7);
  for (let i = 0; i < 100; i++) assert.ok(places.has(placeOf(Math.floor(Math.random() * 2e12))));
});
