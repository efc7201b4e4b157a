import assert from "node:assert/strict";
import { run, sampleView } from "./testing.ts";
import { ANSWER, at, HELD } from "./test_support.ts";

const RECORD = {
  v: 1,
  id: "d-1",
  organisation: "default",
  ecosystem: "npm",
  name: "@acme/foo",
  version: "1.3.1",
  filename: null,
  decision: { verdict: "hold", enforcedVerdict: "hold", reasons: [HELD], horizon: HELD.horizon },
  withheld: [],
  withheldCount: 0,
  policyRevision: 3,
  factsDigest: "f",
  decidedAt: at("2026-11-20T08:00:00Z"),
} as const;
const PAGE = "/-/why/pkg:npm/@acme/foo@1.3.1";
const BROWSER = { accept: "text/html" };

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
    `Ask for an exception: http://${running.host}/-/why/pkg:npm/@acme/foo@1.3.1#ask`,
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
    ...RECORD,
    version: null,
    decision: null,
    withheld: [{ version: "2.0.0", decision }],
    withheldCount: 60,
  } as const;
  await using running = run({
    explain: () => ({ ...ANSWER, version: null, verdict: null, reasons: [], withheld, record }),
  });
  const { text } = await running.ask("/-/why/pkg:npm/@acme/foo?decision=d-1");
  assert.match(text, /\n {2}2\.49\.0 {2}held by minimumAge/);
  assert.match(text, /\n {2}and 10 more\n/);
  assert.match(
    text,
    /\nDecision d-1, first made at 2026-11-20T08:00:00Z, policy revision 3: the index, 60 withheld\n {2}2\.0\.0 {2}held by/,
  );
  const json = JSON.parse((await running.ask("/-/why/pkg:npm/@acme/foo?decision=d-1&format=json")).text);
  assert.equal(json.withheld.length, 60);
  assert.equal(json.decision.id, "d-1");
});

Deno.test("GET /-/why: every instant in JSON is ISO 8601, what a rule reckons from among them", async () => {
  const held = { ...HELD, since: at("2026-11-20T09:00:00.278Z") };
  const found = { rule: "minimumAge", setting: "10 days", facts: [], found: [held] };
  const record = { ...RECORD, decision: { ...RECORD.decision, reasons: [held] } };
  const changes = {
    verdict: "hold",
    policyRevision: 4,
    isPolicyChanged: true,
    isFactsChanged: false,
    rules: [{ rule: "minimumAge", before: found, now: found }],
    versions: [],
  } as const;
  const withheld = [{ version: "2.0.0", verdict: "hold", reason: held, until: HELD.horizon }] as const;
  await using running = run({
    explain: () => ({ ...ANSWER, reasons: [held], rules: [found], withheld, record, changes }),
  });
  const { text } = await running.ask(`${PAGE}?decision=d-1&format=json`);
  assert.doesNotMatch(text, /\b1[0-9]{12}\b/);
  assert.equal(text.match(/"since": "2026-11-20T09:00:00\.278Z"/g)?.length, 6, text);
});

Deno.test("GET /-/why: the minute at which something lifts is rounded up, as the sentence has it; a waiver's end is cut, and called that", async () => {
  const horizon = at("2026-11-28T18:04:37.278Z");
  const held = { ...HELD, horizon };
  const sentence = "@acme/foo 1.3.1 is held until 2026-11-28T18:05Z.";
  let answer = { ...ANSWER, sentence, reasons: [held], until: horizon };
  answer = { ...answer, rules: [{ rule: "minimumAge", setting: "10 days", facts: [], found: [held] }] };
  await using running = run({ explain: () => answer });
  const page = async () => (await running.ask(PAGE, { headers: BROWSER })).text;
  const refused = await page();
  assert.equal(refused.match(/2026-11-28 18:05 UTC/g)?.length, 2, "in the summary, and of the rule");
  assert.doesNotMatch(refused, /18:04 UTC/);
  assert.match(refused, /Lifts by itself/);
  const whole = [{ version: "1.3.1", verdict: "hold", reason: held, until: horizon }] as const;
  answer = { ...answer, version: null, verdict: null, withheld: whole, rules: [] };
  const all = await page();
  assert.equal(all.match(/2026-11-28 18:05 UTC/g)?.length, 2, "the next change, and of the version");
  assert.doesNotMatch(all, /18:04 UTC/);

  const until = at("2026-11-22T18:08:37Z");
  const waiver = {
    id: "w-1",
    ecosystem: "npm",
    name: "@acme/foo",
    version: "1.3.1",
    reason: "",
    owner: "grace",
    createdAt: at("2026-11-21T08:00:00Z"),
    until,
    kind: "granted",
  } as const;
  answer = {
    ...ANSWER,
    verdict: "allow",
    reasons: [{ ...held, liftedBy: "w-1" }],
    until,
    waivers: [waiver],
  };
  const waived = await page();
  assert.match(waived, /The waiver ends<\/dt>\s*<dd>.*2026-11-22 18:08 UTC/);
  const { text } = await running.ask(PAGE);
  assert.match(text, /\nVerdict {9}allowed\nWaiver ends {5}2026-11-22T18:08:37Z\n/);
  assert.doesNotMatch(text + waived, /Lifts|Ask for an exception/);
});

Deno.test("GET /-/why?decision: an id without a record is said to have none, and for how long one is kept, in every form", async () => {
  let answer: typeof ANSWER | null = ANSWER;
  await using running = run({ explain: () => answer });
  const none = /There is no record of decision \\?"nonsense\\?", or none any more: it is kept for 30 days\./;
  const now = /This is how it is decided now\./;
  const json = async (query: string) => JSON.parse((await running.ask(`${PAGE}?format=json${query}`)).text);
  const forms = [
    (await running.ask(`${PAGE}?decision=nonsense`)).text,
    (await running.ask(`${PAGE}?decision=nonsense`, { headers: BROWSER })).text,
    JSON.stringify((await json("&decision=nonsense")).decisionMissing),
  ];
  for (const text of forms) {
    assert.match(text.replaceAll("&quot;", '"'), none);
    assert.match(text, now);
  }
  const odd = await running.ask(`${PAGE}?decision=%3Cscript%3E${"x".repeat(500)}`, { headers: BROWSER });
  assert.match(odd.text, /no record of decision &quot;&lt;script&gt;x{40,60}\.\.\.&quot;/);
  assert.equal((await json("")).decisionMissing, null);
  answer = { ...ANSWER, record: RECORD };
  assert.equal((await json("&decision=d-1")).decisionMissing, null);
  assert.equal((await json("&decision=d-1")).decision.firstMadeAt, "2026-11-20T08:00:00Z");
  const shown = await running.ask(`${PAGE}?decision=d-1`, { headers: BROWSER });
  assert.match(shown.text, /First made at<\/dt>.*Whatever was decided alike since then has this id, too\./s);
  answer = null;
  for (const headers of [{}, BROWSER]) {
    const gone = await running.ask(`${PAGE}?decision=nonsense`, { headers });
    assert.equal(gone.status, 404);
    assert.match(gone.text.replaceAll("&quot;", '"'), none);
    assert.doesNotMatch(gone.text, now);
  }
});
