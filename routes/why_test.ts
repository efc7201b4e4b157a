import assert from "node:assert/strict";
import { run, sampleView } from "./testing.ts";
import { ANSWER, at, HELD } from "./test_support.ts";

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
