import assert from "node:assert/strict";
import type { EpochMs } from "../policy/types.ts";
import { UpstreamError } from "./errors.ts";
import { createDeliveries } from "./kv/deliveries.ts";
import { createJobs } from "./kv/jobs.ts";
import {
  countingKv,
  testBackground,
  type TestClock,
  testClock,
  testLog,
  testOrganisations,
  testTimers,
  withMemoryKv,
  withTwoKvs,
} from "./kv/test_support.ts";
import { createOrganisationViews } from "./organisations.ts";
import { createWebhooks, type Post, type RefusalEvent, type WaiverEvent } from "./webhooks.ts";

const SECRET = "https://hooks.example/services/T00/SECRET";

interface Sent {
  readonly url: string;
  readonly body: string;
  readonly contentType: string;
}

function setUp(kv: Deno.Kv, options: { clock?: TestClock; post?: Post; perHour?: number } = {}) {
  const { clock = testClock(), perHour } = options;
  const log = testLog();
  const timers = testTimers();
  const background = testBackground();
  const organisations = testOrganisations(kv, clock);
  const sent: Sent[] = [];
  const post: Post = options.post ?? ((url, body, { contentType }) => {
    sent.push({ url, body, contentType });
    return Promise.resolve({ status: 200 });
  });
  const views = createOrganisationViews({ organisations, kv, clock, log, timers });
  const jobs = createJobs({ kv, clock, log, timers, random: () => 0.5 });
  const deliveries = createDeliveries(kv);
  const deps = { kv, jobs, views, post, clock, log, background, deliveries };
  const webhooks = createWebhooks(perHour === undefined ? deps : { ...deps, perHour });
  return { webhooks, deliveries, sent, log, background, organisations, clock, jobs };
}

function refusal(over: Partial<RefusalEvent> = {}): RefusalEvent {
  return {
    event: "refused",
    at: Date.UTC(2026, 10, 21, 9) as EpochMs,
    organisation: "acme",
    user: "ann",
    address: "192.0.2.1",
    client: "npm 11.19.0",
    ecosystem: "npm",
    package: "left-pad",
    version: "1.3.1",
    file: "left-pad-1.3.1.tgz",
    rule: "minimumAge",
    message: "left-pad 1.3.1 is held until 2026-12-01T09:00Z",
    until: Date.UTC(2026, 11, 1, 9) as EpochMs,
    link: "https://sluice.example/o/acme/-/why/pkg:npm/left-pad@1.3.1",
    decisionId: "d1",
    ...over,
  };
}

const json = { webhooks: [{ url: SECRET }] };

Deno.test("refusal is sent as JSON to the policy's webhook", () =>
  withMemoryKv(async (kv) => {
    const { webhooks, sent, background, organisations } = setUp(kv);
    await organisations.create("acme", { author: "ann", source: json });
    webhooks.refusal(refusal());
    assert.equal(sent.length, 0);
    await background.idle();
    assert.equal(sent.length, 1);
    assert.equal(sent[0]!.url, SECRET);
    assert.equal(sent[0]!.contentType, "application/json");
    assert.deepEqual(JSON.parse(sent[0]!.body), {
      ...refusal(),
      at: "2026-11-21T09:00:00.000Z",
      until: "2026-12-01T09:00:00.000Z",
    });
  }));

Deno.test("refusal in Slack's form escapes what would be a link or a mention", () =>
  withMemoryKv(async (kv) => {
    const { webhooks, sent, background, organisations } = setUp(kv);
    const source = { webhooks: [{ url: SECRET, format: "slack" }] };
    await organisations.create("acme", { author: "ann", source });
    webhooks.refusal(refusal({ user: "<!channel> & co", link: "https://sluice.example/a|b>c" }));
    await background.idle();
    assert.deepEqual(JSON.parse(sent[0]!.body), {
      text: "&lt;!channel&gt; &amp; co was refused left-pad 1.3.1 (npm) in acme: " +
        "left-pad 1.3.1 is held until 2026-12-01T09:00Z <https://sluice.example/a%7Cb&gt;c>",
    });
  }));

Deno.test("refusal is told once an hour per caller, package and version, over processes and restarts", () =>
  withTwoKvs(async (a, b) => {
    const clock = testClock();
    const [one, two] = [setUp(a, { clock }), setUp(b, { clock })];
    await one.organisations.create("acme", { author: "ann", source: json });
    const again = setUp(a, { clock });
    for (let i = 0; i < 3; i++) {
      for (const { webhooks, background } of [one, two, again]) {
        webhooks.refusal(refusal());
        webhooks.refusal(refusal({ decisionId: `other-${i}` }));
        await background.idle();
      }
    }
    const count = () => one.sent.length + two.sent.length + again.sent.length;
    assert.equal(count(), 1);
    const others = [{ user: "bob" }, { user: null }, { version: "1.3.2" }, { package: "x" }, {
      ecosystem: "pypi",
    }];
    for (const over of others) two.webhooks.refusal(refusal(over));
    await two.background.idle();
    assert.equal(count(), 1 + others.length);
    clock.advance(3_600_000);
    two.webhooks.refusal(refusal());
    await two.background.idle();
    assert.equal(count(), 2 + others.length);
  }));

Deno.test("a message survives a restart: it was enqueued, and another object sends it", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const dead = setUp(kv, { clock, post: () => Promise.reject(new Error("connection reset")) });
    await dead.organisations.create("acme", { author: "ann", source: json });
    dead.webhooks.refusal(refusal());
    await dead.background.idle();
    const next = setUp(kv, { clock });
    await next.webhooks.runDue();
    assert.equal(next.sent.length, 0);
    clock.advance(10_000);
    await next.webhooks.runDue();
    assert.equal(next.sent.length, 1);
    await next.webhooks.runDue();
    assert.equal(next.sent.length, 1);
  }));

Deno.test("status 500 and 429 are tried again, 404 and redirects and forbidden addresses are not", () =>
  withMemoryKv(async (kv) => {
    const answers = new Map<string, number | Error>([
      ["a", 500],
      ["b", 429],
      ["c", 404],
      ["d", 302],
      ["e", new UpstreamError(SECRET, { kind: "forbidden-address", origin: SECRET })],
      ["f", new UpstreamError(SECRET, { kind: "timeout", origin: SECRET })],
    ]);
    const post: Post = (_url, body) => {
      const answer = answers.get(JSON.parse(body).package)!;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ status: answer });
    };
    const { webhooks, background, organisations, jobs, clock } = setUp(kv, { post });
    await organisations.create("acme", { author: "ann", source: json });
    for (const name of answers.keys()) webhooks.refusal(refusal({ package: name }));
    await background.idle();
    const keyOf = ({ key }: { readonly key: string }) => /"npm","(.)"/.exec(key)?.[1];
    assert.deepEqual((await jobs.dead()).map(keyOf).sort(), ["c", "d", "e"]);
    clock.advance(10_000);
    assert.deepEqual((await jobs.due()).map(keyOf).sort(), ["a", "b", "f"]);
  }));

Deno.test("the address is in no job, no log and no error", () =>
  withMemoryKv(async (kv) => {
    const post: Post = (url) => Promise.reject(new Error(`Cannot reach ${url}`, { cause: new Error(url) }));
    const { webhooks, background, organisations, log, clock } = setUp(kv, { post });
    await organisations.create("acme", { author: "ann", source: json });
    webhooks.refusal(refusal());
    await background.idle();
    for (let i = 0; i < 10; i++) {
      clock.advance(3_600_000);
      await webhooks.runDue();
    }
    assert.match(
      log.lines.join("\n"),
      /Gave up a job of kind "webhook".*webhook \\?"webhook-1\\?" of organisation/,
    );
    const jobs = await Array.fromAsync(kv.list({ prefix: ["jobs"] }));
    assert.ok(jobs.length > 0);
    const everything = log.lines.join("\n") + Deno.inspect(jobs, { depth: 20 });
    assert.ok(!everything.includes("SECRET"));
    assert.ok(!everything.includes("hooks.example"));
  }));

Deno.test("a webhook taken out of the policy is told nothing more, and one that observes only what it asked for", () =>
  withMemoryKv(async (kv) => {
    const down: Post = () => Promise.reject(new Error("down"));
    const clock = testClock();
    const first = setUp(kv, { clock, post: down });
    await first.organisations.create("acme", { author: "ann", source: json });
    first.webhooks.refusal(refusal());
    await first.background.idle();
    await first.organisations.set({ id: "acme", source: {}, author: "ann" });
    clock.advance(60_000);
    const { webhooks, sent, background, jobs, organisations } = setUp(kv, { clock });
    await webhooks.runDue();
    webhooks.refusal(refusal({ version: "2" }));
    await background.idle();
    assert.deepEqual(sent, []);
    assert.deepEqual(await jobs.due(), []);
    const source = { webhooks: [{ url: SECRET, events: ["observed"] }] };
    await organisations.set({ id: "acme", source, author: "ann" });
    clock.advance(1_000);
    webhooks.refusal(refusal({ version: "2" }));
    webhooks.refusal(refusal({ version: "3", event: "observed" }));
    await background.idle();
    assert.deepEqual(sent.map(({ body }) => JSON.parse(body).version), ["3"]);
  }));

Deno.test("beyond the hour's budget one message says so, and KV is not asked again", () =>
  withMemoryKv(async (kv) => {
    const counted = countingKv(kv);
    const { webhooks, sent, background, organisations, clock } = setUp(counted.kv, { perHour: 5 });
    await organisations.create("acme", { author: "ann", source: json });
    for (let i = 0; i < 20; i++) webhooks.refusal(refusal({ version: `1.0.${i}` }));
    await background.idle();
    assert.equal(sent.length, 6);
    const last = sent.map(({ body }) => JSON.parse(body)).find(({ event }) => event === "budget-exceeded");
    assert.equal(last.budget, 5);
    assert.match(last.message, /More than 5 refusals in acme this hour: until 2026-11-21T10:00:00.000Z/);
    const reads = counted.reads;
    for (let i = 0; i < 1_000; i++) webhooks.refusal(refusal({ version: `2.0.${i}` }));
    await background.idle();
    assert.equal(counted.reads, reads);
    clock.advance(3_600_000);
    webhooks.refusal(refusal({ version: "3" }));
    await background.idle();
    assert.equal(sent.length, 7);
  }));

Deno.test("refusal never throws and never waits, whatever fails: it is logged", () =>
  withMemoryKv(async (kv) => {
    const { webhooks, background, log, sent } = setUp(
      new Proxy(kv, {
        get(target, property) {
          const value = Reflect.get(target, property, target);
          if (typeof value !== "function") return value;
          return property === "getMany" ? () => Promise.reject(new Error("gone")) : value.bind(target);
        },
      }),
    );
    webhooks.refusal(refusal({ message: "\ud800".repeat(5_000), user: "x".repeat(10_000) }));
    await background.idle();
    assert.deepEqual(sent, []);
    assert.match(log.lines.join("\n"), /Cannot enqueue a webhook of organisation "acme": StorageError/);
  }));

function waiverEvent(over: Partial<WaiverEvent> = {}): WaiverEvent {
  return {
    event: "waiver",
    state: "asked",
    at: Date.UTC(2026, 10, 21, 9) as EpochMs,
    organisation: "acme",
    id: "r1",
    user: "ada",
    isVerified: false,
    by: null,
    ecosystem: "npm",
    package: "left-pad",
    version: "1.3.1",
    reason: "<!channel> pay <https://evil.example|here> & now",
    ticket: "OPS-1",
    word: null,
    until: null,
    link: "https://sluice.example/-/admin/acme/waivers/requests/r1",
    ...over,
  };
}

Deno.test("waiver: asked for and answered, once for each state, in JSON and in Slack's form without links of its own", () =>
  withMemoryKv(async (kv) => {
    const { webhooks, sent, background, organisations } = setUp(kv, { perHour: 0 });
    const source = {
      webhooks: [
        { id: "json", url: SECRET },
        { id: "chat", url: `${SECRET}/slack`, format: "slack", events: ["waiver"] },
        { id: "other", url: `${SECRET}/other`, events: ["alert"] },
      ],
    };
    await organisations.create("acme", { author: "ann", source });
    for (let again = 0; again < 3; again++) webhooks.waiver(waiverEvent());
    await background.idle();
    assert.deepEqual(sent.map(({ url }) => url).sort(), [SECRET, `${SECRET}/slack`]);
    const asked = JSON.parse(sent.find(({ url }) => url === SECRET)!.body);
    assert.deepEqual([asked.state, asked.until, asked.reason], ["asked", null, waiverEvent().reason]);
    const { text } = JSON.parse(sent.find(({ url }) => url !== SECRET)!.body);
    assert.equal(
      text,
      "ada (unverified) asks for left-pad 1.3.1 (npm) in acme until it matures: &lt;!channel&gt; pay " +
        "&lt;https://evil.example|here&gt; &amp; now (OPS-1) " +
        "<https://sluice.example/-/admin/acme/waivers/requests/r1>",
    );
    const until = Date.UTC(2026, 11, 1) as EpochMs;
    webhooks.waiver(
      waiverEvent({ state: "granted", isVerified: true, by: "bob", until, word: "x".repeat(2_000) }),
    );
    await background.idle();
    const granted = sent.map(({ body }) => JSON.parse(body)).find(({ state }) => state === "granted");
    assert.match(
      granted.message,
      /^bob granted left-pad 1\.3\.1 \(npm\) in acme until 2026-12-01T00:00:00\.000Z, for ada: x{1000}$/,
    );
  }));
