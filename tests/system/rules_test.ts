/** Rule × form of answer: whatever withholds a release, every way to it says the same. */
import assert from "node:assert/strict";
import { type FakePackage, startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import { ask, decisionOf, linkOf } from "./ask.ts";

const OLD = { publishedAt: daysAgo(100) };

interface Row {
  /** The reason's rule, and the name of the case. */
  readonly rule: string;
  readonly verdict: "hold" | "deny";
  /** Under an organisation of the row's own. */
  readonly policy: Readonly<Record<string, unknown>>;
  /** 1.0.0 is offered; 1.1.0, upstream's latest, is not. */
  readonly releases: FakePackage["releases"];
}

const ROWS: Readonly<Record<string, Row>> = {
  "minimumage": {
    rule: "minimumAge",
    verdict: "hold",
    policy: {},
    releases: { "1.0.0": OLD, "1.1.0": { publishedAt: daysAgo(2) } },
  },
  "blocked": {
    rule: "override",
    verdict: "deny",
    policy: { block: ["npm/blocked==1.1.0"] },
    releases: { "1.0.0": OLD, "1.1.0": OLD },
  },
  "deprecated": {
    rule: "deprecated",
    verdict: "deny",
    policy: { deprecated: "deny" },
    releases: { "1.0.0": OLD, "1.1.0": { ...OLD, deprecated: "use something else" } },
  },
  "downgrade": {
    rule: "publisherDowngrade",
    verdict: "deny",
    policy: {},
    releases: {
      "1.0.0": { publishedAt: daysAgo(60), trust: "trusted-publisher" },
      "1.1.0": { publishedAt: daysAgo(30), trust: "none" },
    },
  },
  "undated": {
    rule: "unknownAge",
    verdict: "deny",
    policy: { unknownAge: "deny" },
    releases: { "1.0.0": OLD, "1.1.0": {} },
  },
};

/** All rows' packages at one registry, all rows' policies in one Sluice, each in an organisation of its name. */
async function createRows(change: Readonly<Record<string, unknown>> = {}) {
  const registry = await startNpmRegistry();
  for (const [name, { releases }] of Object.entries(ROWS)) registry.publish({ name, releases });
  const sluice = await startSluice({ env: { SLUICE_UPSTREAM_NPM: registry.upstream.url } });
  for (const [name, { policy }] of Object.entries(ROWS)) {
    await sluice.setPolicy({ ...policy, ...change }, name);
  }
  return {
    registry,
    sluice,
    site: (name: string) => `${sluice.url}/o/${name}`,
    npm: (name: string) => `${sluice.url}/o/${name}/npm/${name}`,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

Deno.test("every rule: both packuments leave the release out, no tag points at it, and no date names it", async () => {
  await using world = await createRows();
  for (const name of Object.keys(ROWS)) {
    for (const abbreviated of [false, true]) {
      const index = await ask(world.npm(name), { abbreviated });
      assert.equal(index.status, 200, name);
      const document = index.json();
      assert.deepEqual(Object.keys(document.versions), ["1.0.0"], `${name} ${abbreviated}`);
      assert.deepEqual(document["dist-tags"], { latest: "1.0.0" }, name);
      assert.ok(Object.hasOwn(document.time, "1.0.0") && !Object.hasOwn(document.time, "1.1.0"), name);
      assert.equal(
        document.versions["1.0.0"].dist.tarball,
        `${world.npm(name)}/-/${name}-1.0.0.tgz`,
        "links point at this organisation's own mount",
      );
      assert.match(index.headers.get("cache-control") ?? "", /^(private|no-store)/);
      decisionOf(index);
      assert.ok(linkOf(index).startsWith(`${world.site(name)}/-/why/pkg:npm/${name}?decision=`));
    }
    const tags = await ask(`${world.site(name)}/npm/-/package/${name}/dist-tags`);
    assert.deepEqual(tags.json(), { latest: "1.0.0" }, name);
  }
});

Deno.test("every rule: the release's own document and its file are 403 with the decision, upstream untouched", async () => {
  await using world = await createRows();
  for (const [name, { rule }] of Object.entries(ROWS)) {
    // A lockfile in hand: nothing but the file was ever asked for.
    const file = await ask(`${world.npm(name)}/-/${name}-1.1.0.tgz`, { user: "ada" });
    const version = await ask(`${world.npm(name)}/1.1.0`, { user: "ada" });
    for (const refused of [file, version]) {
      assert.equal(refused.status, 403, `${name}: ${refused.text}`);
      assert.equal(refused.headers.get("cache-control"), "no-store");
      const { error } = refused.json();
      assert.ok(error.includes(`${name} 1.1.0`) && error.includes(linkOf(refused)), error);
      const why = (await ask(linkOf(refused))).json();
      assert.equal(why.decision?.id, decisionOf(refused), name);
      assert.equal(why.decision.reasons[0].rule, rule, name);
    }
    assert.equal(world.registry.downloads(name, "1.1.0"), 0);
    const installs = await world.sluice.installs(name);
    assert.deepEqual(
      installs.map(({ outcome, user, version, bytes, rule }) => ({ outcome, user, version, bytes, rule })),
      [{ outcome: "refused", user: "ada", version: "1.1.0", bytes: 0, rule }],
      name,
    );
    assert.equal(installs[0]!.decisionId, decisionOf(file));

    const tag = await ask(`${world.npm(name)}/latest`);
    assert.equal(tag.json().version, "1.0.0", `${name}: a tag leads to what is offered`);
    const allowed = await ask(`${world.npm(name)}/-/${name}-1.0.0.tgz`, { user: "ada" });
    assert.equal(allowed.status, 200, name);
  }
});

Deno.test("every rule: the why page names it, in JSON and in text, for the release and for the package", async () => {
  await using world = await createRows();
  for (const [name, { rule, verdict }] of Object.entries(ROWS)) {
    await ask(world.npm(name));
    const page = `${world.site(name)}/-/why/pkg:npm/${name}`;
    const release = (await ask(`${page}@1.1.0`)).json();
    assert.equal(release.verdict, verdict, name);
    assert.equal(release.reasons[0].rule, rule);
    assert.equal(release.newestAllowed, "1.0.0");
    assert.equal(release.until === null, verdict === "deny", "time lifts a hold and no denial");
    const all = (await ask(page)).json();
    assert.deepEqual(all.withheld.map(({ version }: { version: string }) => version), ["1.1.0"]);
    assert.equal((await ask(`${page}@1.0.0`)).json().verdict, "allow");
    const text = await ask(`${page}@1.1.0`, { headers: { accept: "text/plain" } });
    assert.ok(text.text.includes(rule) && text.text.includes("1.0.0"), text.text);
  }
});

Deno.test("every rule, observed: everything is let through, and everything says what would have happened", async () => {
  await using world = await createRows({ enforcement: "observe" });
  for (const [name, { rule, verdict }] of Object.entries(ROWS)) {
    for (const abbreviated of [false, true]) {
      const index = await ask(world.npm(name), { abbreviated });
      assert.deepEqual(Object.keys(index.json().versions), ["1.0.0", "1.1.0"], name);
      assert.deepEqual(index.json()["dist-tags"], { latest: "1.1.0" }, name);
      decisionOf(index);
    }
    assert.equal((await ask(`${world.npm(name)}/1.1.0`)).status, 200);
    const file = await ask(`${world.npm(name)}/-/${name}-1.1.0.tgz`, { user: "ada" });
    assert.equal(file.status, 200, name);
    const [install] = await world.sluice.installs(name);
    assert.deepEqual([install?.outcome, install?.rule], ["observed", rule], name);
    assert.equal(install?.decisionId, decisionOf(file), name);
    const why = (await ask(`${world.site(name)}/-/why/pkg:npm/${name}@1.1.0`)).json();
    assert.equal(why.reasons[0].rule, rule);
    assert.equal(why.reasons[0].verdict, verdict);
    assert.notEqual(why.verdict, verdict, "nothing is withheld while observing");
  }
});

Deno.test("a release that is listed in time only was unpublished: 404 in every form, upstream's file untouched", async () => {
  await using registry = await startNpmRegistry();
  registry.publish({
    name: "gone",
    releases: { "1.0.0": OLD },
    fields: {
      time: {
        created: OLD.publishedAt,
        modified: OLD.publishedAt,
        "1.0.0": OLD.publishedAt,
        "1.1.0": OLD.publishedAt,
      },
    },
  });
  await using sluice = await startSluice({ env: { SLUICE_UPSTREAM_NPM: registry.upstream.url } });
  for (const abbreviated of [false, true]) {
    const index = (await ask(`${sluice.url}/npm/gone`, { abbreviated })).json();
    assert.deepEqual(Object.keys(index.versions), ["1.0.0"]);
    assert.equal(index["dist-tags"].latest, "1.0.0");
  }
  assert.equal((await ask(`${sluice.url}/npm/gone/1.1.0`)).status, 404);
  assert.equal((await ask(`${sluice.url}/npm/gone/-/gone-1.1.0.tgz`)).status, 404);
  assert.equal((await ask(`${sluice.url}/-/why/pkg:npm/gone@1.1.0`)).status, 404);
  assert.equal(registry.downloads("gone", "1.1.0"), 0);
  assert.deepEqual(await sluice.installs(), []);
});

/** npm itself is asked for nothing: it would say that a password is wrong, and not the reason. */
const PNPM = { "user-agent": "pnpm/12.21.0 npm/? node/v24.0.0 linux x64" };

Deno.test("callers: without a name 401 and a challenge; a closed organisation 403; on every form, upstream untouched", async () => {
  await using world = await createRows();
  const forms = [
    "/npm/blocked",
    "/npm/blocked/1.0.0",
    "/npm/blocked/-/blocked-1.0.0.tgz",
    "/npm/-/package/blocked/dist-tags",
    "/npm/-/whoami",
    "/-/why/pkg:npm/blocked",
  ];
  await world.sluice.setPolicy({ callers: "named" }, "named");
  await world.sluice.setPolicy({ closed: true }, "closed");
  for (const form of forms) {
    const nameless = await ask(`${world.site("named")}${form}`, { headers: PNPM });
    assert.equal(nameless.status, 401, form);
    assert.match(nameless.headers.get("www-authenticate") ?? "", /^Basic /, form);
    assert.equal((await ask(`${world.site("closed")}${form}`, { user: "ada" })).status, 403, form);
  }
  assert.equal(world.registry.upstream.requests.length, 0);
  for (const form of forms.slice(0, 5)) {
    assert.equal((await ask(`${world.site("named")}${form}`, { user: "ada" })).status, 200, form);
  }
});

Deno.test("a changed policy is in force in a running Sluice within a second, on every form at once", async () => {
  await using world = await createRows();
  const { sluice } = world;
  const site = world.site("blocked");
  const statuses = async () => [
    Object.keys((await ask(`${site}/npm/blocked`)).json().versions).length,
    (await ask(`${site}/npm/blocked/1.1.0`)).status,
    (await ask(`${site}/npm/blocked/-/blocked-1.1.0.tgz`)).status,
    (await ask(`${site}/-/why/pkg:npm/blocked@1.1.0`)).json().verdict,
  ];
  assert.deepEqual(await statuses(), [1, 403, 403, "deny"]);
  await sluice.setPolicy({}, "blocked");
  assert.deepEqual(await statuses(), [2, 200, 200, "allow"]);
  await sluice.setPolicy({ block: ["npm/blocked: ALL"] }, "blocked");
  assert.deepEqual(await statuses(), [0, 403, 403, "deny"]);
});

Deno.test("artifacts: upstream: links stay upstream's, each file is decided all the same, and what left is recorded", async () => {
  await using world = await createRows({ artifacts: "upstream" });
  for (const name of Object.keys(ROWS)) {
    const { versions } = (await ask(world.npm(name))).json();
    assert.deepEqual(Object.keys(versions), ["1.0.0"]);
    const theirs = new URL(world.registry.tarballPath(name, "1.0.0"), world.registry.upstream.url).href;
    assert.equal(versions["1.0.0"].dist.tarball, theirs);
    const allowed = await ask(`${world.npm(name)}/-/${name}-1.0.0.tgz`, { user: "ada" });
    assert.deepEqual([allowed.status, allowed.headers.get("location")], [302, theirs]);
    assert.equal(allowed.headers.get("cache-control"), "no-store");
    const refused = await ask(`${world.npm(name)}/-/${name}-1.1.0.tgz`, { user: "ada" });
    assert.equal(refused.status, 403);
    assert.ok(!refused.text.includes(world.registry.upstream.host));
    const outcomes = (await world.sluice.installs(name)).map(({ version, outcome }) =>
      `${version} ${outcome}`
    );
    assert.deepEqual(outcomes.toSorted(), ["1.0.0 served", "1.1.0 refused"]);
    assert.equal(world.registry.downloads(name, "1.0.0"), 0);
  }
});
