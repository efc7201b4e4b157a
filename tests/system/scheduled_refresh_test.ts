/** Refreshing by schedule, where there is a lot of it, where upstream fails, and where two processes are at it. */
import assert from "node:assert/strict";
import { createClosers } from "../../cli/closers.ts";
import { loadConfig } from "../../cli/config.ts";
import { openParts, type Parts } from "../../cli/parts.ts";
import { configEcosystems } from "../../cli/storage.ts";
import { ECOSYSTEMS } from "../../ecosystems/mod.ts";
import type { EpochMs, PackageFacts } from "../../policy/types.ts";
import { encodeChunks } from "../../storage/kv/chunks.ts";
import { encodeFacts } from "../../storage/kv/facts_codec.ts";
import type { PackageKey, PackageRecord } from "../../storage/kv/packages.ts";
import { createPackagesInUse } from "../../storage/kv/packages_in_use.ts";
import { realTimers } from "../../storage/timers.ts";
import { createTestClock, type TestClock } from "../fakes/clock.ts";
import { type FakeUpstream, startFakeUpstream } from "../fakes/upstream.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LONGEST_PACE = 300;

interface Rig extends AsyncDisposable {
  readonly time: TestClock;
  readonly upstream: FakeUpstream;
  /** Paths that are answered with 400. */
  readonly failing: Set<string>;
  readonly parts: Parts;
  readonly lines: readonly string[];
  /** Another process on the same data. */
  another(): Promise<Parts>;
  /** Packages that were fetched an hour ago, and are in use. */
  seed(count: number): Promise<void>;
  /** One round, with time moved on until it has ended; how many milliseconds it took. */
  round(parts?: Parts): Promise<number>;
}

async function startRig(env: Readonly<Record<string, string>> = {}): Promise<Rig> {
  const data = await Deno.makeTempDir({ prefix: "sluice-refresh-" });
  const upstream = await startFakeUpstream();
  const failing = new Set<string>();
  upstream.answer(/^/, ({ headers, path }) => {
    if (failing.has(path)) return { status: 400 };
    return headers.get("if-none-match") === null ? { status: 500 } : { status: 304 };
  });
  const time = createTestClock();
  const lines: string[] = [];
  const loaded = loadConfig({
    args: ["--data", data],
    env: { SLUICE_UPSTREAM_NPM: upstream.url, ...env },
    ecosystems: configEcosystems(),
    readTextFile: Deno.readTextFileSync,
  });
  assert.ok(loaded.ok);
  const closers = createClosers(() => {});
  const log = (level: string, message: string) => void lines.push(`${level} ${message}`);
  const open = () =>
    openParts(loaded.config, {
      ecosystems: ECOSYSTEMS,
      clock: time.clock,
      // What a round sleeps is the test's; what watches over sockets is the machine's.
      timers: { sleep: (ms, signal) => (ms <= LONGEST_PACE ? time.timers : realTimers).sleep(ms, signal) },
      log,
    }, closers);
  const parts = await open();

  async function seed(count: number): Promise<void> {
    const blob = await parts.artifacts.put(new TextEncoder().encode("{}"), { maxBytes: 10 });
    const inUse = createPackagesInUse(parts.kv);
    const [npm] = ECOSYSTEMS.filter(({ id }) => id === "npm");
    const checkedAt = time.clock() - HOUR as EpochMs;
    for (let n = 0; n < count; n++) {
      const name = `seeded-${n}`;
      const at = parts.services.upstreams.choose({
        ecosystem: "npm",
        key: Object.keys(npm!.upstreams)[0]!,
        name,
        organisation: "default",
      })!;
      const key: PackageKey = {
        ecosystem: "npm",
        upstreamId: at.id,
        scope: at.scope,
        subject: "package",
        name,
      };
      const facts: PackageFacts = { purlType: "npm", name, releases: [] };
      const encoded = await encodeChunks(encodeFacts(facts), realTimers);
      const [source] = npm!.sources({ kind: "package", name }, []);
      const document = {
        key: source!.key,
        url: "",
        status: 200,
        contentType: "application/json",
        blob: blob.key,
        sizeBytes: 2,
        etag: '"1"',
        lastModified: null,
        fetchedAt: checkedAt,
      } as const;
      const record: PackageRecord = {
        v: 1,
        absent: false,
        documents: [document],
        factsDigest: encoded.parts.digest,
        checkedAt,
      };
      await parts.services.packages.commit(key, { record, facts, layout: null }, null);
      await inUse.note(key, { usedAt: time.clock(), firstDue: checkedAt });
    }
  }

  async function round(of = parts): Promise<number> {
    const from = time.clock();
    let isOver = false;
    const running = of.refreshing.round().finally(() => (isOver = true));
    // Time moves where the round itself sleeps, and nowhere else.
    while (!isOver) {
      if (time.sleeping > 0) await time.advance(25);
      else await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await running;
    return time.clock() - from;
  }

  return {
    time,
    upstream,
    failing,
    parts,
    lines,
    another: open,
    seed,
    round,
    async [Symbol.asyncDispose]() {
      await closers.closeAll();
      await upstream[Symbol.asyncDispose]();
      await Deno.remove(data, { recursive: true });
    },
  };
}

/** How often each was asked for. */
function countsOf({ upstream }: Rig): readonly number[] {
  return [...Map.groupBy(upstream.requests, ({ path }) => path).values()].map((asked) => asked.length);
}

Deno.test("refreshing by schedule: what is due all at once is asked for at a pace, each package once", async () => {
  await using rig = await startRig();
  await rig.seed(30);
  const ms = await rig.round();
  assert.deepEqual(countsOf(rig), Array(30).fill(1));
  assert.ok(ms >= 30 * 75, `thirty requests in ${ms} ms`);
  const { packages, overdue, confirmed, failed, nextAt } = await rig.parts.refreshing.status();
  assert.deepEqual({ packages, overdue, confirmed, failed }, {
    packages: 30,
    overdue: 0,
    confirmed: 30,
    failed: 0,
  });
  assert.ok(nextAt! - rig.time.clock() > 30 * MINUTE, "late in the lifetime of what is fresh again");
  await rig.round();
  assert.equal(rig.upstream.requests.length, 30);
});

Deno.test("refreshing by schedule: of two processes one is at it, and no package is asked for twice", async () => {
  await using rig = await startRig();
  await rig.seed(8);
  const other = await rig.another();
  await Promise.all([rig.round(), rig.round(other)]);
  await rig.round(other);
  assert.deepEqual(countsOf(rig), Array(8).fill(1));
});

Deno.test("refreshing by schedule: an upstream that is away is left alone for longer each time, told once, then asked again", async () => {
  await using rig = await startRig();
  await rig.seed(5);
  await rig.upstream.stop();
  const pauses: number[] = [];
  for (let minute = 0; minute < 8; minute++) {
    await rig.round();
    const [paused] = (await rig.parts.refreshing.status()).paused;
    if (paused !== undefined) pauses.push(Math.round((paused.until - rig.time.clock()) / MINUTE));
    rig.time.jump(MINUTE);
  }
  assert.deepEqual(pauses.slice(0, 3), [1, 2, 1], "one minute, then two");
  assert.ok(pauses.includes(4), String(pauses));
  assert.equal((await rig.parts.refreshing.status()).failed, 4, "of eight rounds with five packages");
  assert.equal(rig.lines.filter((line) => /^(?:info|warn) .*by schedule/.test(line)).length, 1);
  rig.upstream.start();
  rig.time.jump(HOUR);
  await rig.round();
  assert.equal((await rig.parts.refreshing.status()).confirmed, 5);
});

Deno.test("refreshing by schedule: a package that upstream fails on keeps nobody else waiting, and is asked for less and less", async () => {
  await using rig = await startRig();
  await rig.seed(3);
  rig.failing.add("/seeded-0");
  await rig.round();
  assert.equal((await rig.parts.refreshing.status()).confirmed, 2);
  const asked = () => rig.upstream.asked("/seeded-0").length;
  const gaps: number[] = [];
  for (let minute = 0, before = asked(), since = 0; minute < 30; minute++) {
    rig.time.jump(MINUTE);
    since += 1;
    await rig.round();
    if (asked() > before) gaps.push(since), since = 0, before = asked();
  }
  assert.ok(gaps.length >= 2 && gaps[1]! > gaps[0]!, String(gaps));
});

Deno.test("refreshing by schedule: switched off, nothing is written down and nothing asked for", async () => {
  await using rig = await startRig({ SLUICE_REFRESH_USED_WITHIN: "0" });
  await rig.seed(2);
  await rig.round();
  assert.equal(rig.upstream.requests.length, 0);
  assert.equal((await rig.parts.refreshing.status()).packages, 0);
});
