/** Every ecosystem's `parse`: what clients send, and whatever else. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Ask, ClientRequest, Ecosystem } from "../../ecosystems/ecosystem.ts";
import { readPath } from "../../routes/path.ts";
import { HOSTILE, isTame, requestOf, ROOT, upstreamPaths } from "./pure.ts";
import type { SampleAsk } from "./sample.ts";
import { loadSamples, publishedOf } from "./samples.ts";

for (const { ecosystem, sample } of await loadSamples()) {
  const asks = sample.asks(publishedOf(sample).all);

  Deno.test(`${sample.title}: parse makes of every ask what the sample says`, () => {
    for (const ask of asks) {
      const parsed = ecosystem.parse(requestOf(ask));
      const what = `${ask.title} ${ask.path}`;
      assert.equal(parsed?.kind, ask.kind, what);
      if (parsed === null || !("subject" in parsed) || ask.package === null) continue;
      assert.equal(parsed.subject?.name, ask.package, what);
      if (ask.version !== null && "version" in parsed && parsed.version !== null) {
        assert.equal(parsed.version, ask.version, what);
      }
      if (ask.filename !== null && "filename" in parsed && parsed.filename !== null) {
        assert.equal(parsed.filename, ask.filename, what);
      }
    }
  });

  Deno.test(`${sample.title}: parse never throws, what it asks for stays below upstream's root, and no GET publishes`, () => {
    fc.assert(
      fc.property(requests(asks), (request) => {
        const parsed = [ecosystem.parse(request), ecosystem.parseAtRoot?.(request) ?? null];
        if (!isAdmitted(request)) return;
        const isRead = request.method === "GET" || request.method === "HEAD";
        for (const ask of parsed) {
          if (ask === null) continue;
          assertAskIsTame(ecosystem, ask);
          // routes/registry_access.ts goes by it.
          assert.ok(!isRead || ask.kind !== "publish", JSON.stringify(ask));
        }
      }),
      { numRuns: 2_000 },
    );
  });
}

/** By the grammar in routes/path.ts; plugins see nothing else, but must not throw whatever they see. */
function isAdmitted({ segments }: ClientRequest): boolean {
  if (!segments.every((segment) => segment.isWellFormed())) return false;
  return readPath(`/${segments.map(encodeURIComponent).join("/")}`).ok;
}

function assertAskIsTame(ecosystem: Ecosystem, ask: Ask): void {
  const what = JSON.stringify(ask);
  if ("subject" in ask && ask.subject?.kind === "package") assert.ok(isTame(ask.subject.name), what);
  if ("filename" in ask && ask.filename !== null) assert.ok(isTame(ask.filename), what);
  for (const path of upstreamPaths(ecosystem, ask)) {
    assert.match(path, /^[\x21-\x7e]*$/, what);
    assert.ok(!path.startsWith("/") && !/[\\#]/.test(path), what);
    const { href } = new URL(path, ROOT);
    assert.equal(href.slice(0, ROOT.length), ROOT, what);
    assert.equal(new URL(ROOT + path).href.slice(0, ROOT.length), ROOT, what);
  }
}

/** Words of the protocol, and anything else, in any order. */
function requests(asks: readonly SampleAsk[]): fc.Arbitrary<ClientRequest> {
  const known = [...new Set(asks.flatMap((ask) => requestOf(ask).segments))];
  const query = [...new Set(asks.flatMap((ask) => [...requestOf(ask).query.keys()]))];
  const word = fc.oneof(
    fc.constant(""),
    { weight: 4, arbitrary: fc.constantFrom(...known) },
    fc.constantFrom(
      ...HOSTILE,
      "",
      ".",
      "..",
      "../..",
      "a/../b",
      "a\\b",
      "%2e%2e",
      "a;b",
      "\u0000",
      "\r\n",
      "x".repeat(400),
    ),
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.tuple(fc.constantFrom(...known), fc.string({ unit: "grapheme", maxLength: 4 })).map((two) =>
      two.join("")
    ),
  );
  const headers = [...new Set(asks.flatMap((ask) => Object.keys(ask.headers)))];
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.constantFrom("json", "html", "*/*", "\ud800"),
  );
  return fc.record({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE"),
    segments: fc.oneof(
      fc.array(word, { maxLength: 6 }),
      fc.tuple(fc.constantFrom(...asks), fc.nat(), word).map(([ask, at, other]) => {
        const { segments } = requestOf(ask);
        return segments.with(at % segments.length, other);
      }),
      fc.tuple(fc.constantFrom(...asks), fc.nat(), fc.array(word, { maxLength: 2 })).map(
        ([ask, at, others]) => {
          const { segments } = requestOf(ask);
          return [...segments.slice(0, 1 + at % segments.length), ...others];
        },
      ),
    ),
    query: fc.dictionary(fc.constantFrom("q", "text", "format", ...query), text)
      .map((parameters) => new URLSearchParams(parameters)),
    headers: fc.dictionary(fc.constantFrom("accept", ...headers), text)
      .map((given) => new Map(Object.entries(given))),
  });
}
