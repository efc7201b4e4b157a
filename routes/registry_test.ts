import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { Ecosystem } from "../ecosystems/ecosystem.ts";
import type { Outcome, Trace } from "../ecosystems/outcome.ts";
import { IntegrityError, StorageError, UpstreamError } from "../storage/errors.ts";
import { PLAIN_TRACE, run, SAMPLE, sampleDocument } from "./testing.ts";
import { sampleFile } from "./test_support.ts";

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
    artifact: sampleFile({ trace }).outcome,
    miss: sampleFile({ known: false, trace }).outcome,
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
  let id: string | undefined;
  for (const [name, [, status]] of Object.entries(errors)) {
    const answer = await running.ask(`/sample/${name}`);
    if (name === "bug") id = /\(([0-9a-f]{8})\)/.exec(answer.text)?.[1];
    assert.equal(answer.status, status, name);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal(typeof JSON.parse(answer.text).error, "string");
    assert.doesNotMatch(answer.text, /secret-of-ours/);
  }
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
    ...sampleFile().outcome,
    open: () => Promise.reject(new StorageError("x")),
  };
  await using running = run({ serve: () => outcome });
  const answer = await running.ask("/sample/x");
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("retry-after"), "5");
});
