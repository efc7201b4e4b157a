/** A package's page, the search for it and the filters of installs: whatever is cached, however a package is written. */
import assert from "node:assert/strict";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { type SignedInTester, signIn } from "../fakes/signed_in.ts";
import { daysAgo, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const PACKAGES = "/-/admin/default/packages";
/** However the trail words it. */
const PURGED = /purge[a-z ]* pkg:npm\/left-pad/i;
const LEFT_PAD = `${PACKAGES}/pkg:npm/left-pad`;

async function world() {
  const registry = await startNpmRegistry();
  registry.publish({
    name: "left-pad",
    releases: { "1.3.0": { publishedAt: daysAgo(300) }, "1.3.1": { publishedAt: daysAgo(2) } },
  });
  registry.upstream.answer("/never-heard", { status: 404, body: "{}" });
  const sluice = await startSluice({
    env: { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_OWNERS: "github:root" },
  });
  return {
    registry,
    sluice,
    root: await signIn(sluice, { user: "root", role: null }),
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

async function install(sluice: TestSluice, version = "1.3.0", at = ""): Promise<number> {
  await ask(`${sluice.url}${at}/npm/left-pad`, { user: "ada" });
  return (await ask(`${sluice.url}${at}/npm/left-pad/-/left-pad-${version}.tgz`, { user: "ada" })).status;
}

/** What a person sees of it: without marks, runs of white space one space. */
async function seen(response: Response, status = 200): Promise<string> {
  const html = await response.text();
  assert.equal(response.status, status, html.slice(0, 2_000));
  return html.replaceAll(/<[^>]*>/g, " ").replaceAll("&quot;", '"').replaceAll(/\s+/g, " ");
}

async function followed(tester: SignedInTester, response: Response): Promise<string> {
  assert.equal(response.status, 303, await response.text());
  return await seen(await tester.get(response.headers.get("location")!));
}

async function ledTo(response: Response): Promise<string> {
  assert.equal(response.status, 303, await response.text());
  return decodeURIComponent(response.headers.get("location")!);
}

Deno.test("Package: of which nothing was ever heard it has list entries and forms, and takes a block", async () => {
  await using w = await world();
  const { sluice, root } = w;
  await sluice.setPolicy({ block: ["npm/never-*"], allow: ["npm/other"] });
  await sluice.setFloor({ deny: [{ purl: "npm/never_heard", reason: "a stop for all" }] });
  const page = `${PACKAGES}/pkg:npm/never-heard`;
  const empty = await seen(await root.get(page));
  assert.ok(empty.includes("Nothing is cached of it here"), empty);
  assert.ok(empty.includes("npm/never-*") && empty.includes("a stop for all"));
  assert.ok(!empty.includes("npm/other") && !empty.includes("Purge it"));
  const block = { action: "override", effect: "deny", version: "1.0.0", reason: "unheard of" };
  const blocked = await followed(root, await root.post(page, block));
  assert.ok(blocked.includes("Blocked") && blocked.includes("npm/never-heard==1.0.0"), blocked);
  const vera = await signIn(sluice, { user: "vera", role: "viewer" });
  const looked = await seen(await vera.get(page));
  assert.ok(
    looked.includes("unheard of") && !looked.includes("Look it up now") && !looked.includes("Freeze"),
  );
  const unknown = await seen(await root.post(page, { action: "look" }), 422);
  assert.ok(unknown.includes('There is no package "never-heard"'), unknown);
});

Deno.test("Package: no purl, a name that none has, or another ecosystem is said to be that", async () => {
  await using w = await world();
  const { root } = w;
  for (
    const [path, sentence] of [
      ["pkg:npm/.hidden", 'No package of npm can be called ".hidden"'],
      ["pkg:npm/a/b", "No package of npm can be called"],
      ["pkg:pypi/-x", "No package of PyPI can be called"],
      ["pkg:cargo/a.b", "No package of Cargo can be called"],
      ["pkg:gem/rails", "is of no ecosystem here: pkg:npm/, pkg:cargo/, pkg:pypi/"],
      ["left-pad", "is no purl of a package"],
    ]
  ) {
    const said = await seen(await root.get(`${PACKAGES}/${path}`), 400);
    assert.ok(said.includes(sentence!) && said.includes("No such package"), said);
  }
});

Deno.test("Package: an organisation's own members see what it asked for, an index alone too, and nothing that others asked for", async () => {
  await using w = await world();
  const { sluice } = w;
  for (const id of ["acme", "beta"]) await sluice.setPolicy({}, id);
  await ask(`${sluice.url}/o/acme/npm/left-pad`);
  const releasesFor = async (organisation: string) => {
    const member = await signIn(sluice, { user: organisation, role: "operator", organisation });
    return await seen(await member.get(`/-/admin/${organisation}/packages/pkg:npm/left-pad`));
  };
  const [acme, beta] = [await releasesFor("acme"), await releasesFor("beta")];
  assert.ok(acme.includes("1.3.1") && acme.includes("held"), acme);
  assert.ok(beta.includes("Nothing is cached of it here") && !beta.includes("1.3.1"), beta);
});

Deno.test("Package: after its purge, frozen, one stays on its page, which is looked up again from there; the organisation's trail has it", async () => {
  await using w = await world();
  const { sluice, root } = w;
  await sluice.setPolicy({}, "acme");
  const page = "/-/admin/acme/packages/pkg:npm/left-pad";
  assert.equal(await install(sluice, "1.3.0", "/o/acme"), 200);
  await followed(root, await root.post(page, { action: "freeze", reason: "as it is" }));
  const purged = await followed(root, await root.post(page, { action: "purge" }));
  assert.ok(purged.includes("What was cached of it is taken away"), purged);
  assert.ok(purged.includes("Nothing is cached of it here") && purged.includes("by root: as it is"), purged);
  assert.ok(/ada 1\.3\.0 1 /.test(purged), "who installed it");
  const eve = await signIn(sluice, { user: "eve", role: "viewer", organisation: "acme" });
  assert.match(await seen(await eve.get("/-/admin/acme/audit")), PURGED);
  assert.ok(!PURGED.test(await seen(await root.get("/-/admin/default/audit"))));
  assert.match(await seen(await root.get("/-/admin/default/audit?everywhere=true")), PURGED);
  const looked = await followed(root, await root.post(page, { action: "look" }));
  assert.ok(looked.includes("It was looked up") && looked.includes("1.3.1"), looked);
  assert.equal(w.registry.downloads("left-pad", "1.3.0"), 1, "no file is fetched by looking");
});

Deno.test("Package: a waiver is named as the reason with its end and who gave it; every file has its stated digest", async () => {
  await using w = await world();
  const { sluice, root } = w;
  assert.equal(await install(sluice), 200);
  const held = await seen(await root.get(LEFT_PAD));
  assert.match(held, /1\.3\.1 .*held matures .*\( Minimum age \) 1, none cached/);
  assert.match(held, /left-pad-1\.3\.1\.tgz not cached sha512:[0-9a-f]{128}/);
  assert.match(
    held,
    /left-pad-1\.3\.0\.tgz cached .*? sha512:[0-9a-f]{128} sha1:[0-9a-f]{40} sha256:[0-9a-f]{64} \(of what is/,
  );
  await root.post("/-/admin/default/waivers", {
    ...{ action: "grant-new", purl: "pkg:npm/left-pad@1.3.1", reason: "a fix that we need", for: "mature" },
  });
  sluice.advance(1_001);
  const waived = await seen(await root.get(LEFT_PAD));
  assert.match(
    waived,
    /1\.3\.1 .*?allowed waiver by root, which ends [a-z0-9 ]+, as it matures: a fix that we need lifts: published .*? \(Minimum age\) /,
  );
});

Deno.test("Packages: a purl, or the name with its ecosystem, leads to its page; what is neither is said beside the field", async () => {
  await using w = await world();
  const { root } = w;
  const search = (q: string) => root.get(`${PACKAGES}?${new URLSearchParams({ q })}`);
  for (
    const [q, to] of [
      ["pkg:npm/left-pad", "pkg:npm/left-pad"],
      ["npm/left-pad", "pkg:npm/left-pad"],
      ["NPM/@acme/ui@1.0.0", "pkg:npm/@acme/ui@1.0.0"],
      ["pkg:npm/%40acme/ui", "pkg:npm/@acme/ui"],
      ["pypi/Flask_Login==1.0", "pkg:pypi/flask-login@1.0"],
    ]
  ) {
    assert.equal(await ledTo(await search(q!)), `${PACKAGES}/${to}`);
  }
  assert.equal((await root.get(await ledTo(await search("npm/@acme/ui")))).status, 200);
  const gem = await seen(await search("pkg:gem/rails"), 400);
  assert.ok(gem.includes("is of no ecosystem here: pkg:npm/, pkg:cargo/, pkg:pypi/"), gem);
  assert.ok((await seen(await search("some/words here"))).includes("Nothing that is cached is called so"));
});

Deno.test("Installs: a package however it is written fills the filters and keeps the others; contradictions are said beside the field", async () => {
  await using w = await world();
  const { sluice, root } = w;
  await install(sluice);
  const page = "/-/admin/default/installs";
  const at = (query: Record<string, string>) => root.get(`${page}?${new URLSearchParams(query)}`);
  for (
    const [written, filters] of [
      ["npm/left-pad", { ecosystem: "npm" }],
      ["pkg:npm/left-pad", { ecosystem: "npm" }],
      ["npm/left-pad@1.3.0", { ecosystem: "npm", version: "1.3.0" }],
      ["pkg:npm/left-pad@1.3.0", { ecosystem: "npm", version: "1.3.0" }],
      ["left-pad@1.3.0", { version: "1.3.0" }],
    ] as const
  ) {
    const to = new URL(
      await ledTo(await at({ package: written, user: "ada", since: "2026-01-01" })),
      sluice.url,
    );
    assert.deepEqual(Object.fromEntries(to.searchParams), {
      ...{ package: "left-pad", user: "ada", since: "2026-01-01" },
      ...filters,
    });
    assert.ok((await seen(await root.get(to.pathname + to.search))).includes("left-pad 1.3.0"), written);
  }
  const flask = new URL(await ledTo(await at({ package: "Flask", ecosystem: "PyPI" })), sluice.url);
  assert.deepEqual(Object.fromEntries(flask.searchParams), { package: "flask", ecosystem: "pypi" });
  const scoped = await seen(await at({ package: "@acme/ui" }));
  assert.ok(scoped.includes("Nothing matches"), "a scope is no ecosystem");
  for (
    const [query, field, sentence] of [
      [{ package: "%pad%" }, "package", "stands for any text"],
      [{ package: "left-pad", ecosystem: "gem" }, "ecosystem", "no ecosystem here: npm, cargo, pypi"],
      [{ package: "npm/left-pad@1.3.0", version: "1.3.1" }, "version", "The package says 1.3.0"],
      [{ package: "npm/left-pad", ecosystem: "cargo" }, "ecosystem", "The package is of npm"],
    ] as const
  ) {
    const response = await at(query);
    const html = await response.text();
    assert.equal(response.status, 400, html);
    const error = new RegExp(`<p class="error" id="e-${field}">([^<]*)`).exec(html)?.[1] ?? html;
    assert.ok(error.includes(sentence), error);
  }
  const who = await seen(await root.get(`${page}/who?package=%25pad%25`));
  assert.ok(who.includes("ada"), "there a pattern is understood");
  const exported = await (await root.get(`${page}/export?package=npm/left-pad@1.3.0`)).text();
  assert.equal(exported.trimEnd().split("\n").length, 1);
  const api = await root.get(`${page}/export?ecosystem=gem`);
  assert.equal(api.status, 400, await api.text());
});
