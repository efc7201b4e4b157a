/** Every route there is × organisations by path and by label × methods: nothing of a package without a decision. */
import assert from "node:assert/strict";
import { ECOSYSTEMS } from "../../ecosystems/mod.ts";
import { type Answer, exchange } from "../../routes/testing.ts";
import { SITE_PATHS } from "../../routes/site.tsx";
import type { InstallRecord } from "../../storage/installs/log.ts";
import type { SampleAsk } from "./sample.ts";
import { loadSamples } from "./samples.ts";
import { eachOf, filesIn, PRIVATE, startWorld, type World } from "./world.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
const BASE = "sluice.test";
/** Withholds something of every package, so that every answer about one has a decision to name. */
const POLICY = { minimumAge: "95d", unknownAge: "strict" };

/** Where a route is mounted: the Host that is sent, the path before it, and whose it is. */
interface Site {
  readonly host: string;
  readonly prefix: string;
  readonly organisation: string;
}

const SITES: readonly Site[] = [
  { host: BASE, prefix: "", organisation: "default" },
  { host: BASE, prefix: "/o/acme", organisation: "acme" },
  { host: `acme.${BASE}`, prefix: "", organisation: "acme" },
  { host: `acme.${BASE}`, prefix: "/o/acme", organisation: "acme" },
];

interface Route {
  readonly title: string;
  /** Below the site. */
  readonly path: string;
  readonly ask: SampleAsk | null;
  /** As it introduces itself; default: a stranger. */
  readonly client?: string;
}

interface Hit extends Route {
  readonly site: Site;
  readonly method: string;
  readonly answer: Answer;
}

for (const sampled of await loadSamples()) {
  const { ecosystem, sample } = sampled;

  Deno.test(`${sample.title}: no route answers with upstream's bytes without a decision, or for everybody to keep`, async () => {
    await using world = await startWorld(sampled, { env: { SLUICE_BASE_URL: `http://${BASE}/` } });
    for (const organisation of ["default", "acme"]) await world.sluice.setPolicy(POLICY, organisation);
    // The why pages last: they speak of what was asked for.
    const registry = await askEverywhere(world, registryRoutes(world, ecosystem.id));
    const hits = [...registry, ...await askEverywhere(world, siteRoutes(world, ecosystem.purlType))];
    await assertHits(world, hits);
    assertPagesReached(hits);
    assertAsksReached(hits);
    const root = hits.filter((hit) => hit.title === LOST && hit.answer.status === 200);
    assert.ok(root.every(({ site }) => site.host !== BASE && site.prefix === ""), "the root is nobody's");
  });

  Deno.test(`${sample.title}: at the root of a host, beside every other ecosystem, its clients have the same of it as at its mount`, async () => {
    const root = ECOSYSTEMS.map(({ id }) => id).join(",");
    const env = { SLUICE_BASE_URL: `http://${BASE}/`, SLUICE_ROOT: root };
    await using world = await startWorld(sampled, { env });
    for (const organisation of ["default", "acme"]) await world.sluice.setPolicy(POLICY, organisation);
    const routes = rootRoutes(world, ecosystem.clients[0]!);
    const hits = await askEverywhere(world, routes, {
      methods: ["GET"],
      sites: SITES.filter(({ prefix }) => prefix === ""),
    });
    await assertHits(world, hits);
    assertAsksReached(hits);
  });
}

/** What a client asks for that lost the prefix of its registry's address. */
const LOST = "file without its prefix";

/** `*` stands for what a page is about. */
function siteRoutes({ published }: World, purlType: string): readonly Route[] {
  const purls = [published.plain, published.odd[0]!].flatMap(({ name, releases }) => [
    `pkg:${purlType}/${encodeURI(name)}`,
    ...releases.map(({ version }) => `pkg:${purlType}/${encodeURI(name)}@${encodeURIComponent(version)}`),
  ]);
  return SITE_PATHS.flatMap((path) =>
    path.endsWith("/*")
      ? purls.map((purl) => ({ title: path, path: path.slice(0, -1) + purl, ask: null }))
      : [{ title: path, path, ask: null }]
  );
}

/** At the mount, and (where a client may have lost it) at the root; of the odd names the first stands for all. */
function registryRoutes(world: World, id: string): readonly Route[] {
  return someAsks(world).flatMap((ask) => {
    const route = { title: `${ask.method} ${ask.title}`, path: `/${id}/${ask.path}`, ask };
    const atRoot = { ...route, title: LOST, path: `/${ask.path}` };
    return ask.kind === "artifact" ? [route, atRoot] : [route];
  });
}

/** The same below no mount. */
function rootRoutes(world: World, client: string): readonly Route[] {
  return someAsks(world).filter(({ method }) => method === "GET")
    .map((ask) => ({ title: `root ${ask.title}`, path: `/${ask.path}`, ask, client }));
}

function someAsks({ asks, published }: World): readonly SampleAsk[] {
  const { plain, marked, odd: [odd] } = published;
  const names = new Set([null, plain.name, marked.name, odd!.name]);
  return asks.filter((ask) => names.has(ask.package));
}

async function askEverywhere(
  world: World,
  routes: readonly Route[],
  { methods = METHODS, sites = SITES }: {
    readonly methods?: readonly string[];
    readonly sites?: readonly Site[];
  } = {},
): Promise<readonly Hit[]> {
  const all = sites.flatMap((site) =>
    routes.flatMap((route) => methods.map((method) => ({ ...route, site, method })))
  );
  return await eachOf(all, async (each) => ({ ...each, answer: await request(world, each) }));
}

async function request(
  world: World,
  { site, method, path, ask, client }: Route & Pick<Hit, "site" | "method">,
): Promise<Answer> {
  const body = method === "GET" || method === "HEAD" ? "" : ask?.body ?? "{}";
  const fields = {
    host: site.host,
    connection: "close",
    "user-agent": `${client ?? "contract-suite"}/1`,
    ...ask?.headers,
    ...(body === "" ? {} : { "content-length": String(body.length), "content-type": "application/json" }),
  };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const answer = await exchange(
    world.sluice.port,
    `${method} ${site.prefix}${path} HTTP/1.1\r\n${head}\r\n${body}`,
  );
  assert.ok(answer !== null, `${method} ${path}: no answer`);
  return answer;
}

async function assertHits(world: World, hits: readonly Hit[]): Promise<void> {
  const installs = new Map<string, readonly InstallRecord[]>();
  for (const id of ["default", "acme"]) installs.set(id, await world.sluice.installs(id));
  for (const hit of hits) assertHit(world, hit, installs.get(hit.site.organisation)!);
  assert.deepEqual(world.sluice.lines.filter(({ level }) => level === "error"), []);
}

function assertHit(world: World, hit: Hit, installs: readonly InstallRecord[]): void {
  const { method, site, path, answer, ask } = hit;
  const what = `${method} ${site.host}${site.prefix}${path}: ${answer.status}`;
  assert.match(answer.headers.get("cache-control") ?? "", PRIVATE, what);
  if (method === "HEAD") assert.equal(answer.body.length, 0, what);
  assert.equal(answer.headers.get("x-powered-by"), null);
  const decision = answer.headers.get("x-sluice-decision");
  const files = filesIn(world.answers, answer.body);
  for (const { file } of files) {
    assert.equal(answer.status, 200, what);
    assert.equal(method, "GET", what);
    const record = installs.find((install) =>
      install.file === file!.filename && install.outcome === "served"
    );
    assert.ok(record !== undefined && record.decisionId !== "", `${what} is in no log`);
    assert.equal(file!.version, world.sample.stable[0], `${what}: that is too young`);
  }
  if (files.length > 0 || answer.status >= 300) return;
  // Not a file: whatever tells of a release's files has a decision to its name.
  const tells = world.asks.some(({ filename }) => filename !== null && answer.text.includes(filename));
  const isOfOne = ask !== null && ["index", "version", "artifact", "sidecar"].includes(ask.kind);
  if (tells || (isOfOne && method === "GET")) assert.ok(decision, `${what} has no decision`);
}

/** That the enumeration means something: each page was reached, in each organisation. */
function assertPagesReached(hits: readonly Hit[]): void {
  for (const site of SITES) {
    const own = hits.filter((hit) => hit.site === site);
    for (const path of SITE_PATHS) {
      // Health is the instance's, not an organisation's.
      if (path === "/health" && site.prefix !== "") continue;
      const found = own.some((hit) =>
        hit.title === path && hit.method === "GET" && (hit.answer.status === 200 || ofAPerson(hit))
      );
      assert.ok(found, `${site.host}${site.prefix}: ${path}`);
    }
  }
}

/** Nobody is signed in here: they are sent to the sign-in, or told that they began none. */
function ofAPerson({ title, answer }: Hit): boolean {
  return /^\/-\/(?:admin|auth)\b/.test(title) && (answer.status === 303 || answer.status === 400);
}

/** The same of what clients ask for, and some of it files. */
function assertAsksReached(hits: readonly Hit[]): void {
  for (const site of new Set(hits.map((hit) => hit.site))) {
    const own = hits.filter((hit) => hit.site === site);
    for (const hit of own.filter(({ ask, method }) => ask !== null && ask.method === method)) {
      if (hit.ask!.kind === "publish" || hit.title === LOST) continue;
      assert.ok(
        [200, 301, 302, 401, 403, 404].includes(hit.answer.status),
        `${hit.title}: ${hit.answer.status}`,
      );
      if (hit.ask!.complete) {
        assert.equal(hit.answer.status, 200, `${hit.title} ${hit.path}: ${hit.answer.text}`);
      }
    }
    const files = own.filter((hit) =>
      hit.ask?.kind === "artifact" && hit.answer.status === 200 && hit.method === "GET"
    );
    assert.ok(files.length > 0, `no file was had at ${site.host}${site.prefix}`);
  }
}
