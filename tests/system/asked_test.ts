/** What only an index withheld: it leaves no line in the install log, and is told of all the same. */
import assert from "node:assert/strict";
import { held } from "../../cli/held.ts";
import { testIo } from "../../cli/testing.ts";
import { ADMIN_TOKEN, HOLDERS_ENV } from "../fakes/holders.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { signIn } from "../fakes/signed_in.ts";
import { daysAgo, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const YOUNG = { publishedAt: daysAgo(1) };
const OLD = { publishedAt: daysAgo(300) };
const DAY_MS = 86_400_000;
const PNPM = { "user-agent": "pnpm/10.9.0 npm/? node/v24.0.0 linux x64" };

async function withWorld(
  work: (
    sluice: TestSluice,
    env: Readonly<Record<string, string>>,
  ) => Promise<void>,
) {
  await using registry = await startNpmRegistry();
  registry.publish({ name: "young", releases: { "0.1.0": YOUNG } });
  registry.publish({ name: "grown", releases: { "1.0.0": OLD, "1.1.0": YOUNG } });
  registry.upstream.answer("/missing", { status: 404 });
  registry.publish({ name: "old", releases: { "1.0.0": OLD } });
  const env = { ...HOLDERS_ENV, SLUICE_UPSTREAM_NPM: registry.upstream.url };
  await using sluice = await startSluice({ env });
  await work(sluice, env);
}

// deno-lint-ignore no-explicit-any -- answers of any form
async function api(sluice: TestSluice, path: string, body?: unknown): Promise<any> {
  const response = await fetch(`${sluice.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return await response.json();
}

const heldOf = async (sluice: TestSluice, organisation = "default") => {
  // What was told is told again for five seconds.
  sluice.advance(6_000);
  const { held, total, packages } = await api(sluice, `/o/${organisation}/-/api/v1/held`);
  return { purls: held.map(({ purl }: { readonly purl: string }) => purl).sort(), total, packages };
};

const NONE = { purls: [], total: 0, packages: { looked: 0, of: 0, uncached: 0, more: false } };
const BOTH = {
  purls: ["pkg:npm/grown@1.1.0", "pkg:npm/young@0.1.0"],
  total: 2,
  packages: { looked: 3, of: 3, uncached: 0, more: false },
};

Deno.test("GET /held: what an index withheld, of the organisation that asked alone, and after a restart", () =>
  withWorld(async (sluice) => {
    await sluice.setPolicy({}, "other");
    assert.deepEqual(await heldOf(sluice), NONE);
    // Nothing is offered: clients are told by a document, or by a refusal.
    const refused = await ask(`${sluice.url}/npm/young`);
    assert.match(refused.text, /no release is allowed/i);
    assert.equal((await ask(`${sluice.url}/npm/grown`, { headers: PNPM })).status, 200);
    assert.equal((await ask(`${sluice.url}/npm/old`)).status, 200);
    assert.equal((await ask(`${sluice.url}/npm/missing`)).status, 404);
    assert.deepEqual(await sluice.installs(), []);
    assert.deepEqual(await heldOf(sluice), BOTH);
    assert.deepEqual(await heldOf(sluice, "other"), NONE);
    const cut = await api(sluice, "/-/api/v1/held?limit=1");
    assert.deepEqual([cut.held.length, cut.total], [1, 2]);
    const page = await (await signIn(sluice, { user: "ada", role: "viewer" })).get(
      "/-/admin/default/overview",
    );
    assert.match(await page.text(), /Looked at 3 of\s+3 packages that were asked for lately\./);
    await sluice.restart();
    assert.deepEqual(await heldOf(sluice), BOTH);
    assert.deepEqual(await heldOf(sluice, "other"), NONE);
    // Nobody asks for a month: it is nobody's any more.
    sluice.advance(31 * DAY_MS);
    assert.deepEqual(await heldOf(sluice), NONE);
  }));

Deno.test("GET /held: whoever is told 304 has asked, and what is asked for all the while stays", () =>
  withWorld(async (sluice) => {
    const etag = (await ask(`${sluice.url}/npm/old`)).headers.get("etag")!;
    await ask(`${sluice.url}/npm/grown`);
    for (let day = 0; day < 31; day += 10) {
      await sluice.maintain();
      assert.equal((await ask(`${sluice.url}/npm/old`, { headers: { "if-none-match": etag } })).status, 304);
      sluice.advance(10 * DAY_MS);
    }
    assert.deepEqual((await heldOf(sluice)).packages, { looked: 1, of: 1, uncached: 0, more: false });
  }));

Deno.test("POST …/policy/preview: what an index alone withheld would be let go, of the organisation that asked", () =>
  withWorld(async (sluice) => {
    await sluice.setPolicy({}, "other");
    for (const name of ["young", "grown", "old"]) await ask(`${sluice.url}/npm/${name}`);
    const preview = (organisation: string) =>
      api(sluice, `/-/api/v1/organisations/${organisation}/policy/preview`, {
        document: { minimumAge: "0d" },
      });
    const found = await preview("default");
    assert.deepEqual(
      found.letGo.releases.map(({ purl }: { readonly purl: string }) => purl).sort(),
      BOTH.purls,
    );
    assert.deepEqual(found.packages, { looked: 3, of: 3, uncached: 0, more: false });
    const other = await preview("other");
    assert.deepEqual([other.letGo.releaseCount, other.packages.of], [0, 0]);
  }));

Deno.test("deno task held: says how much it looked at, and warns where it could inspect none of it", () =>
  withWorld(async (sluice, env) => {
    const run = async (given: Readonly<Record<string, string>>) => {
      const io = { ...testIo({ cwd: sluice.data, env: given }), clock: sluice.now };
      assert.equal(await held(["--data", sluice.data], io), 0);
      return io.take();
    };
    assert.equal(
      (await run(env)).out,
      "Nothing of what was asked for lately is being held. No package was asked for yet.\n",
    );
    await ask(`${sluice.url}/npm/young`);
    await ask(`${sluice.url}/npm/old`);
    await sluice.maintain();
    const own = await run(env);
    assert.match(
      own.out,
      /pkg:npm\/young@0\.1\.0 +minimumAge[^]*\nLooked at 2 of 2 packages that were asked for lately\.\n$/,
    );
    assert.equal(own.err, "");
    const without = await run({});
    assert.match(
      without.out,
      /^Looked at 2 of 2 packages that were asked for lately; of 2 of them nothing is cached\.\n$/,
    );
    assert.match(without.err, /^Warning: .*--config FILE.*--server URL/);
  }));
