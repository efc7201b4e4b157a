/** What is made to fill a memory, thrown at one process: bounded, told, and under 512 MB. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { openOrganisations } from "../../cli/storage.ts";
import type { EpochMs } from "../../policy/types.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { type Bomb, BOMBS } from "./bombs.ts";
import { inMegabytes, memoryOf, NO_PROC } from "./process_memory.ts";
import { spawnServer } from "./server.ts";

/** What the platform gives a process. */
const MOST_BYTES = 512 * 2 ** 20;
/** What a request alone may add to the worst moment so far. */
const MOST_FOR_A_REQUEST = 50_000_000;
/** So many of them run together, of both forms of answer. */
const AT_ONCE = 3;
const OLD = new Date(Date.now() - 100 * 86_400_000).toISOString();

/** A policy at its limits: as many overrides as there may be, among them globs made to be slow. */
function largePolicy() {
  const slow = Array.from({ length: 300 }, (_, n) => `npm/${"a*".repeat(100)}${n}b`);
  const many = Array.from({ length: 10_000 - slow.length }, (_, n) => `npm/evil-${n}==1.0.${n % 7}`);
  return { block: [...slow, ...many] };
}

/** Oversized in every part that a client chooses. */
const REQUESTS: readonly {
  readonly name: string;
  readonly path: string;
  readonly init?: RequestInit;
  readonly statuses: readonly number[];
}[] = [
  { name: "a name of 214 letters", path: `/npm/${"a".repeat(214)}`, statuses: [404] },
  { name: "a name of 215 letters", path: `/npm/${"a".repeat(215)}`, statuses: [400, 404] },
  { name: "a path of 60 kB", path: `/npm/${"a".repeat(60_000)}`, statuses: [400, 404, 414, 431] },
  {
    name: "a user name of 128 letters",
    path: "/npm/sound",
    init: { headers: { authorization: `Basic ${btoa(`${"u".repeat(128)}:`)}` } },
    statuses: [200],
  },
  {
    name: "a user name of 10 kB",
    path: "/npm/sound",
    init: { headers: { authorization: `Basic ${btoa(`${"u".repeat(10_000)}:`)}` } },
    statuses: [200, 400, 401],
  },
  {
    name: "a header of 1 MB",
    path: "/npm/sound",
    init: { headers: { "x-odd": "h".repeat(1_000_000) } },
    statuses: [400, 431],
  },
  {
    name: "ten thousand headers",
    path: "/npm/sound",
    init: { headers: Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`x-odd-${n}`, "1"])) },
    statuses: [400, 431],
  },
  {
    name: "an audit that inflates to 300 MB",
    path: "/npm/-/npm/v1/security/advisories/bulk",
    init: {
      method: "POST",
      headers: { "content-encoding": "gzip", "content-type": "application/json" },
      body: new Uint8Array(gzipSync(new Uint8Array(300_000_000))),
    },
    statuses: [413],
  },
];

Deno.test({
  name:
    "what is made to fill a memory, one after the other and at once: each is told or served, the process " +
    `stays under 512 MB and goes on${NO_PROC === null ? "" : ` (skipped: ${NO_PROC})`}`,
  ignore: NO_PROC !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(context) {
    await using registry = await startNpmRegistry();
    registry.publish({ name: "sound", releases: { "1.0.0": { publishedAt: OLD } } });
    // Made anew for each request: only the server's memory is to be filled.
    for (const { name, answer } of BOMBS) {
      registry.upstream.answer(`/${name}`, () => answer(registry.upstream.url));
    }
    registry.upstream.answer(/^\/a+$/, { status: 404 });
    const data = await Deno.makeTempDir({ prefix: "sluice-bombs-" });
    try {
      await using server = await spawnServer({
        data,
        env: { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_FIRST_BYTE_TIMEOUT: "2min" },
      });
      const told = async (what: string) => {
        const { rssBytes, peakBytes } = await memoryOf(server.pid);
        console.log(`      ${what}: ${inMegabytes(rssBytes)}, at most ${inMegabytes(peakBytes)} so far`);
      };
      const ask = (bomb: Bomb, init: RequestInit = {}) => throwBomb(server.url, bomb, init);

      for (const bomb of BOMBS) {
        await context.step(bomb.name, async () => {
          await ask(bomb);
          await told(bomb.name);
        });
      }
      for (const { name, path, init, statuses } of REQUESTS) {
        await context.step(name, async () => {
          const before = await memoryOf(server.pid);
          const response = await fetch(`${server.url}${path}`, init ?? {}).catch(() => null);
          await response?.body?.cancel();
          const more = (await memoryOf(server.pid)).peakBytes - before.peakBytes;
          assert.ok(more < MOST_FOR_A_REQUEST, `${inMegabytes(more)} for one request`);
          // A connection that is cut before all of a request was read is an answer, too.
          if (response !== null) assert.ok(statuses.includes(response.status), `${response.status}`);
          await told(name);
        });
      }
      await context.step("a policy of ten thousand overrides, with globs made to be slow", async () => {
        await setPolicy(data, largePolicy());
        await new Promise((resolve) => setTimeout(resolve, 1_100));
        assert.equal((await fetch(`${server.url}/npm/sound`)).status, 200);
        const name = `${"a".repeat(199)}c`;
        registry.publish({ name, releases: { "1.0.0": { publishedAt: OLD } } });
        const response = await fetch(`${server.url}/npm/${name}`);
        assert.equal(response.status, 200);
        await response.body?.cancel();
        await told("policy");
      });
      const { peakBytes: oneByOne } = await memoryOf(server.pid);
      assert.ok(oneByOne < MOST_BYTES, `${inMegabytes(oneByOne)} at the worst moment of one after the other`);
      await context.step("all of them at once, in both forms", async () => {
        const abbreviated = { headers: { accept: "application/vnd.npm.install-v1+json" } };
        const all = BOMBS.flatMap((bomb) => [() => ask(bomb), () => ask(bomb, abbreviated)]).values();
        const worker = async () => {
          for (const next of all) await next();
        };
        await Promise.all(Array.from({ length: AT_ONCE }, worker));
        await told("all at once");
      });

      const health = await (await fetch(`${server.url}/-/health`)).json();
      assert.equal(health.checks.kv, "ok");
      assert.equal((await fetch(`${server.url}/npm/sound`)).status, 200);
      const { peakBytes } = await memoryOf(server.pid);
      assert.ok(peakBytes < MOST_BYTES, `${inMegabytes(peakBytes)} at the worst moment`);
    } finally {
      await Deno.remove(data, { recursive: true });
    }
  },
});

async function throwBomb(base: string, { name, statuses, says }: Bomb, init: RequestInit): Promise<void> {
  const response = await fetch(`${base}/npm/${name}`, init);
  let text = "";
  if (response.status === 200) {
    for await (const _ of response.body!) {
      // Read to its end, and not kept.
    }
  } else text = await response.text();
  assert.ok(statuses.includes(response.status), `${name}: ${response.status} ${text}`);
  if (says !== undefined) assert.match(text, says);
}

async function setPolicy(data: string, source: Readonly<Record<string, unknown>>): Promise<void> {
  const kv = await openStorage(`${data}/kv.sqlite3`);
  try {
    const organisations = await openOrganisations(kv, () => Date.now() as EpochMs);
    await organisations.set({ id: "default", source, author: "test" });
  } finally {
    kv.close();
  }
}
