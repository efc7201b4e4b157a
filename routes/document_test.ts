import assert from "node:assert/strict";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import type { EpochMs } from "../policy/types.ts";
import type { Trace } from "../ecosystems/outcome.ts";
import { PLAIN_TRACE, run, sampleEntity } from "./testing.ts";

const DECIDED = { decisionId: "d1", whyLink: "http://sluice.test/-/why/pkg:npm/foo?decision=d1" } as const;

Deno.test("document: the kept answer says each time what holds now, and its body stays whole", async () => {
  const entity = sampleEntity(`{"a":"${"x".repeat(5_000)}"}`, {
    headers: { vary: "accept", "npm-notice": "hear" },
  });
  // The app's own clock stands at eight.
  const at = (time: string) => Date.parse(`2026-11-21T${time}Z`) as EpochMs;
  const copy = { checkedAt: at("07:50:00"), freshMs: 3_600_000 };
  const trace = { ...PLAIN_TRACE, cache: "hit", copy } as const;
  const traces: readonly Trace[] = [
    { ...trace, maxAgeSeconds: 60 },
    { ...trace, maxAgeSeconds: 60 },
    { ...trace, maxAgeSeconds: 59, ...DECIDED },
    {
      ...trace,
      maxAgeSeconds: 0,
      cache: "stale",
      copy: { checkedAt: at("06:59:00"), freshMs: 3_600_000 },
      staleSince: at("06:59:00"),
      forwarded: { why: "stale", status: 503, stored: false },
      detail: "stale-if-error",
    },
    { ...trace, maxAgeSeconds: 58.7 },
  ];
  let next = 0;
  await using running = run({ serve: () => ({ kind: "document", entity, trace: traces[next++]! }) });
  const seen = [];
  for (const _ of traces) {
    const { headers, text } = await running.ask("/sample/x");
    assert.equal(text, new TextDecoder().decode(entity.identity));
    assert.equal(headers.get("content-type"), "application/json");
    assert.equal(headers.get("npm-notice"), "hear");
    assert.equal(headers.get("vary"), "accept");
    assert.equal(headers.get("etag"), '"tag"');
    const names = ["cache-control", "x-sluice-decision", "cache-status", "age", "warning"];
    seen.push(names.map((name) => headers.get(name)));
  }
  const kept = (seconds: number) => `private, max-age=${seconds}, must-revalidate, no-transform`;
  assert.deepEqual(seen, [
    [kept(60), null, "sluice; hit; ttl=3000", "600", null],
    [kept(60), null, "sluice; hit; ttl=3000", "600", null],
    [kept(59), "d1", "sluice; hit; ttl=3000", "600", null],
    [
      "private, no-cache, no-transform",
      null,
      "sluice; fwd=stale; fwd-status=503; ttl=-60; detail=stale-if-error",
      "3660",
      '110 sluice "Response is Stale"',
    ],
    [kept(58), null, "sluice; hit; ttl=3000", "600", null],
  ]);
});

Deno.test("document: gzip where it is welcome, each coding with its own tag, either tag is 304", async () => {
  const text = "x".repeat(4_000);
  const entity = sampleEntity(text, { gzip: gzipSync(text) });
  await using running = run({ serve: () => ({ kind: "document", entity, trace: PLAIN_TRACE }) });
  const table: readonly (readonly [string | null, boolean])[] = [
    ["gzip", true],
    ["gzip, deflate, br", true],
    ["br;q=1.0, gzip;q=0.8, *;q=0.1", true],
    ["*", true],
    ["x-gzip", true],
    ["gzip;q=0", false],
    ["gzip;q=0.2, identity;q=0.9", false],
    ["*;q=0", false],
    ["identity", false],
    ["br", false],
    ["", false],
    ["gzip;q=nonsense", false],
    [null, false],
  ];
  for (const [accepted, isGzip] of table) {
    const headers: Record<string, string> = accepted === null ? {} : { "accept-encoding": accepted };
    const answer = await running.ask("/sample/x", { headers });
    assert.equal(answer.headers.get("content-encoding"), isGzip ? "gzip" : null, String(accepted));
    assert.equal(answer.headers.get("etag"), isGzip ? '"tag-gzip"' : '"tag"');
    assert.equal(answer.headers.get("vary"), "accept-encoding");
    assert.equal(isGzip ? gunzipSync(answer.body).toString() : answer.text, text);
    const head = await running.ask("/sample/x", { method: "HEAD", headers });
    assert.equal(head.headers.get("content-length"), String(isGzip ? entity.gzip?.byteLength : text.length));
  }
  for (const tag of ['"tag"', '"tag-gzip"', 'W/"tag-gzip"', '"a", W/"tag"', "*"]) {
    const answer = await running.ask("/sample/x", {
      headers: { "if-none-match": tag, "accept-encoding": "gzip" },
    });
    assert.equal(answer.status, 304, tag);
    assert.equal(answer.headers.get("etag"), '"tag-gzip"');
    assert.equal(answer.headers.get("vary"), "accept-encoding");
  }
  assert.equal((await running.ask("/sample/x", { headers: { "if-none-match": '"ta"' } })).status, 200);
});

Deno.test("document: brotli once it is there, where it is as welcome as gzip; who would have taken it is counted", async () => {
  const text = "x".repeat(4_000);
  let packed: Uint8Array | null = null;
  let missed = 0;
  const brotli = { bytes: () => packed, missed: () => void missed++ };
  const entity = sampleEntity(text, { gzip: gzipSync(text), brotli });
  await using running = run({ serve: () => ({ kind: "document", entity, trace: PLAIN_TRACE }) });
  const table: readonly (readonly [string, "br" | "gzip" | null])[] = [
    ["gzip, deflate, br, zstd", "br"],
    ["br", "br"],
    ["*", "br"],
    ["gzip, br;q=0.9", "gzip"],
    ["gzip", "gzip"],
    ["br;q=0, gzip", "gzip"],
    ["br;q=0.2, identity;q=0.9", null],
    ["identity", null],
  ];
  const codings = async () => {
    const seen: (string | null)[] = [];
    for (const [accepted] of table) {
      const answer = await running.ask("/sample/x", { headers: { "accept-encoding": accepted } });
      const coding = answer.headers.get("content-encoding");
      assert.equal(answer.headers.get("etag"), coding === null ? '"tag"' : `"tag-${coding}"`);
      assert.equal(coding === "br" ? brotliDecompressSync(answer.body).toString() : text, text);
      seen.push(coding);
    }
    return seen;
  };
  assert.deepEqual(await codings(), ["gzip", null, "gzip", "gzip", "gzip", "gzip", null, null]);
  assert.equal(missed, 3);
  packed = brotliCompressSync(text);
  assert.deepEqual(await codings(), table.map(([, coding]) => coding));
  assert.equal(missed, 3);
  for (const [tag, status] of [['"tag-br"', 304], ['"tag-gzip"', 304], ['"tag-zstd"', 200]] as const) {
    const headers = { "if-none-match": tag, "accept-encoding": "gzip, br" };
    const answer = await running.ask("/sample/x", { headers });
    assert.deepEqual([answer.status, answer.headers.get("etag")], [status, '"tag-br"'], tag);
  }
});
