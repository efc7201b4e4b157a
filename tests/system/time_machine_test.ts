import assert from "node:assert/strict";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, NOW, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";
const DAY_MS = 86_400_000;
const WIDGET = {
  name: "widget",
  releases: {
    "1.0.0": { publishedAt: daysAgo(300) },
    "1.1.0": { publishedAt: daysAgo(200) },
    "2.0.0": { publishedAt: daysAgo(100) },
    "2.1.0": { publishedAt: daysAgo(50) },
    "3.0.0-rc.1": { publishedAt: daysAgo(45) },
  },
  tags: { latest: "2.1.0", next: "3.0.0-rc.1" },
};

async function world() {
  const registry = await startNpmRegistry();
  registry.publish(WIDGET);
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ADMIN_TOKEN: ADMIN };
  const sluice = await startSluice({ env });
  return {
    registry,
    sluice,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** `2026-03-01`, of so many days before NOW. */
function day(days: number): string {
  return daysAgo(days).slice(0, 10);
}

async function index(sluice: TestSluice, at: string, name = "widget") {
  const asked = await ask(`${sluice.url}${at}/npm/${name}`);
  assert.equal(asked.status, 200, asked.text);
  const { versions, "dist-tags": tags } = asked.json();
  return { versions: Object.keys(versions), tags, asked };
}

Deno.test("/at/{instant}/: releases by their dates, ages measured then, latest by version order, links below the mount", async () => {
  await using at = await world();
  const { sluice } = at;
  const now = await index(sluice, "");
  assert.deepEqual(now.tags, { latest: "2.1.0", next: "3.0.0-rc.1" });
  const then = await index(sluice, `/at/${day(95)}`);
  // 2.0.0 was five days old, and is held for ten.
  assert.deepEqual(then.versions, ["1.0.0", "1.1.0"]);
  assert.deepEqual(then.tags, { latest: "1.1.0" });
  assert.deepEqual((await index(sluice, `/at/${day(80)}`)).tags, { latest: "2.0.0" });
  assert.equal(
    then.asked.json().versions["1.1.0"].dist.tarball,
    `${sluice.url}/at/${day(95)}/npm/widget/-/widget-1.1.0.tgz`,
  );
  // npm prints a notice for each: not for what nobody could have expected then.
  assert.equal((await index(sluice, `/at/${day(80)}`)).asked.headers.get("npm-notice"), null);
  assert.match(then.asked.headers.get("npm-notice") ?? "", /widget 2\.0\.0 is denied/);
  assert.deepEqual((await index(sluice, `/at/${day(400)}`)).versions, []);
  for (const forms of [daysAgo(95), daysAgo(95).replace("Z", "+00:00"), encodeURIComponent(daysAgo(95))]) {
    assert.deepEqual((await index(sluice, `/at/${forms}`)).versions, ["1.0.0", "1.1.0"], forms);
  }
});

Deno.test("/at/{instant}/: a file is decided the same way, recorded with the instant, and its refusal says why", async () => {
  await using at = await world();
  const { sluice } = at;
  const base = `${sluice.url}/at/${day(95)}/npm`;
  const taken = await ask(`${base}/widget/-/widget-1.1.0.tgz`);
  assert.equal(taken.status, 200);
  const late = await ask(`${base}/widget/-/widget-2.1.0.tgz`);
  assert.equal(late.status, 403);
  assert.match(late.text, /published 2026-04-12T12:00Z, after the instant of this address/);
  assert.match(late.text, /Newest allowed: 1\.1\.0/);
  const young = await ask(`${base}/widget/-/widget-2.0.0.tgz`);
  assert.match(young.text, /less than 10 days ago, as of the instant of this address/);
  assert.doesNotMatch(young.text, /until/);
  assert.equal((await ask(`${base}/widget/-/widget-9.9.9.tgz`)).status, 404);
  assert.equal((await ask(`${base}/widget/2.1.0`)).status, 403);
  assert.equal((await ask(`${base}/widget/next`)).status, 404);
  const records = await sluice.installs();
  assert.deepEqual(
    records.map(({ version, outcome, rule, asOf }) => [version, outcome, rule, asOf]),
    [["2.0.0", "refused", "minimumAge"], ["2.1.0", "refused", "instant"], ["1.1.0", "served", ""]]
      .map((record) => [...record, Date.parse(day(95))]),
  );
  const plain = await ask(`${sluice.url}/npm/widget/-/widget-1.1.0.tgz`);
  assert.notEqual(plain.headers.get("x-sluice-decision"), taken.headers.get("x-sluice-decision"));
  assert.equal((await sluice.installs())[0]?.asOf, undefined);

  const why = await ask(`${base.replace("/npm", "")}/-/why/pkg:npm/widget@2.1.0`);
  assert.equal(why.json().verdict, "deny");
  assert.equal(why.json().asOf, `${day(95)}T00:00:00Z`);
  const link = late.text.match(/http\S+decision=[\w-]+/)?.[0] ?? "";
  assert.match(link, /\/at\/[\d-]+\/-\/why\//);
  assert.equal((await ask(link)).json().decision.verdict, "deny");
});

Deno.test("/at/{instant}/: what is denied today stays refused", async () => {
  await using at = await world();
  const { sluice } = at;
  await sluice.setPolicy({ overrides: [{ effect: "deny", purl: "pkg:npm/widget@1.1.0", reason: "bad" }] });
  assert.deepEqual((await index(sluice, `/at/${day(95)}`)).versions, ["1.0.0"]);
  const refused = await ask(`${sluice.url}/at/${day(95)}/npm/widget/-/widget-1.1.0.tgz`);
  assert.match(refused.text, /blocked by the organisation/);
});

Deno.test("/at/{…}: what is no past instant is 400 in the client's form, an unknown name 404, and an ecosystem must follow", async () => {
  await using at = await world();
  const { sluice } = at;
  const rows: readonly (readonly [string, number, RegExp])[] = [
    ["2026-06-02", 400, /2026-06-02 is in the future: it is 2026-06-01T12:00Z now/],
    ["2026-06-01T12:00:01Z", 400, /future/],
    ["2026-02-30", 400, /What follows \/at\/ is a day/],
    ["2026-03-01T12:00:00", 400, /What follows/],
    ["1969-12-31", 400, /before 1970/],
    ["tomorrow", 404, /has no snapshot "tomorrow"/],
    ["a%20b", 400, /What follows/],
  ];
  for (const [text, status, words] of rows) {
    const asked = await ask(`${sluice.url}/at/${text}/npm/widget`);
    assert.deepEqual(
      [asked.status, words.test(asked.json().error)],
      [status, true],
      `${text}: ${asked.text}`,
    );
  }
  assert.equal(at.registry.upstream.asked("/widget").length, 0);
  assert.equal((await ask(`${sluice.url}/at/2026-03-01/nothing`)).status, 404);
  assert.equal((await ask(`${sluice.url}/at/2026-03-01/-/api/v1/tokens`)).status, 404);
  assert.equal((await ask(`${sluice.url}/at/2026-06-01/npm/widget`)).status, 200);
  assert.equal((await ask(`${sluice.url}/at/2026-06-02/-/why/pkg:npm/widget`)).status, 400);
});

Deno.test("/at/{instant}/: instants between two changes share one entry, each with its own links", async () => {
  await using at = await world();
  const { sluice } = at;
  const cacheOf = (asked: { readonly headers: Headers }) => asked.headers.get("x-sluice-cache") ?? "";
  const first = await index(sluice, `/at/${day(80)}`);
  const texts = Array.from(
    { length: 20 },
    (_, i) => new Date(NOW - 80 * DAY_MS + i * 3_600_000).toISOString(),
  );
  for (const text of texts) {
    const next = await index(sluice, `/at/${text}`);
    assert.equal(cacheOf(next.asked), "hit", text);
    assert.equal(next.asked.text, first.asked.text.replaceAll(`/at/${day(80)}/`, `/at/${text}/`));
  }
  const again = await index(sluice, `/at/${day(80)}`);
  assert.equal(again.asked.text, first.asked.text);
  assert.equal(again.asked.headers.get("etag"), first.asked.headers.get("etag"));
});

Deno.test("/at/{instant}/: whatever is asked in whatever order, several at once, each gets its own instant", async () => {
  await using at = await world();
  const { sluice, registry } = at;
  const dates = Array.from({ length: 30 }, (_, i) => NOW - (400 - 11 * i) * DAY_MS);
  const releases = dates.map((date, i) =>
    [`1.${i}.0`, { publishedAt: new Date(date).toISOString() }] as const
  );
  registry.publish({ name: "often", releases: Object.fromEntries(releases) });
  const asked = Array.from({ length: 90 }, (_, i) => NOW - (400 - ((i * 37) % 360)) * DAY_MS);
  for (let first = 0; first < asked.length; first += 15) {
    await Promise.all(
      asked.slice(first, first + 15).map(async (instant) => {
        const { versions } = await index(sluice, `/at/${new Date(instant).toISOString()}`, "often");
        const there = dates.filter((date) => date + 10 * DAY_MS <= instant).length;
        assert.equal(versions.length, there, new Date(instant).toISOString());
      }),
    );
  }
});

Deno.test("/at/{instant}/: an address brings so many new instants an hour, then 429; what it brought goes on, and so do snapshots", async () => {
  await using at = await world();
  const { sluice } = at;
  await api(sluice, "POST", "/snapshots", { name: "spring", at: day(80) });
  const asked = async (text: string) =>
    (await ask(`${sluice.url}/at/${text}/npm/widget`, { method: "HEAD" })).status;
  for (let i = 0; i < 500; i++) {
    assert.equal(await asked(new Date(NOW - 90 * DAY_MS + i * 1_000).toISOString()), 200);
  }
  const late = await ask(`${sluice.url}/at/${day(77)}/npm/widget`, { method: "HEAD" });
  // pip would wait for as long, without a word.
  assert.deepEqual([late.status, late.headers.get("retry-after")], [429, null]);
  assert.equal(await asked(new Date(NOW - 90 * DAY_MS).toISOString()), 200);
  assert.equal(await asked("spring"), 200);
  assert.equal((await ask(`${sluice.url}/npm/widget`)).status, 200);
  sluice.advance(3_600_001);
  assert.equal(await asked(day(77)), 200);
});

Deno.test("tags as they were, from kept history; by dates before it began", async () => {
  await using at = await world();
  const { sluice, registry } = at;
  await index(sluice, "");
  sluice.advance(2 * DAY_MS);
  registry.publish({ ...WIDGET, tags: { latest: "1.1.0", beta: "2.0.0" } });
  const moved = await index(sluice, "");
  assert.deepEqual(moved.tags, { latest: "1.1.0", beta: "2.0.0" });
  const dayAfter = new Date(NOW + DAY_MS).toISOString();
  assert.deepEqual((await index(sluice, `/at/${dayAfter}`)).tags, { latest: "2.1.0", next: "3.0.0-rc.1" });
  assert.equal((await ask(`${sluice.url}/at/${dayAfter}/npm/widget/next`)).json().version, "3.0.0-rc.1");
  assert.equal((await ask(`${sluice.url}/at/${dayAfter}/npm/widget/beta`)).status, 404);
  assert.equal(
    (await ask(`${sluice.url}/at/${dayAfter}/npm/-/package/widget/dist-tags`)).json().latest,
    "2.1.0",
  );
  // Before the first sight nobody knows: today's, among what was there.
  assert.deepEqual((await index(sluice, `/at/${day(20)}`)).tags, { latest: "1.1.0", beta: "2.0.0" });
});

Deno.test("freeze: newer releases are withheld with that reason, tags are those of then, and unfreeze lifts it", async () => {
  await using at = await world();
  const { sluice, registry } = at;
  await index(sluice, "");
  const made = await api(sluice, "POST", "/freeze", { purl: "pkg:npm/widget", reason: "until the audit" });
  assert.equal(made.status, 201);
  sluice.advance(20 * DAY_MS);
  const published = { ...WIDGET.releases, "2.2.0": { publishedAt: new Date(NOW + DAY_MS).toISOString() } };
  registry.publish({ ...WIDGET, releases: published, tags: { latest: "2.0.0" } });
  const frozen = await index(sluice, "");
  assert.ok(!frozen.versions.includes("2.2.0"));
  assert.deepEqual(frozen.tags, { latest: "2.1.0", next: "3.0.0-rc.1" });
  const refused = await ask(`${sluice.url}/npm/widget/-/widget-2.2.0.tgz`);
  assert.equal(refused.status, 403);
  assert.match(refused.text, /newer than the freeze at 2026-06-01T12:00Z: until the audit/);
  assert.equal((await sluice.installs())[0]?.rule, "freeze");
  const why = (await ask(`${sluice.url}/-/why/pkg:npm/widget@2.2.0`)).json();
  assert.equal(why.reasons[0].rule, "freeze");

  assert.equal((await api(sluice, "POST", "/unfreeze", { purl: "pkg:npm/widget" })).status, 200);
  sluice.advance(1_001);
  const lifted = await index(sluice, "");
  assert.ok(lifted.versions.includes("2.2.0"));
  assert.deepEqual(lifted.tags, { latest: "2.0.0" });
});

async function api(sluice: TestSluice, method: string, path: string, body?: unknown) {
  const response = await fetch(`${sluice.url}/-/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}
