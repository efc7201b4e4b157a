/** Every admin page and every action × every role, another organisation's owner, the instance's owner, and nobody. */
import assert from "node:assert/strict";
import { ADMIN_PAGES } from "../../routes/admin/mod.ts";
import { greaterRole, type Role, ROLES } from "../../routes/auth/signed_in.ts";
import { eachOf } from "../contract/world.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { type SignedInTester, signIn } from "../fakes/signed_in.ts";
import { startSluice, type TestSluice } from "../fakes/sluice.ts";

/** Who may at least: of the organisation, or of the whole instance alone. */
type Least = Role | "instance";

interface Row {
  readonly show: Least;
  readonly actions?: Readonly<Record<string, Least>>;
  /** Where it is, if its path names something. */
  readonly at?: string;
}

/** A page that is not here fails the test, and so does an action: whoever adds one says who it is for. */
const ROWS: Readonly<Record<string, Row>> = {
  overview: { show: "viewer", actions: { acknowledge: "operator" } },
  policy: { show: "viewer", actions: { edit: "editor" } },
  "policy/lists": { show: "viewer", actions: { edit: "editor" } },
  "policy/freezes": { show: "viewer", actions: { freeze: "editor", lift: "editor" } },
  "policy/json": { show: "viewer", actions: { edit: "editor" } },
  "policy/history": { show: "viewer", actions: { restore: "editor" } },
  "policy/history/{revision}": { show: "viewer", actions: { restore: "editor" }, at: "policy/history/1" },
  packages: { show: "viewer" },
  "packages/{purl...}": {
    show: "viewer",
    actions: {
      freeze: "editor",
      unfreeze: "editor",
      override: "editor",
      purge: "instance",
      look: "operator",
    },
    at: "packages/pkg:npm/left-pad",
  },
  waivers: {
    show: "viewer",
    actions: { grant: "approver", decline: "approver", "grant-new": "approver", revoke: "approver" },
  },
  "waivers/in-force": { show: "viewer", actions: { revoke: "approver" } },
  "waivers/answered": { show: "viewer" },
  "waivers/ended": { show: "viewer" },
  "waivers/requests/{id}": {
    show: "viewer",
    actions: { grant: "approver", decline: "approver" },
    at: "waivers/requests/none",
  },
  installs: { show: "viewer" },
  "installs/export": { show: "viewer" },
  "installs/who": { show: "viewer" },
  cache: {
    show: "instance",
    actions: { look: "instance", purge: "instance", pin: "instance", unpin: "instance" },
  },
  tokens: {
    show: "viewer",
    actions: { "make-own": "viewer", "revoke-own": "viewer", make: "owner", revoke: "owner" },
  },
  members: { show: "owner", actions: { add: "owner", remove: "owner", "sign-out": "owner" } },
  webhooks: { show: "editor", actions: { add: "editor", remove: "editor", test: "editor" } },
  audit: { show: "viewer" },
  "audit/{id}": { show: "viewer", at: "audit/none" },
  floor: { show: "instance", actions: { edit: "instance" } },
  "floor/json": { show: "instance", actions: { edit: "instance" } },
  "floor/history": { show: "instance", actions: { restore: "instance" } },
  "floor/history/{revision}": {
    show: "instance",
    actions: { restore: "instance" },
    at: "floor/history/1",
  },
  organisations: { show: "instance", actions: { create: "instance", delete: "instance" } },
};

interface Person {
  readonly title: string;
  /** null: none in this organisation. */
  readonly role: Role | null;
  readonly isInstanceOwner: boolean;
  readonly tester: SignedInTester;
}

async function everybody(sluice: TestSluice): Promise<readonly Person[]> {
  const people: Person[] = [];
  for (const role of ROLES) {
    const tester = await signIn(sluice, { user: role, role, organisation: "acme" });
    people.push({ title: role, role, isInstanceOwner: false, tester });
  }
  const other = await signIn(sluice, { user: "other", role: "owner", organisation: "beta" });
  people.push({ title: "another organisation's owner", role: null, isInstanceOwner: false, tester: other });
  const nobody = await signIn(sluice, { user: "nobody", role: null });
  people.push({ title: "somebody without a role", role: null, isInstanceOwner: false, tester: nobody });
  const root = await signIn(sluice, { user: "root", role: null });
  people.push({ title: "the instance's owner", role: "owner", isInstanceOwner: true, tester: root });
  return people;
}

function may({ role, isInstanceOwner }: Person, least: Least): boolean {
  if (least === "instance") return isInstanceOwner;
  return role !== null && greaterRole(role, least) === role;
}

const ENV = { SLUICE_OWNERS: "github:root" };

/** Some actions ask the registry: it is one of the test's own. */
async function world(): Promise<TestSluice> {
  const registry = await startNpmRegistry();
  registry.publish({ name: "left-pad", releases: { "1.3.0": {} } });
  const sluice = await startSluice({ env: { ...ENV, SLUICE_UPSTREAM_NPM: registry.upstream.url } });
  for (const id of ["acme", "beta"]) await sluice.setPolicy({}, id);
  return {
    ...sluice,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

function addressOf(path: string, organisation = "acme"): string {
  return `/-/admin/${organisation}/${ROWS[path]?.at ?? path}`;
}

Deno.test("admin pages: each has a row, and each of its actions", () => {
  const pages = Object.fromEntries(
    ADMIN_PAGES.map(({ path, actions = {} }) => [path, Object.keys(actions).toSorted()]),
  );
  const rows = Object.fromEntries(
    Object.entries(ROWS).map(([path, { actions = {} }]) => [path, Object.keys(actions).toSorted()]),
  );
  assert.deepEqual(rows, pages);
});

Deno.test("admin pages: every one × every role × another organisation × nobody; none holds a script, or may be framed", async () => {
  await using sluice = await world();
  const people = await everybody(sluice);
  const all = Object.entries(ROWS).flatMap(([path, row]) => people.map((person) => ({ path, row, person })));
  await eachOf(all, async ({ path, row, person }) => {
    const response = await person.tester.get(addressOf(path));
    const text = await response.text();
    const what = `${path} by ${person.title}: ${response.status} ${text.slice(0, 3_000)}`;
    if (may(person, row.show)) assert.ok(response.status !== 403 && response.status < 500, what);
    else assert.equal(response.status, 403, what);
    assertSafe(response, text, what);
  });
  for (const path of Object.keys(ROWS)) {
    const stranger = await fetch(`${sluice.url}${addressOf(path)}`, { redirect: "manual" });
    await stranger.body?.cancel();
    const to = new URL(stranger.headers.get("location") ?? "/", sluice.url);
    assert.deepEqual([stranger.status, to.pathname], [303, "/-/auth/sign-in"], path);
  }
});

function assertSafe(response: Response, text: string, what: string): void {
  assert.equal(response.headers.get("set-cookie"), null, what);
  assert.equal(response.headers.get("cache-status"), "sluice; detail=generated", what);
  assert.equal(response.headers.get("x-content-type-options"), "nosniff", what);
  assert.match(response.headers.get("cache-control") ?? "", /no-store/, what);
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/, what);
  assert.ok(!policy.includes("unsafe"), what);
  if (!(response.headers.get("content-type") ?? "").startsWith("text/html")) return;
  assert.match(policy, /frame-ancestors 'none'/, what);
  assert.match(policy, /form-action 'self'/, what);
  assert.match(policy, /base-uri 'none'/, what);
  assert.ok(!/<script|<style|<iframe|<object|\sstyle=|\son[a-z]+=|javascript:/i.test(text), what);
}

Deno.test("admin actions: every one × every role × another organisation × nobody", async () => {
  await using sluice = await world();
  const people = await everybody(sluice);
  const all = Object.entries(ROWS).flatMap(([path, { show, actions = {} }]) =>
    Object.entries(actions).flatMap(([action, least]) =>
      people.map((person) => ({ path, show, action, least, person }))
    )
  );
  await eachOf(all, async ({ path, show, action, least, person }) => {
    const response = await person.tester.post(addressOf(path), { action });
    const text = await response.text();
    const what = `${path} ${action} by ${person.title}: ${response.status} ${text.slice(0, 3_000)}`;
    if (may(person, least) && may(person, show)) {
      // Nothing is filled in: it is told what is missing, or done.
      assert.ok(response.status !== 403 && response.status < 500, what);
    } else assert.equal(response.status, 403, what);
  });
  for (const path of Object.keys(ROWS)) {
    const stranger = await fetch(`${sluice.url}${addressOf(path)}`, {
      method: "POST",
      headers: { "sec-fetch-site": "same-origin" },
      body: new URLSearchParams({ action: "edit" }),
      redirect: "manual",
    });
    await stranger.body?.cancel();
    assert.equal(stranger.status, 401, `nobody's form is not looked at: ${path}`);
  }
});

/** What a browser says of a form, and whether it is one of ours. */
const SENDERS: readonly (readonly [string, Readonly<Record<string, string | null>>, boolean])[] = [
  ["a page of ours", { "sec-fetch-site": "same-origin" }, true],
  ["an organisation's host", { "sec-fetch-site": "same-site" }, false],
  ["another site", { "sec-fetch-site": "cross-site" }, false],
  ["no page at all", { "sec-fetch-site": "none" }, false],
  ["another site, with our token", { "sec-fetch-site": "cross-site", origin: "{base}" }, false],
  ["an old browser, a page of ours", { origin: "{base}" }, true],
  ["an old browser, another site", { origin: "https://evil.example" }, false],
  ["an old browser, an organisation's host", { origin: "http://acme.{host}" }, false],
  ["an old browser, a sandboxed frame", { origin: "null" }, false],
  ["no browser that says anything", {}, false],
  ["an old browser, without the token", { origin: "{base}", token: "" }, false],
  ["an old browser, with another's token", { origin: "{base}", token: "x".repeat(43) }, false],
];

Deno.test("forms: every page's, and the sign-out, are taken from a page of ours alone", async () => {
  await using sluice = await world();
  const root = await signIn(sluice, { user: "root", role: null });
  const withForms = Object.keys(ROWS).filter((path) => ROWS[path]?.actions !== undefined);
  const addresses = [...withForms.map((path) => addressOf(path)), "/-/auth/sign-out"];
  const all = addresses.flatMap((address) => SENDERS.map((sender) => ({ address, sender })))
    // What is taken ends the session at the sign-out.
    .filter(({ address, sender: [, , isOurs] }) => !(address.endsWith("sign-out") && isOurs));
  await eachOf(all, async ({ address, sender: [title, { token, ...headers }, isOurs] }) => {
    const filled = Object.entries(headers).map(([name, value]) => [
      name,
      (value ?? "").replace("{base}", sluice.url).replace("{host}", new URL(sluice.url).host),
    ]);
    const response = await fetch(`${sluice.url}${address}`, {
      method: "POST",
      headers: { cookie: root.cookie, ...Object.fromEntries(filled) },
      body: new URLSearchParams({ action: "none-such", token: token ?? root.formToken }),
      redirect: "manual",
    });
    const text = await response.text();
    const what = `${address} from ${title}: ${response.status} ${text.slice(0, 2_000)}`;
    assert.equal(response.status, isOurs ? 400 : 403, what);
    assert.match(text, isOurs ? /There is no action/ : /not sent from a page of Sluice/, what);
  });
});
