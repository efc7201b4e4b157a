/** What is wrong is raised once, counted, told to webhooks when it begins and when it is over. */
import assert from "node:assert/strict";
import { alerts } from "../../cli/alerts.ts";
import { testIo } from "../../cli/testing.ts";
import { createFaultyKv } from "../fakes/faulty_kv.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, NOW, startSluice } from "../fakes/sluice.ts";
import { startFakeUpstream } from "../fakes/upstream.ts";
import { ask } from "./ask.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface AlertRow {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly detail: string;
  readonly count: number;
  readonly organisation: string | null;
  readonly overAt: string | null;
  readonly acknowledgedBy: string | null;
}

async function createWorld(env: Readonly<Record<string, string>> = {}) {
  const registry = await startNpmRegistry();
  const listener = await startFakeUpstream();
  for (const path of ["/json", "/slack", "/acme"]) listener.answer(path, { method: "POST", status: 204 });
  const sluice = await startSluice({
    env: {
      SLUICE_UPSTREAM_NPM: registry.upstream.url,
      SLUICE_ADMIN_TOKEN: ADMIN,
      SLUICE_ALLOW_PRIVATE_WEBHOOKS: listener.host,
      ...env,
    },
  });
  await sluice.setPolicy({
    webhooks: [
      { id: "ops", url: `${listener.url}json`, events: ["alert"] },
      { id: "chat", url: `${listener.url}slack`, format: "slack" },
    ],
  });
  await sluice.setPolicy({ webhooks: [{ id: "own", url: `${listener.url}acme` }] }, "acme");
  const headers = { authorization: `Bearer ${ADMIN}` };
  return {
    registry,
    listener,
    sluice,
    headers,
    async rounds(count: number) {
      for (let i = 0; i < count; i++) {
        sluice.advance(MINUTE_MS);
        await sluice.maintain();
      }
    },
    async open(query = ""): Promise<readonly AlertRow[]> {
      return (await ask(`${sluice.url}/-/api/v1/alerts${query}`, { headers })).json().alerts;
    },
    told(path: string): readonly Readonly<Record<string, unknown>>[] {
      return listener.asked(path).map(({ body }) => JSON.parse(new TextDecoder().decode(body)));
    },
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

Deno.test("alerts: an upstream that fails, then is not asked, then is back: once each, with count, told as JSON and in Slack's form", async () => {
  await using world = await createWorld();
  const { registry, sluice, rounds, open, told } = world;
  registry.publish({ name: "fresh", releases: { "1.0.0": { publishedAt: daysAgo(100) } } });
  const { origin } = new URL(registry.upstream.url);
  const askFor = (name: string) => ask(`${sluice.url}/npm/${name}`);
  assert.equal((await askFor("fresh")).status, 200);
  await rounds(1);
  assert.deepEqual(await open(), []);

  await registry.upstream.stop();
  await askFor("gone-1");
  await rounds(1);
  assert.deepEqual(await open(), [], "one that fails for a moment is no alert");
  await rounds(2);
  const [failing] = await open();
  assert.deepEqual([failing?.kind, failing?.subject, failing?.count], ["upstream-failing", origin, 2]);

  for (const name of ["gone-2", "gone-3", "gone-4"]) await askFor(name);
  await rounds(1);
  const both = await open();
  assert.ok(both.some(({ kind }) => kind === "circuit-open"), JSON.stringify(both));
  const messages = told("/json").filter(({ kind }) => kind === "circuit-open");
  assert.equal(messages.length, 1);
  assert.deepEqual([messages[0]!.event, messages[0]!.state, messages[0]!.subject], [
    "alert",
    "raised",
    origin,
  ]);
  assert.match(String(messages[0]!.message), /is not asked for a while \(.*\): what is cached is served/);
  assert.ok(told("/slack").some(({ text }) => String(text).startsWith(`Alert: Upstream ${origin}`)));
  assert.deepEqual(told("/acme"), [], "the instance's are told to the default organisation's webhooks");

  registry.upstream.start();
  sluice.advance(2 * MINUTE_MS);
  registry.publish({ name: "new", releases: { "1.0.0": { publishedAt: daysAgo(100) } } });
  assert.equal((await askFor("new")).status, 200);
  await rounds(4);
  assert.deepEqual(await open(), []);
  const over = told("/json").filter(({ state }) => state === "over").map(({ kind }) => kind);
  assert.deepEqual(over.toSorted(), ["circuit-open", "upstream-failing"]);
  assert.equal((await open("?over=true")).length, 2);
  const all = told("/json").length;
  await rounds(2);
  assert.equal(told("/json").length, all, "nothing is told twice");
});

Deno.test("alerts: a digest that changed is raised where it is met, and over once somebody acknowledged it", async () => {
  await using world = await createWorld();
  const { registry, sluice, rounds, open, told } = world;
  const release = { publishedAt: daysAgo(100) };
  registry.publish({ name: "fresh", releases: { "1.0.0": release } });
  const file = `${sluice.url}/npm/fresh/-/fresh-1.0.0.tgz`;
  assert.equal((await ask(file)).status, 200);
  registry.publish({ name: "fresh", releases: { "1.0.0": { ...release, files: { "other.js": "2" } } } });
  sluice.advance(2 * 3_600_000);
  assert.equal((await ask(file)).status, 200);
  await rounds(1);
  const [found, ...more] = await open();
  assert.deepEqual([found?.kind, more.length], ["digest-changed", 0]);
  assert.match(found!.detail, /npm fresh, file fresh-1\.0\.0\.tgz/);
  await rounds(5);
  assert.equal((await open()).length, 1, "it happened, whatever comes after it");

  const io = testIo({ cwd: "/", env: { SLUICE_TOKEN: ADMIN } });
  assert.equal(await alerts(["--server", sluice.url], io), 1, "something is wrong");
  assert.match(io.take().out, /digest-changed +open/);
  assert.equal(await alerts(["ack", found!.id, "--server", sluice.url], io), 0);
  assert.match(io.take().out, /^Acknowledged: The digest/);
  assert.equal(await alerts(["--server", sluice.url], io), 0);
  io.take();
  assert.equal(await alerts(["ack", "none", "--server", sluice.url], io), 1);
  assert.match(io.take().err, /There is no alert "none"/);
  const [past] = await open("?over=true");
  assert.equal(past?.acknowledgedBy, "admin");
  await rounds(1);
  assert.deepEqual(told("/json").map(({ state }) => state), ["raised", "over"]);
});

Deno.test("alerts: a token that ends within a week is its organisation's alert; one that was made for a day is none", async () => {
  await using world = await createWorld();
  const { sluice, headers, rounds, open, told } = world;
  const make = async (place: string, days: number, user: string, scopes = ["read"]) => {
    const body = { user, expiresAt: new Date(NOW + days * DAY_MS).toISOString(), scopes };
    const made = await ask(`${sluice.url}${place}/-/api/v1/tokens`, {
      method: "POST",
      headers,
      body: new TextEncoder().encode(JSON.stringify(body)),
    });
    assert.equal(made.status, 201, made.text);
    return made.json() as { readonly secret: string; readonly token: { readonly id: string } };
  };
  const { token: { id } } = await make("/o/acme", 12, "ci");
  await make("/o/acme", 1, "short");
  await make("", 300, "long");
  await rounds(1);
  assert.deepEqual(await open(), []);
  sluice.advance(6 * DAY_MS);
  await rounds(1);
  const [found, ...more] = await open();
  assert.deepEqual([found?.kind, found?.subject, found?.organisation, more.length], [
    "token-expiring",
    id,
    "acme",
    0,
  ]);
  assert.equal(told("/acme").length, 1);
  assert.deepEqual(told("/json"), []);
  const operator = (await make("/o/acme", 300, "op", ["operate"])).secret;
  const theirs = { authorization: `Bearer ${operator}` };
  assert.equal(
    (await ask(`${sluice.url}/o/acme/-/api/v1/alerts`, { headers: theirs })).json().alerts.length,
    1,
  );
  const other = await make("", 300, "op2", ["operate"]);
  const seen = await ask(`${sluice.url}/-/api/v1/alerts`, {
    headers: { authorization: `Bearer ${other.secret}` },
  });
  assert.deepEqual(seen.json().alerts, [], "another organisation's operator does not see it");
  const foreign = await ask(`${sluice.url}/-/api/v1/alerts/${found!.id}/acknowledge`, {
    method: "POST",
    headers: { authorization: `Bearer ${other.secret}` },
    body: new TextEncoder().encode("{}"),
  });
  assert.equal(foreign.status, 404);
  await ask(`${sluice.url}/-/api/v1/tokens/${id}`, { method: "DELETE", headers });
  await rounds(40);
  assert.deepEqual(await open(), []);
  assert.deepEqual(told("/acme").map(({ state }) => state), ["raised", "over"]);
});

Deno.test("alerts: a cache near its limit, and work that was given up", async () => {
  await using world = await createWorld();
  const { registry, sluice, headers, rounds, open } = world;
  const filler = Array.from({ length: 10_000 }, () => crypto.randomUUID()).join("");
  registry.publish({
    name: "big",
    releases: { "1.0.0": { publishedAt: daysAgo(100), files: { "a.txt": filler } } },
  });
  assert.equal((await ask(`${sluice.url}/npm/big/-/big-1.0.0.tgz`)).status, 200);
  const { storage: { cacheBytes } } = (await ask(`${sluice.url}/-/api/v1/status`, { headers })).json();
  await sluice.restart({
    SLUICE_UPSTREAM_NPM: registry.upstream.url,
    SLUICE_ADMIN_TOKEN: ADMIN,
    SLUICE_MAX_SIZE: `${Math.ceil(cacheBytes / 1_000) + 1}kB`,
  });
  await sluice.setPolicy({ webhooks: [{ id: "gone", url: "http://127.0.0.1:9/x", events: ["alert"] }] });
  await rounds(4);
  const kinds = (await open()).map(({ kind }) => kind);
  assert.deepEqual(kinds.toSorted(), ["cache-nearly-full", "jobs-failed"], JSON.stringify(await open()));
  assert.match(
    (await open()).find(({ kind }) => kind === "jobs-failed")!.detail,
    /of kind "webhook" were given up/,
  );
});

Deno.test("alerts: rounds of maintenance that do not come are found by whoever asks; over once they come again", async () => {
  await using world = await createWorld();
  const { sluice, rounds, open } = world;
  await rounds(1);
  sluice.advance(9 * MINUTE_MS);
  assert.deepEqual(await open(), []);
  sluice.advance(2 * MINUTE_MS);
  const [found] = await open();
  assert.deepEqual([found?.kind, found?.subject], ["schedule-behind", "maintenance"]);
  assert.match(found!.detail, /No round of maintenance came for 11 minutes/);
  await rounds(4);
  assert.deepEqual(await open(), []);
});

Deno.test("alerts: an install log whose indexes stay behind", async () => {
  await using registry = await startNpmRegistry();
  registry.publish({ name: "fresh", releases: { "1.0.0": { publishedAt: daysAgo(100) } } });
  await using sluice = await startSluice({
    env: { SLUICE_ADMIN_TOKEN: ADMIN, SLUICE_UPSTREAM_NPM: registry.upstream.url },
    kv: foldless,
  });
  assert.equal((await ask(`${sluice.url}/npm/fresh/-/fresh-1.0.0.tgz`)).status, 200);
  for (let i = 0; i < 12; i++) {
    sluice.advance(MINUTE_MS);
    await sluice.maintain();
  }
  const headers = { authorization: `Bearer ${ADMIN}` };
  const found: readonly AlertRow[] = (await ask(`${sluice.url}/-/api/v1/alerts`, { headers })).json().alerts;
  assert.deepEqual(found.map(({ kind }) => kind), ["log-behind"]);
  assert.match(found[0]!.detail, /1\d min behind/);
  const status = (await ask(`${sluice.url}/-/api/v1/status`, { headers })).json();
  assert.ok(status.installLog.behindSeconds >= 700 && status.installLog.unfoldedBytes > 100);
  assert.equal(status.openAlerts, 1);
});

Deno.test("/-/ready: what cannot be written is a 503 that names it, told again for five seconds, and an alert", async () => {
  const faulty: ReturnType<typeof createFaultyKv>[] = [];
  await using sluice = await startSluice({
    env: { SLUICE_ADMIN_TOKEN: ADMIN },
    kv: (kv) => {
      faulty.push(createFaultyKv(kv));
      return faulty[0]!.kv;
    },
  });
  const ready = (query = "") => ask(`${sluice.url}/-/ready${query}`);
  const well = await ready();
  assert.deepEqual([well.status, well.json().status, well.json().failing], [200, "ready", []]);
  assert.deepEqual(well.json().checks, { kv: "ok", artifacts: "ok" });
  assert.deepEqual(await filesBelow(`${sluice.data}/artifacts`), [], "what it wrote is gone");

  faulty[0]!.break((call) => call === "commit" ? "fails" : null);
  assert.equal((await ready()).status, 200, "for five seconds");
  sluice.advance(5_001);
  const ill = await ready();
  assert.deepEqual([ill.status, ill.json().status, ill.json().failing], [503, "not-ready", ["kv"]]);
  const hits = faulty[0]!.hit;
  for (let i = 0; i < 20; i++) assert.equal((await ready()).status, 503);
  assert.equal(faulty[0]!.hit, hits, "however often it is asked");
  faulty[0]!.break(null);
  sluice.advance(5_001);
  assert.equal((await ready()).status, 200);

  await Deno.remove(`${sluice.data}/artifacts`, { recursive: true });
  await Deno.writeTextFile(`${sluice.data}/artifacts`, "no folder");
  sluice.advance(60_000);
  await sluice.maintain();
  assert.deepEqual((await ready()).json().failing, ["artifacts"]);
  const headers = { authorization: `Bearer ${ADMIN}` };
  const [found] = (await ask(`${sluice.url}/-/api/v1/alerts`, { headers })).json().alerts;
  assert.deepEqual([found.kind, found.subject], ["storage-failing", "artifacts"]);
});

Deno.test("/-/ready: an open circuit is degraded, and 503 only for who requires upstreams", async () => {
  await using world = await createWorld();
  const { registry, sluice } = world;
  await registry.upstream.stop();
  for (const name of ["a", "b", "c", "d", "e", "f"]) {
    await ask(`${sluice.url}/npm/${name}`);
    sluice.advance(1_000);
  }
  sluice.advance(5_000);
  const ready = await ask(`${sluice.url}/-/ready`);
  assert.deepEqual([ready.status, ready.json().status], [200, "degraded"]);
  assert.ok(ready.json().upstreams.some(({ state }: { state: string }) => state === "open"));
  assert.equal((await ask(`${sluice.url}/-/ready?require=upstreams`)).status, 503);
});

async function filesBelow(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await filesBelow(`${folder}/${name}`));
    else found.push(name);
  }
  return found;
}

/** A KV that takes everything but the install log's indexes. */
function foldless(kv: Deno.Kv): Deno.Kv {
  return new Proxy(kv, {
    get(target, name) {
      if (name !== "atomic") {
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return () => {
        const atomic = target.atomic();
        const commit = atomic.commit.bind(atomic);
        let isFold = false;
        let ours = () => isFold ? Promise.reject(new Error("no index today")) : commit();
        const proxy: Deno.AtomicOperation = new Proxy(atomic, {
          get(inner, method) {
            if (method === "commit") return ours;
            return (...given: readonly unknown[]) => {
              if (method === "set" && (given[0] as Deno.KvKey)[0] === "installs") isFold = true;
              Reflect.get(inner, method).apply(inner, given);
              return proxy;
            };
          },
          // Whoever stands before this KV puts a commit of its own in the place of ours, and calls ours.
          set(_inner, _method, commit) {
            ours = commit;
            return true;
          },
        });
        return proxy;
      };
    },
  });
}
