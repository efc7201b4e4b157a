/** Every route × everybody: made from the API's table, the pages' table and the asks of every ecosystem. */
import assert from "node:assert/strict";
import { ECOSYSTEMS } from "../../ecosystems/mod.ts";
import { REGISTRY_SCOPES } from "../../routes/registry_access.ts";
import { SITE_ACCESS } from "../../routes/site.tsx";
import { type Scope, SCOPES } from "../../storage/tokens.ts";
import { loadSamples, type Sampled } from "../contract/samples.ts";
import { type Answered, eachOf, send, startWorld, type World } from "../contract/world.ts";
import { allHolders, denialFor, headersOf, type Holder, HOLDERS_ENV, makeToken } from "../fakes/holders.ts";
import { NOW, startSluice } from "../fakes/sluice.ts";

/** Nothing else is open to anybody: whoever adds to this says why here. */
const OPEN_ENDPOINTS = ["openApi"];
/** What whoever installs may send: it asks somebody else to change something. */
const ASKS = ["askForWaiver"];
const OPEN_PAGES = [
  "/",
  "/health",
  "/-/health",
  "/-/ready",
  // Unless `metrics: token`.
  "/-/metrics",
  "/-/style.css",
  "/-/schema/policy.json",
  "/-/api/v1",
  "/-/api/v1/",
  // Whoever has no name or token here yet needs them first, and no secret is in them.
  "/-/setup",
  "/-/setup.sh",
  "/-/setup.ps1",
  // They lead whoever is not signed in to the sign-in; tests/system/admin_matrix_test.ts has the roles.
  "/-/admin",
  "/-/admin/*",
  // Whoever is not signed in is whom they are for.
  "/-/auth/sign-in",
  "/-/auth/callback",
  "/-/auth/sign-out",
];
const OWNERS = ["acme", "beta", null];

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly "x-sluice-scope": Scope | null;
  readonly "x-sluice-or-scope"?: Scope;
  readonly "x-sluice-whose": "instance" | "address" | "parameter";
}

Deno.test("API: every endpoint × every scope × own, other and no organisation × expired, revoked, mistyped, none", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  for (const id of ["acme", "beta"]) await sluice.setPolicy({ callers: "token" }, id);
  const holders = await allHolders(sluice, NOW, OWNERS);
  const document = await (await fetch(`${sluice.url}/-/api/v1/openapi.json`)).json();
  const rows = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation }))
  );
  assert.ok(rows.length >= 20, `${rows.length} endpoints`);
  assert.equal(new Set(rows.map(({ operation }) => operation.operationId)).size, rows.length);
  for (const { path, operation } of rows) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const described = operation.parameters.filter((each) => each.in === "path").map(({ name }) => name);
    assert.deepEqual(described.toSorted(), named.toSorted(), `${path}: its parameters`);
  }
  const open = rows.filter(({ operation }) => operation["x-sluice-scope"] === null);
  for (const { method, operation } of open) {
    assert.ok(OPEN_ENDPOINTS.includes(operation.operationId) && method === "GET", operation.operationId);
  }
  const all = rows.filter((row) => !open.includes(row)).flatMap((row) =>
    holders.map((holder) => ({ ...row, holder }))
  );
  await eachOf(all, async ({ path, method, operation, holder }) => {
    const scope = operation["x-sluice-scope"]!;
    const whose = operation["x-sluice-whose"];
    const orScope = operation["x-sluice-or-scope"];
    assert.ok(SCOPES.includes(scope), operation.operationId);
    assert.ok(
      orScope === undefined || method === "GET",
      `${operation.operationId}: what changes has one scope`,
    );
    assert.ok(
      method === "GET" || scope !== "read" || ASKS.includes(operation.operationId),
      `${operation.operationId}: whoever installs changes nothing`,
    );
    const place = whose === "address" ? "/o/acme" : "";
    const below = path.replace("{organisation}", "acme").replaceAll(/\{\w+\}/g, "none");
    // Nobody knows this name, so that whoever is let in does nothing either.
    const answer = await send(`${sluice.url}${place}/-/api/v1${below}?access-matrix=1`, {
      method,
      headers: headersOf(holder),
      ...(method === "GET" ? {} : { body: "{}" }),
    });
    const wanted = denialFor(holder, { scope, orScope, organisation: whose === "instance" ? null : "acme" });
    const what = `${method} ${place}${path} by ${holder.title}: ${answer.status} ${answer.text}`;
    assertDenial(answer, wanted, holder, what);
    if (wanted === null) {
      assert.ok(method === "GET" || answer.status === 400, `a query that it does not know passes: ${what}`);
      assert.ok(answer.status < 500, what);
    } else assert.equal(answer.headers.get("content-type"), "application/problem+json", what);
  });
});

Deno.test("API: who may not is told no more where there is no such organisation; elsewhere an endpoint is not", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  for (const id of ["acme", "beta"]) await sluice.setPolicy({}, id);
  const { secret } = await makeToken(sluice, NOW, { organisation: "acme", scopes: ["admin"] });
  const texts = await Promise.all(
    ["beta", "nobody"].flatMap((id) =>
      [{ secret }, { secret: null }].map(async (holder) => {
        const headers = headersOf(holder);
        const { status, text } = await send(`${sluice.url}/-/api/v1/organisations/${id}/policy`, { headers });
        return `${status} ${text}`;
      })
    ),
  );
  assert.deepEqual(texts.slice(0, 2), texts.slice(2));
  const headers = headersOf({ secret });
  const { status } = await send(`${sluice.url}/o/acme/-/api/v1/organisations/acme/policy`, { headers });
  assert.equal(status, 404);
});

Deno.test("pages: every one × everybody", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  for (const id of ["acme", "beta"]) await sluice.setPolicy({ callers: "token" }, id);
  const holders = await allHolders(sluice, NOW, OWNERS);
  const pages = Object.entries<Scope | null>(SITE_ACCESS);
  for (const [path, scope] of pages) assert.ok(scope !== null || OPEN_PAGES.includes(path), path);
  const all = pages.flatMap(([path, scope]) => holders.map((holder) => ({ path, scope, holder })));
  await eachOf(all, async ({ path, scope, holder }) => {
    const below = path.replace("*", "pkg:npm/nothing@1.0.0");
    // Health is the instance's.
    const place = path === "/health" ? "" : "/o/acme";
    const answer = await send(`${sluice.url}${place}${below}`, { headers: headersOf(holder) });
    const wanted = scope === null ? null : denialFor(holder, { scope, organisation: "acme" });
    assertDenial(answer, wanted, holder, `${path} by ${holder.title}: ${answer.status} ${answer.text}`);
  });
});

const kinds = new Set<string>();

/** One for each ecosystem: an upstream's other shapes ask for the same. */
const samples = new Map((await loadSamples()).map((sampled) => [sampled.ecosystem.id, sampled]));

for (const sampled of samples.values()) {
  Deno.test(`registry ${sampled.sample.title}: every ask × everybody; PUT, POST and DELETE of whoever may not publish`, async () => {
    await using world = await startWorld(sampled, { env: HOLDERS_ENV });
    const { sluice } = world;
    const policy = { minimumAge: "0d", unknownAge: "allow", yanked: "allow" };
    for (const id of ["acme", "beta"]) await sluice.setPolicy({ ...policy, callers: "token" }, id);
    const holders = [
      ...(await allHolders(sluice, NOW, OWNERS)),
      await ofEcosystems(world, sampled, "its own"),
      await ofEcosystems(world, sampled, "another"),
    ];
    const asks = oneOfEachTitle(world);
    for (const { kind } of asks) kinds.add(kind);
    const mount = `${sluice.url}/o/acme/${sampled.ecosystem.id}`;
    const all = asks.flatMap((ask) => holders.map((holder) => ({ ask, holder })));
    await eachOf(all, async ({ ask, holder }) => {
      const answer = await send(`${mount}/${ask.path}`, {
        ...ask,
        headers: { ...ask.headers, ...headersOf(holder) },
      });
      const scope = REGISTRY_SCOPES[ask.kind];
      const wanted = denialFor(holder, { scope, organisation: "acme", ecosystem: sampled.ecosystem.id });
      const what = `${ask.title} by ${holder.title}: ${answer.status} ${answer.text.slice(0, 200)}`;
      assertDenial(answer, wanted, holder, what);
      if (ask.kind === "publish") assert.ok(answer.status >= 400, what);
      else if (wanted === null) assert.ok([200, 301, 404].includes(answer.status), what);
    });
    await assertOnlyReads(world, mount, holders.find(({ title }) => title === "acme's read")!);
    await assertNobodyPublishes(world, sampled);
  });
}

Deno.test("registry: every kind of ask that has a row was asked", () => {
  assert.deepEqual([...kinds].sort(), Object.keys(REGISTRY_SCOPES).sort());
});

async function ofEcosystems({ sluice }: World, { ecosystem }: Sampled, which: string): Promise<Holder> {
  const other = ECOSYSTEMS.find(({ id }) => id !== ecosystem.id)!.id;
  const ecosystems = which === "another" ? [other] : [ecosystem.id];
  const given = { organisation: "acme", scopes: ["read", "publish"], ecosystems } as const;
  const { secret } = await makeToken(sluice, NOW, given);
  return { ...given, title: `acme's read and publish for ${which} ecosystem`, is: "good", secret };
}

function oneOfEachTitle({ asks, published }: World) {
  const own = asks.filter((ask) => ask.package === null || ask.package === published.plain.name);
  return [...new Map(own.map((ask) => [`${ask.method} ${ask.title}`, ask])).values()];
}

/** With a token that only reads: what a path is published by, at every path that is read. */
async function assertOnlyReads(world: World, mount: string, reader: Holder): Promise<void> {
  const tried = oneOfEachTitle(world).flatMap((ask) =>
    ["PUT", "POST", "DELETE"].map((method) => ({ ask, method }))
  );
  await eachOf(tried.filter(({ ask }) => ask.kind !== "forward"), async ({ ask, method }) => {
    const answer = await send(`${mount}/${ask.path}`, { method, headers: headersOf(reader), body: "{}" });
    assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${ask.path}: ${answer.status}`);
  });
}

/** Where anyone may read: once packages are hosted, nobody's publish must be 401 here. */
async function assertNobodyPublishes({ sluice, asks }: World, { ecosystem }: Sampled): Promise<void> {
  for (const ask of asks.filter(({ kind }) => kind === "publish")) {
    const answer = await send(`${sluice.url}/${ecosystem.id}/${ask.path}`, ask);
    assert.ok([401, 405].includes(answer.status), `${ask.title}: ${answer.status}`);
  }
}

function assertDenial(answer: Answered, wanted: 401 | 403 | null, holder: Holder, what: string): void {
  assert.match(answer.headers.get("cache-status") ?? "", /^sluice; (hit|fwd=|detail=)/, what);
  if (wanted === null) return assert.ok(answer.status !== 401 && answer.status !== 403, what);
  assert.equal(answer.status, wanted, what);
  const words =
    { none: /token/, expired: /has expired/, unknown: /is not known here/, good: /This/ }[holder.is];
  assert.match(answer.text, words, what);
  assert.equal(answer.headers.get("cache-control"), "no-store", what);
  assert.equal(answer.headers.has("www-authenticate"), wanted === 401, what);
  if (holder.secret !== null) assert.ok(!answer.text.includes(holder.secret.slice(-20)), what);
}
