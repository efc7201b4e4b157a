import assert from "node:assert/strict";
import { gunzipSync, gzipSync } from "node:zlib";
import type { OpenArtifact, Outcome, RangeSpec, Trace } from "../ecosystems/outcome.ts";
import { IntegrityError, StorageError, UpstreamError } from "../storage/errors.ts";
import type { Ecosystem } from "../ecosystems/ecosystem.ts";
import { PLAIN_TRACE, run, SAMPLE, sampleDocument, sampleEntity } from "./testing.ts";
import { utf8 } from "./text.ts";

const FILE = utf8("0123456789");

interface Opened {
  readonly outcome: Outcome;
  readonly asked: (RangeSpec | null)[];
}

/** A file of ten bytes, known or still coming in; what was opened is written down. */
function file(
  options: { known?: boolean; trace?: Partial<Trace>; bytes?: Uint8Array; stream?: boolean } = {},
): Opened {
  const { known = true, bytes = FILE } = options;
  const asked: (RangeSpec | null)[] = [];
  const outcome: Outcome = {
    kind: "artifact",
    contentType: "application/octet-stream",
    sizeBytes: known ? bytes.byteLength : null,
    etag: known ? '"file"' : null,
    filename: 'fo"o\r\n-1.0.0.tgz',
    trace: { ...PLAIN_TRACE, cache: known ? "hit" : "filled", ...options.trace },
    open(range) {
      asked.push(range);
      return Promise.resolve(openFile(bytes, range, options.stream ?? !known));
    },
  };
  return { outcome, asked };
}

function openFile(bytes: Uint8Array, spec: RangeSpec | null, stream: boolean): OpenArtifact {
  const body = (part: Uint8Array) => stream ? ReadableStream.from([part]) : part;
  const size = bytes.byteLength;
  if (spec === null) {
    return {
      body: body(bytes),
      range: null,
      sizeBytes: stream ? null : size,
      etag: stream ? null : '"file"',
    };
  }
  const first = "suffix" in spec ? Math.max(0, size - spec.suffix) : spec.first;
  const last = "suffix" in spec ? size - 1 : Math.min(spec.last ?? size - 1, size - 1);
  if (first >= size) throw new RangeError("outside");
  return {
    body: body(bytes.subarray(first, last + 1)),
    range: { first, last },
    sizeBytes: size,
    etag: '"file"',
  };
}

Deno.test("registry: HEAD is answered before anything is opened", async () => {
  for (const known of [true, false]) {
    const { outcome, asked } = file({ known });
    await using running = run({ serve: () => outcome });
    const answer = await running.ask("/sample/x", { method: "HEAD", headers: { range: "bytes=0-1" } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-length"), known ? "10" : null);
    assert.equal(answer.body.byteLength, 0);
    assert.deepEqual(asked, []);
  }
});

Deno.test("registry: a 304 opens nothing, whatever range it is asked with", async () => {
  const { outcome, asked } = file();
  await using running = run({ serve: () => outcome });
  for (const tag of ['"file"', 'W/"file"', '"other", "file"', "*"]) {
    const answer = await running.ask("/sample/x", { headers: { "if-none-match": tag, range: "bytes=0-1" } });
    assert.equal(answer.status, 304, tag);
    assert.equal(answer.body.byteLength, 0);
    assert.equal(answer.headers.get("etag"), '"file"');
    assert.match(answer.headers.get("cache-control") ?? "", /^private, no-cache/);
  }
  assert.deepEqual(asked, []);
  assert.equal((await running.ask("/sample/x", { headers: { "if-none-match": '"fil"' } })).status, 200);
  assert.deepEqual(asked, [null]);
});

const RANGES: readonly (readonly [string, string | null, number, string, string | null])[] = [
  // Range, If-Range, status, body, Content-Range
  ["bytes=0-3", null, 206, "0123", "bytes 0-3/10"],
  ["bytes=4-", null, 206, "456789", "bytes 4-9/10"],
  ["bytes=-3", null, 206, "789", "bytes 7-9/10"],
  ["bytes=-30", null, 206, "0123456789", "bytes 0-9/10"],
  ["bytes=0-99", null, 206, "0123456789", "bytes 0-9/10"],
  ["bytes=9-9", null, 206, "9", "bytes 9-9/10"],
  ["bytes=10-", null, 416, "", "bytes */10"],
  ["bytes=99-100", null, 416, "", "bytes */10"],
  ["bytes=-0", null, 416, "", "bytes */10"],
  ["bytes=0-1,4-5", null, 200, "0123456789", null],
  ["bytes=5-3", null, 200, "0123456789", null],
  ["bytes=a-b", null, 200, "0123456789", null],
  ["bytes=-", null, 200, "0123456789", null],
  ["lines=0-3", null, 200, "0123456789", null],
  ["bytes=0-3", '"file"', 206, "0123", "bytes 0-3/10"],
  ["bytes=0-3", 'W/"file"', 200, "0123456789", null],
  ["bytes=0-3", '"old"', 200, "0123456789", null],
  ["bytes=0-3", "Sat, 21 Nov 2026 08:00:00 GMT", 200, "0123456789", null],
];

Deno.test("registry: the table of ranges, from memory and from a stream", async () => {
  for (const stream of [false, true]) {
    const { outcome } = file({ stream });
    await using running = run({ serve: () => outcome });
    for (const [range, ifRange, status, body, contentRange] of RANGES) {
      const headers = ifRange === null ? { range } : { range, "if-range": ifRange };
      const answer = await running.ask("/sample/x", { headers });
      const label = `${range} if ${ifRange}`;
      assert.equal(answer.status, status, label);
      assert.equal(answer.text, body, label);
      assert.equal(answer.headers.get("content-range"), contentRange, label);
      if (status === 206) assert.equal(answer.headers.get("content-length"), String(body.length), label);
    }
  }
});

Deno.test("registry: on a miss a range is passed on, and 416 only once the file is known", async () => {
  const { outcome, asked } = file({ known: false });
  await using running = run({ serve: () => outcome });
  assert.equal((await running.ask("/sample/x", { headers: { range: "bytes=2-3" } })).text, "23");
  const answer = await running.ask("/sample/x", { headers: { range: "bytes=50-" } });
  assert.equal(answer.status, 416);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.deepEqual(asked, [{ first: 2, last: 3 }, { first: 50, last: null }]);
  const ifRange = await running.ask("/sample/x", { headers: { range: "bytes=2-3", "if-range": '"file"' } });
  assert.equal(ifRange.status, 200, "no tag is known yet, so none can match");
});

Deno.test("registry: a length is stated for a whole file only once it is verified", async () => {
  const miss = file({ known: false });
  const hit = file();
  await using running = run({
    serve: ({ request }) => request.segments[0] === "hit" ? hit.outcome : miss.outcome,
  });
  assert.equal((await running.ask("/sample/hit")).headers.get("content-length"), "10");
  const answer = await running.ask("/sample/miss");
  assert.equal(answer.headers.get("content-length"), null);
  assert.equal(answer.headers.get("etag"), null);
  assert.equal(answer.text, "0123456789");
});

Deno.test("registry: what a file holds is not shown, guessed at or framed on this origin", async () => {
  const { outcome } = file();
  await using running = run({ serve: () => outcome });
  const { headers } = await running.ask("/sample/x");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.equal(headers.get("content-security-policy"), "sandbox; default-src 'none'");
  assert.equal(headers.get("content-disposition"), 'attachment; filename="fo_o__-1.0.0.tgz"');
  assert.equal(headers.get("cache-control"), "private, no-cache, no-transform");
  assert.equal(headers.get("accept-ranges"), "bytes");
});

const DECIDED = { decisionId: "d1", whyLink: "http://sluice.test/-/why/pkg:npm/foo?decision=d1" } as const;

function everyKind(): Readonly<Record<string, Outcome>> {
  const trace: Trace = { ...PLAIN_TRACE, ...DECIDED, maxAgeSeconds: 60 };
  const failed = { kind: "failed", contentType: "application/json", body: "{}", trace } as const;
  return {
    document: sampleDocument("{}", {}, trace),
    expired: sampleDocument("{}", {}, { ...trace, maxAgeSeconds: 0 }),
    compressed: sampleDocument("{}", { gzip: gzipSync("{}") }, trace),
    large: sampleDocument("x".repeat(2 ** 20 + 1), {}, trace),
    error: sampleDocument("{}", { status: 404 }, trace),
    stale: sampleDocument("{}", {}, { ...trace, cache: "stale", staleSince: 0 as Trace["staleSince"] }),
    artifact: file({ trace }).outcome,
    miss: file({ known: false, trace }).outcome,
    elsewhere: { kind: "elsewhere", location: "http://registry.example/x.tgz", trace },
    refused: {
      kind: "refused",
      trace,
      refusal: {
        kind: "body",
        status: 403,
        contentType: "text/plain",
        body: "no",
        headers: { "x-more": "1" },
      },
    },
    redirected: {
      kind: "refused",
      trace,
      refusal: { kind: "redirect", status: 302, location: "http://sluice.test/-/why/x", headers: {} },
    },
    notFound: { ...failed, status: 404 },
    notAllowed: { ...failed, status: 405 },
  };
}

Deno.test("registry: every kind of answer is private or no-store, not to be guessed at, and says what was decided", async () => {
  const kinds = everyKind();
  await using running = run({ serve: ({ request }) => kinds[request.segments[0]!]! });
  const variants: readonly (readonly [string, Record<string, string>])[] = [
    ["GET", {}],
    ["HEAD", {}],
    ["GET", { range: "bytes=0-1" }],
    ["GET", { range: "bytes=99-" }],
    ["GET", { "if-none-match": "*" }],
    ["GET", { "accept-encoding": "gzip" }],
    ["POST", {}],
  ];
  for (const kind of Object.keys(kinds)) {
    for (const [method, headers] of variants) {
      const answer = await running.ask(`/sample/${kind}`, { method, headers });
      const label = `${kind} ${method} ${JSON.stringify(headers)} ${answer.status}`;
      assert.match(answer.headers.get("cache-control") ?? "", /^(?:private\b|no-store$)/, label);
      assert.equal(answer.headers.get("x-sluice-decision"), "d1", label);
      assert.equal(answer.headers.get("link"), `<${DECIDED.whyLink}>; rel="describedby"`, label);
      if (![304, 416].includes(answer.status)) {
        assert.equal(answer.headers.get("x-content-type-options"), "nosniff", label);
      }
      if (answer.status >= 300 && answer.status !== 304) {
        assert.equal(answer.headers.get("cache-control"), "no-store", label);
      }
    }
  }
});

Deno.test("registry: what the pipeline throws is no-store, in the client's form, with the table's status", async () => {
  const detail = { kind: "connection", origin: "http://registry.example" } as const;
  const errors: Readonly<Record<string, readonly [unknown, number]>> = {
    upstream: [new UpstreamError("x", detail), 502],
    integrity: [new IntegrityError("x"), 502],
    storage: [new StorageError("x"), 503],
    syntax: [new SyntaxError("x"), 502],
    bug: [new TypeError("secret-of-ours"), 500],
    string: ["thrown", 500],
  };
  await using running = run({
    serve: ({ request }) => {
      throw errors[request.segments[0]!]![0];
    },
  });
  for (const [name, [, status]] of Object.entries(errors)) {
    const answer = await running.ask(`/sample/${name}`);
    assert.equal(answer.status, status, name);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal(typeof JSON.parse(answer.text).error, "string");
    assert.doesNotMatch(answer.text, /secret-of-ours/);
  }
  const id = /\(([0-9a-f]{8})\)/.exec((await running.ask("/sample/bug")).text)?.[1];
  const logged = running.lines.filter(({ level, fields }) =>
    level === "error" && JSON.stringify(fields).includes(id!)
  );
  assert.equal(logged.length, 1, "logged once, with the id that the client was told");
  assert.match(JSON.stringify(logged[0]?.fields), /app\.ts|registry_test\.ts/);
});

Deno.test("registry: a plugin that cannot word an error ends in a plain 500, and the first error is logged", async () => {
  const ecosystem: Ecosystem = {
    ...SAMPLE,
    fail: () => {
      throw new RangeError("second");
    },
  };
  await using running = run({
    ecosystems: [ecosystem],
    serve: () => {
      throw new TypeError("first");
    },
  });
  const answer = await running.ask("/sample/x");
  assert.equal(answer.status, 500);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.match(String(running.lines[0]?.fields && JSON.stringify(running.lines[0].fields)), /first/);
});

Deno.test("registry: what open() rejects with after the decision is answered by the same table", async () => {
  const outcome: Outcome = {
    ...file().outcome as Extract<Outcome, { kind: "artifact" }>,
    open: () => Promise.reject(new StorageError("x")),
  };
  await using running = run({ serve: () => outcome });
  const answer = await running.ask("/sample/x");
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("retry-after"), "5");
});

Deno.test("document: the kept answer says each time what holds now, and its body stays whole", async () => {
  const entity = sampleEntity(`{"a":"${"x".repeat(5_000)}"}`, {
    headers: { vary: "accept", "npm-notice": "hear" },
  });
  const trace = { ...PLAIN_TRACE, cache: "hit" } as const;
  const traces: readonly Trace[] = [
    { ...trace, maxAgeSeconds: 60 },
    { ...trace, maxAgeSeconds: 60 },
    { ...trace, maxAgeSeconds: 59, ...DECIDED },
    {
      ...trace,
      maxAgeSeconds: 0,
      cache: "stale",
      staleSince: Date.parse("2026-11-21T07:59:00Z") as Trace["staleSince"],
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
    [kept(60), null, "sluice; hit", null, null],
    [kept(60), null, "sluice; hit", null, null],
    [kept(59), "d1", "sluice; hit", null, null],
    [
      "private, no-cache, no-transform",
      null,
      "sluice; hit; detail=stale",
      "60",
      '110 sluice "Response is Stale"',
    ],
    [kept(58), null, "sluice; hit", null, null],
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

Deno.test("bytes: bodies above 1 MB arrive whole, with their length", async () => {
  const bytes = new Uint8Array(2 ** 20 * 3 + 17).map((_, index) => index % 251);
  const documents = sampleDocument("", { identity: bytes });
  const { outcome } = file({ bytes });
  await using running = run({ serve: ({ request }) => request.segments[0] === "file" ? outcome : documents });
  for (const target of ["/sample/file", "/sample/index"]) {
    const answer = await running.ask(target);
    assert.equal(answer.headers.get("content-length"), String(bytes.byteLength));
    assert.equal(answer.headers.get("transfer-encoding"), null);
    assert.ok(
      answer.body.every((byte, index) => byte === bytes[index]) &&
        answer.body.byteLength === bytes.byteLength,
    );
  }
  const range = await running.ask("/sample/file", { headers: { range: "bytes=100-2000000" } });
  assert.equal(range.headers.get("content-length"), "1999901");
  assert.deepEqual(range.body, bytes.subarray(100, 2_000_001));
});

Deno.test("registry: a client that goes away cancels the body, once", async () => {
  const cancelled = Promise.withResolvers<unknown>();
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    cancel: (reason) => cancelled.resolve(reason),
  }, { highWaterMark: 0 });
  const outcome: Outcome = {
    ...file({ known: false }).outcome as Extract<Outcome, { kind: "artifact" }>,
    open: () => Promise.resolve({ body: endless, range: null, sizeBytes: null, etag: null }),
  };
  await using running = run({ serve: () => outcome });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: running.port });
  await connection.write(utf8(`GET /sample/x HTTP/1.1\r\nHost: ${running.host}\r\n\r\n`));
  await connection.read(new Uint8Array(1_024));
  connection.close();
  await cancelled.promise;
});
