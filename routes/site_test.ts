import assert from "node:assert/strict";
import type { WhyAnswer } from "../ecosystems/why.ts";
import type { EpochMs, Reason } from "../policy/types.ts";
import { createHealth } from "./health.ts";
import { SITE_PATHS } from "./site.tsx";
import { createTestClock } from "../tests/fakes/clock.ts";
import { run, SAMPLE, sampleView } from "./testing.ts";

const at = (text: string) => Date.parse(text) as EpochMs;

const HELD: Reason = {
  rule: "minimumAge",
  verdict: "hold",
  message: "published 2026-11-20, less than 10 days ago",
  horizon: at("2026-11-30T09:00:00Z"),
};

const ANSWER: WhyAnswer = {
  purl: "pkg:npm/%40acme/foo@1.3.1",
  name: "@acme/foo",
  version: "1.3.1",
  verdict: "hold",
  sentence: "@acme/foo 1.3.1 is held until 2026-11-30T09:00Z. Newest allowed: 1.3.0.",
  reasons: [
    HELD,
    {
      rule: "yanked",
      verdict: "deny",
      message: "was <script>alert(1)</script>\x1b[31m yanked",
      horizon: null,
      observed: true,
      owner: "sec",
    },
  ],
  publishedAt: at("2026-11-20T09:00:00Z"),
  firstSeenAt: null,
  until: at("2026-11-30T09:00:00Z"),
  newestAllowed: "1.3.0",
  withheld: [],
  policyRevision: 4,
  decidedAt: at("2026-11-21T08:00:00Z"),
  record: null,
};

Deno.test("GET /-/why/{purl}: text by default, the sentence first, each rule's finding, when it lifts, what is allowed", async () => {
  await using running = run({ explain: () => ANSWER });
  const answer = await running.ask("/-/why/pkg:npm/@acme/foo@1.3.1");
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.deepEqual(answer.text.split("\n"), [
    ANSWER.sentence,
    "",
    "Package         pkg:npm/%40acme/foo@1.3.1",
    "Verdict         held",
    "Lifts           2026-11-30T09:00:00Z",
    "Published       2026-11-20T09:00:00Z",
    "Newest allowed  1.3.0",
    "Decided         2026-11-21T08:00:00Z, policy revision 4",
    "",
    "What each rule found",
    "  held by minimumAge: published 2026-11-20, less than 10 days ago (until 2026-11-30T09:00:00Z)",
    "  denied by yanked: was <script>alert(1)</script> [31m yanked (observed only; owner sec)",
    "",
  ]);
});

Deno.test("GET /-/why/{purl}: JSON by Accept or ?format=json", async () => {
  await using running = run({ explain: () => ANSWER });
  const byAccept = await running.ask("/-/why/pkg:npm/@acme/foo@1.3.1", {
    headers: { accept: "application/json" },
  });
  const byFormat = await running.ask("/-/why/pkg:npm/@acme/foo@1.3.1?format=json");
  assert.equal(byAccept.text, byFormat.text);
  assert.equal(byFormat.headers.get("content-type"), "application/json");
  const json = JSON.parse(byFormat.text);
  assert.equal(json.sentence, ANSWER.sentence);
  assert.equal(json.until, "2026-11-30T09:00:00Z");
  assert.equal(json.reasons[0].horizon, "2026-11-30T09:00:00Z");
  assert.equal(json.newestAllowed, "1.3.0");
  assert.equal(json.error, undefined);
});

Deno.test("GET /-/why/{purl}/{speaking}: 403, so that a client which followed a refusal fails, with the sentence", async () => {
  await using running = run({ explain: () => ANSWER });
  const target = "/-/why/pkg:npm/%40acme/foo@1.3.1/held-by-minimumAge-until-2026-11-30";
  const text = await running.ask(target);
  assert.equal(text.status, 403);
  assert.ok(text.text.startsWith(ANSWER.sentence));
  const json = await running.ask(target, { headers: { accept: "application/json" } });
  assert.equal(json.status, 403);
  assert.equal(JSON.parse(json.text).error, ANSWER.sentence);
});

Deno.test("GET /-/why: what is asked of the explanations is exactly what the address says", async () => {
  const organisations = [sampleView("default"), sampleView("acme")];
  await using running = run({ base: "http://sluice.test:{port}", organisations, explain: () => ANSWER });
  const { port } = running;
  await running.ask("/-/why/pkg:npm/JSONStream?decision=abc-1_2");
  await running.ask("/o/acme/-/why/pkg:npm/%40acme%2Ffoo@1.0.0%2Bb?decision=../x", {
    headers: { host: `sluice.test:${port}` },
  });
  await running.ask("/-/why/pkg%3Anpm%2Ffoo%401.0.0", { headers: { host: `acme.sluice.test:${port}` } });
  assert.deepEqual(
    running.explained.map((query) => ({
      ...query,
      organisation: query.organisation.id,
      ecosystem: query.ecosystem.id,
    })),
    [
      {
        organisation: "default",
        ecosystem: "sample",
        name: "JSONStream",
        version: null,
        decisionId: "abc-1_2",
        site: `http://sluice.test:${port}`,
      },
      {
        organisation: "acme",
        ecosystem: "sample",
        name: "@acme/foo",
        version: "1.0.0+b",
        decisionId: null,
        site: `http://sluice.test:${port}/o/acme`,
      },
      {
        organisation: "acme",
        ecosystem: "sample",
        name: "foo",
        version: "1.0.0",
        decisionId: null,
        site: `http://acme.sluice.test:${port}`,
      },
    ],
  );
});

Deno.test("GET /-/why: unknown packages, types and addresses are 404 without the pipeline", async () => {
  await using running = run();
  for (
    const target of [
      "/-/why/pkg:npm/foo",
      "/-/why/pkg:pypi/foo",
      "/-/why/foo",
      "/-/why/",
      "/-/why",
      "/-/nothing",
      "/-/",
      "/-",
    ]
  ) {
    const answer = await running.ask(target);
    assert.equal(answer.status, 404, target);
    assert.equal(answer.headers.get("cache-control"), "no-store");
  }
  assert.equal(running.served.length, 0);
});

Deno.test("GET /-/why: withheld releases and the record of a decision are shown, bounded", async () => {
  const decision = {
    verdict: "hold",
    enforcedVerdict: "hold",
    reasons: [HELD],
    horizon: HELD.horizon,
  } as const;
  const withheld = Array.from(
    { length: 60 },
    (_, index) => ({ version: `2.${index}.0`, verdict: "hold", reason: HELD, until: HELD.horizon }) as const,
  );
  const record = {
    v: 1,
    id: "d-1",
    organisation: "default",
    ecosystem: "npm",
    name: "@acme/foo",
    version: null,
    filename: null,
    decision: null,
    withheld: [{ version: "2.0.0", decision }],
    withheldCount: 60,
    policyRevision: 3,
    factsDigest: "f",
    decidedAt: at("2026-11-20T08:00:00Z"),
  } as const;
  await using running = run({
    explain: () => ({ ...ANSWER, version: null, verdict: null, reasons: [], withheld, record }),
  });
  const { text } = await running.ask("/-/why/pkg:npm/@acme/foo?decision=d-1");
  assert.match(text, /\n {2}2\.49\.0 {2}held by minimumAge/);
  assert.match(text, /\n {2}and 10 more\n/);
  assert.match(
    text,
    /\nDecision d-1 of 2026-11-20T08:00:00Z, policy revision 3: the index, 60 withheld\n {2}2\.0\.0 {2}held by/,
  );
  const json = JSON.parse((await running.ask("/-/why/pkg:npm/@acme/foo?decision=d-1&format=json")).text);
  assert.equal(json.withheld.length, 60);
  assert.equal(json.decision.id, "d-1");
});

Deno.test("GET /: text for curl, HTML for a browser, JSON where asked, each with the client's line", async () => {
  const organisations = [sampleView("default"), sampleView("acme")];
  const hostile = { ...SAMPLE, title: "<b>Sample</b>" };
  await using running = run({ base: "http://sluice.test:{port}/", organisations, ecosystems: [hostile] });
  const host = `sluice.test:${running.port}`;
  const text = await running.ask("/", { headers: { host, accept: "*/*" } });
  assert.equal(text.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.match(text.text, new RegExp(`sample config set registry http://${host}/sample/\n`));
  const browser = await running.ask("/o/acme/", {
    headers: { host, accept: "text/html,application/xhtml+xml,*/*;q=0.8" },
  });
  assert.equal(browser.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(browser.text, /^<!DOCTYPE html><html lang="en">/);
  assert.match(browser.text, new RegExp(`sample config set registry http://${host}/o/acme/sample/<`));
  assert.match(browser.text, /&lt;b&gt;Sample&lt;\/b&gt;/);
  assert.doesNotMatch(browser.text, /<script|style=|<b>/);
  assert.match(browser.headers.get("content-security-policy") ?? "", /default-src 'none'; style-src 'self'/);
  const json = JSON.parse((await running.ask("/", { headers: { host, accept: "application/json" } })).text);
  assert.equal(json.ecosystems[0].address, `http://${host}/sample/`);
  assert.equal((await running.ask("/o/nobody/", { headers: { host } })).status, 404);
});

Deno.test("GET /-/style.css, /-/schema/policy.json: what they are, private or no-store", async () => {
  await using running = run({ policySchema: { title: "the policy" } });
  const style = await running.ask("/-/style.css");
  assert.equal(style.headers.get("content-type"), "text/css; charset=utf-8");
  assert.match(style.headers.get("cache-control") ?? "", /^private/);
  assert.match(style.text, /prefers-color-scheme: dark/);
  const schema = await running.ask("/-/schema/policy.json");
  assert.deepEqual(JSON.parse(schema.text), { title: "the policy" });
  assert.equal(schema.headers.get("content-type"), "application/schema+json");
});

Deno.test("site: HEAD is GET without a body, other methods are 405", async () => {
  await using running = run({ explain: () => ANSWER });
  for (
    const target of [
      "/",
      "/health",
      "/-/health",
      "/-/style.css",
      "/-/schema/policy.json",
      "/-/why/pkg:npm/foo",
    ]
  ) {
    const head = await running.ask(target, { method: "HEAD" });
    const get = await running.ask(target);
    assert.equal(head.status, 200, target);
    assert.equal(head.body.byteLength, 0);
    assert.equal(head.headers.get("content-type"), get.headers.get("content-type"));
    for (const method of ["POST", "PUT", "DELETE"]) {
      const answer = await running.ask(target, { method });
      assert.equal(answer.status, 405, `${method} ${target}`);
      assert.equal(answer.headers.get("allow"), "GET, HEAD");
    }
  }
});

Deno.test("site: every page, and every way to miss one, is private or no-store and not to be guessed at", async () => {
  await using running = run({ explain: () => ANSWER });
  const targets = SITE_PATHS.map((path) => path.replace("*", "pkg:npm/foo@1.0.0"));
  for (
    const target of [...targets, "/-/why/x", "/-/nothing", "/nothing", "/o/nobody/", "/%00", "/sample;x"]
  ) {
    for (const method of ["GET", "HEAD", "POST", "PATCH"]) {
      const { headers } = await running.ask(target, { method });
      assert.match(headers.get("cache-control") ?? "", /^(?:private\b|no-store$)/, `${method} ${target}`);
      assert.equal(headers.get("x-content-type-options"), "nosniff", `${method} ${target}`);
    }
  }
  assert.equal(running.served.length, 0);
});

Deno.test("site: problems are problem+json where JSON is asked for, else a line of text", async () => {
  await using running = run();
  const json = await running.ask("/-/nothing", { headers: { accept: "application/problem+json" } });
  assert.equal(json.headers.get("content-type"), "application/problem+json");
  assert.deepEqual([JSON.parse(json.text).status, JSON.parse(json.text).code], [404, "no-such-page"]);
  const text = await running.ask("/-/nothing");
  assert.match(text.text, /^There is no such page\.[^\n]*\n$/);
});

Deno.test("site: an exception is a 500 with an id, logged once, and says nothing of itself", async () => {
  await using running = run({
    explain: () => {
      throw new TypeError("secret");
    },
  });
  const answer = await running.ask("/-/why/pkg:npm/foo");
  assert.equal(answer.status, 500);
  assert.doesNotMatch(answer.text, /secret/);
  assert.equal(running.lines.filter(({ level }) => level === "error").length, 1);
});

Deno.test("GET /-/health: 200 with what was checked, whatever was found", async () => {
  const checks = [
    { name: "kv", run: () => Promise.resolve() },
    { name: "artifacts", run: () => Promise.reject(new Error("secret path")) },
    {
      name: "throws",
      run: () => {
        throw new Error("at once");
      },
    },
  ];
  const upstreamHealth = () =>
    [{ origin: "http://registry.example", state: "open", lastError: "secret", lastErrorAt: null }] as const;
  await using running = run({ checks, upstreamHealth });
  for (const path of ["/health", "/-/health"]) {
    const answer = await running.ask(path);
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.text), {
      status: "degraded",
      version: "0.0.0",
      uptimeSeconds: 0,
      checks: { kv: "ok", artifacts: "failing", throws: "failing" },
      upstreams: [{ origin: "http://registry.example", state: "open" }],
    });
  }
});

Deno.test("createHealth: a check has a second, and all who ask within a second share one look", async () => {
  const time = createTestClock();
  let looks = 0;
  const stuck = { name: "kv", run: () => (looks++, new Promise<never>(() => {})) };
  const health = createHealth({
    checks: [stuck],
    upstreams: () => [],
    version: "1",
    startedAt: time.clock(),
    ...time,
  });
  const first = health();
  const second = health();
  await time.advance(1_000);
  assert.deepEqual((await first).checks, { kv: "slow" });
  assert.equal(await first, await second);
  assert.equal(looks, 1);
  void health();
  assert.equal(looks, 2);
  await time.advance(1_000);
  assert.equal(time.sleeping, 0);
});
