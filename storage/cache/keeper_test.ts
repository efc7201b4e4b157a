import assert from "node:assert/strict";
import type { DurationMs, EpochMs, Freeze, PackageFacts } from "../../policy/types.ts";
import { createMemoryStore } from "../artifacts/memory.ts";
import type { ArtifactStore, BlobKey } from "../artifacts/store.ts";
import { createBackground } from "../background.ts";
import { createFiles } from "../kv/files.ts";
import { encodeFacts, factsDigest } from "../kv/facts_codec.ts";
import { keys } from "../kv/keys.ts";
import { createLeases } from "../kv/leases.ts";
import { createPackages } from "../kv/package_store.ts";
import type { PackageKey } from "../kv/packages.ts";
import { createPins, type Pin } from "../kv/pins.ts";
import { type CacheKeeper, createCacheKeeper } from "./keeper.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 10, 21, 12);

interface World extends AsyncDisposable {
  readonly kv: Deno.Kv;
  /** Without tallies. */
  readonly bare: ArtifactStore;
  readonly lines: string[];
  readonly freezes: Freeze[];
  readonly pin: (pin: Pick<Pin, "name" | "version">) => Promise<unknown>;
  advance(ms: number): void;
  now(): EpochMs;
  /** As another process would. */
  keeper(options?: { readonly place?: string; readonly store?: ArtifactStore }): CacheKeeper;
  /** Puts a file of so many bytes, with its record. */
  fill(keeper: CacheKeeper, name: string, sizeBytes: number): Promise<BlobKey>;
  /** The names whose bytes are there, in order; throws where a record points at nothing. */
  there(): Promise<readonly string[]>;
}

async function createWorld(maxBytes: number | null): Promise<World> {
  const kv = await Deno.openKv(":memory:");
  const bare = createMemoryStore({ maxBytes: 100_000_000 });
  let now = START as EpochMs;
  const clock = () => now;
  const lines: string[] = [];
  const log = (_level: string, message: string) => void lines.push(message);
  const files = createFiles(kv);
  const pins = createPins({ kv, clock });
  const freezes: Freeze[] = [];
  const names = new Map<BlobKey, string>();
  const keepers: CacheKeeper[] = [];

  return {
    kv,
    bare,
    lines,
    freezes,
    pin: (pin) => pins.add({ ecosystem: "npm", reason: "", owner: "test", ...pin }),
    advance: (ms) => void (now = now + ms as EpochMs),
    now: clock,
    keeper({ place = "file:/data", store = bare } = {}) {
      const keeper = createCacheKeeper({
        kv,
        store,
        place,
        maxBytes,
        everyMs: HOUR as DurationMs,
        owner: `p${keepers.length}`,
        pins,
        organisations: {
          list: () => Promise.resolve([{ id: "default" }] as never),
          freezes: () => Promise.resolve(freezes),
        },
        leases: createLeases({ kv, clock }),
        background: createBackground({ log }),
        clock,
        log,
      });
      keepers.push(keeper);
      return keeper;
    },
    async fill(keeper, name, sizeBytes) {
      const bytes = new Uint8Array(sizeBytes).fill(7);
      bytes.set(new TextEncoder().encode(name));
      const { key } = await keeper.store.put(bytes, { maxBytes: sizeBytes });
      names.set(key, name);
      await files.put(keyOf(name), `${name}-1.0.0.tgz`, {
        v: 1,
        blob: key,
        sizeBytes,
        contentType: "application/octet-stream",
        verified: [],
        filledAt: now,
      });
      return key;
    },
    async there() {
      const found: string[] = [];
      for (const [key, name] of names) {
        const isKept = await bare.stat(key) !== null;
        const record = await files.get(keyOf(name), `${name}-1.0.0.tgz`);
        assert.equal(record !== null, isKept, `${name}: record and bytes`);
        if (isKept) found.push(name);
      }
      return found.sort();
    },
    async [Symbol.asyncDispose]() {
      for (const keeper of keepers) await keeper.close();
      kv.close();
    },
  };
}

function keyOf(name: string): PackageKey {
  return { ecosystem: "npm", upstreamId: "npm", scope: "public", subject: "package", name };
}

Deno.test("tidy: what was unused for longest goes, down to nine tenths; what was used since stays", async () => {
  await using world = await createWorld(1_000);
  const keeper = world.keeper();
  await maintained(keeper);
  const blobs = new Map<string, BlobKey>();
  for (const name of ["a", "b", "c", "d"]) {
    blobs.set(name, await world.fill(keeper, name, 250));
    world.advance(HOUR);
  }
  assert.deepEqual(keeper.usage(), { bytes: 1_000, blobs: 4, maxBytes: 1_000 });
  keeper.used(blobs.get("a")!);
  world.advance(HOUR);
  await world.fill(keeper, "e", 100);
  await keeper.tidy();
  assert.deepEqual(await world.there(), ["a", "c", "d", "e"]);
  assert.deepEqual(keeper.usage(), { bytes: 850, blobs: 4, maxBytes: 1_000 });
  assert.match(world.lines.join("\n"), /Evicted 1 files and documents, 250 B: unused for longest/);
  // Nothing to do.
  await keeper.tidy();
  assert.deepEqual(await world.there(), ["a", "c", "d", "e"]);
});

Deno.test("a fill that pushes the store above its size evicts at once, without anybody's asking", async () => {
  await using world = await createWorld(1_000);
  const keeper = world.keeper();
  await keeper.tidy();
  await world.fill(keeper, "old", 900);
  world.advance(HOUR);
  await world.fill(keeper, "new", 200);
  for (let i = 0; i < 4_000 && (await world.bare.list()[Symbol.asyncIterator]().next()).done !== true; i++) {
    if (keeper.usage().bytes === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(await world.there(), ["new"]);
});

Deno.test("tally: kept by puts and deletes over two processes, and right after a restart without a listing", async () => {
  await using world = await createWorld(null);
  await world.bare.put(new Uint8Array(50), { maxBytes: 50 });
  let listings = 0;
  const store: ArtifactStore = {
    ...world.bare,
    list: (prefix) => {
      listings++;
      return world.bare.list(prefix);
    },
  };
  const [first, second] = [world.keeper({ store }), world.keeper({ store })];
  assert.equal(first.usage().bytes, null);
  assert.equal((await first.look()).bytes, 50);
  await second.maintain();
  const blob = await world.fill(first, "a", 100);
  await world.fill(second, "b", 30);
  // The same bytes again are no more of them.
  await world.fill(second, "b", 30);
  await world.fill(second, "a", 100);
  for (const keeper of [first, second, first]) await keeper.maintain();
  assert.deepEqual(first.usage(), { bytes: 180, blobs: 3, maxBytes: null });
  assert.deepEqual(second.usage(), first.usage());
  await second.store.delete(blob);
  await second.store.delete(blob);
  await second.close();
  const third = world.keeper({ store });
  await third.maintain();
  assert.deepEqual(third.usage(), { bytes: 80, blobs: 2, maxBytes: null });
  assert.equal(listings, 1);
  // Another store is counted anew.
  assert.equal((await world.keeper({ store, place: "file:/elsewhere" }).look()).bytes, 80);
  assert.equal(listings, 2);
});

Deno.test("used: no hit is a write; an hour's are one write a shard, and another process goes by them", async () => {
  await using world = await createWorld(1_000);
  const [first, second] = [world.keeper(), world.keeper()];
  await first.maintain();
  await first.tidy();
  const old = await world.fill(first, "old", 450);
  world.advance(HOUR);
  await world.fill(first, "newer", 450);
  await first.maintain();
  world.advance(HOUR);
  const stamp = async () => (await world.kv.get(keys.blobUse(old.slice(7, 9)))).versionstamp;
  const before = await stamp();
  for (let i = 0; i < 1_000; i++) second.used(old);
  await second.maintain();
  assert.equal(await stamp(), before);
  world.advance(HOUR);
  await second.maintain();
  assert.notEqual(await stamp(), before);
  await second.close();
  await world.fill(first, "more", 200);
  await first.tidy();
  assert.deepEqual(await world.there(), ["more", "old"]);
});

Deno.test("what was used in the last ten minutes is never evicted, however much it is", async () => {
  await using world = await createWorld(100);
  const keeper = world.keeper();
  await keeper.tidy();
  await world.fill(keeper, "a", 500);
  await keeper.tidy();
  assert.deepEqual(await world.there(), ["a"]);
  assert.match(world.lines.at(-1)!, /Cannot keep the cache within 100 B.*used in the last ten minutes/);
  const told = world.lines.length;
  // Not tried again, and not told again, before the interval has passed.
  await keeper.maintain();
  assert.equal(world.lines.length, told);
  world.advance(HOUR + 1);
  await keeper.tidy();
  assert.deepEqual(await world.there(), []);
});

Deno.test("pinned and frozen stay: a package, one release, files up to the freeze's instant; more than maxSize is told, once an interval", async () => {
  await using world = await createWorld(500);
  const keeper = world.keeper();
  await keeper.tidy();
  for (const name of ["pinned", "release", "other", "frozen", "late", "free"]) {
    await world.fill(keeper, name, 200);
    await describe(world, name);
  }
  await world.pin({ name: "pinned", version: null });
  await world.pin({ name: "release", version: "1.0.0" });
  await world.pin({ name: "other", version: "2.0.0" });
  const freeze = (name: string, at: number): Freeze => ({
    id: name,
    ecosystem: "npm",
    name,
    at: at as EpochMs,
    reason: null,
    owner: null,
    until: null,
  });
  // Published a day before the start.
  world.freezes.push(freeze("frozen", START), freeze("late", START - 48 * HOUR));
  // What the fills have begun.
  await keeper.tidy();
  world.advance(HOUR);
  await keeper.tidy();
  assert.deepEqual(await world.there(), ["frozen", "pinned", "release"]);
  assert.match(
    world.lines.at(-1)!,
    /within 500 B \(maxSize\): it holds 6\d\d B, and 6\d\d B are pinned or frozen/,
  );
  const told = world.lines.length;
  for (let i = 0; i < 5; i++) await keeper.maintain();
  assert.equal(world.lines.length, told);
});

/** A package record with one release and its file; its document is a few bytes. */
async function describe(world: World, name: string): Promise<void> {
  const absent = { known: false, why: "absent" } as const;
  const facts: PackageFacts = {
    purlType: "npm",
    name,
    releases: [{
      version: "1.0.0",
      artifacts: [{
        filename: `${name}-1.0.0.tgz`,
        url: null,
        digests: [],
        sizeBytes: 200,
        publishedAt: { known: true, value: { at: START - 24 * HOUR as EpochMs, clock: "registry" } },
        yanked: absent,
        trust: absent,
      }],
      deprecated: absent,
      licence: absent,
      runsCodeOnInstall: absent,
      publisher: absent,
    }],
  };
  const body = new TextEncoder().encode(name);
  const { key } = await world.bare.put(body, { maxBytes: 100 });
  const record = {
    v: 1,
    absent: false,
    documents: [{
      key: "index",
      url: "",
      status: 200,
      contentType: "application/json",
      blob: key,
      sizeBytes: body.length,
      etag: null,
      lastModified: null,
      fetchedAt: world.now(),
    }],
    factsDigest: factsDigest(encodeFacts(facts)),
    checkedAt: world.now(),
  } as const;
  assert.ok(await createPackages(world.kv).commit(keyOf(name), { record, facts, layout: null }, null));
}

Deno.test("a bucket: what is being read by another process is not evicted from under its reader", async () => {
  await using world = await createWorld(1_000);
  const place = "s3://bucket/prefix";
  const [first, second] = [world.keeper({ place }), world.keeper({ place })];
  await first.tidy();
  const read = await world.fill(first, "read", 600);
  await first.maintain();
  await second.maintain();
  world.advance(HOUR);
  const blob = await second.store.get(read);
  const reader = blob!.body.getReader();
  world.advance(HOUR);
  await world.fill(first, "idle", 300);
  world.advance(HOUR);
  await world.fill(first, "new", 300);
  await first.tidy();
  assert.deepEqual(await world.there(), ["idle", "new", "read"], "it has been announced, no more");
  world.advance(MINUTE);
  await maintained(second);
  world.advance(3 * MINUTE);
  await first.tidy();
  assert.deepEqual(await world.there(), ["new", "read"]);
  while (!(await reader.read()).done);
  world.advance(HOUR);
  await world.fill(first, "last", 300);
  await first.tidy();
  world.advance(3 * MINUTE);
  await maintained(second);
  await first.tidy();
  assert.deepEqual(await world.there(), ["last", "read"], "it was read still when `new` had come");
});

/** With what it began in the background. */
async function maintained(keeper: CacheKeeper): Promise<void> {
  await keeper.maintain();
  await keeper.tidy();
}

Deno.test("tidy: only one of two processes evicts, and what a fill has just put again is there", async () => {
  await using world = await createWorld(1_000);
  const both = [world.keeper(), world.keeper()];
  await both[0]!.tidy();
  await both[1]!.maintain();
  for (let i = 0; i < 8; i++) {
    await world.fill(both[i % 2]!, `p${i}`, 130);
    world.advance(HOUR);
  }
  for (const keeper of both) await keeper.maintain();
  await Promise.all([...both.map((keeper) => keeper.tidy()), world.fill(both[1]!, "p0", 130)]);
  for (const keeper of both) await keeper.tidy();
  const there = await world.there();
  assert.ok(there.includes("p0"), there.join());
  assert.ok(there.length <= 7, there.join());
  assert.equal((await both[0]!.look()).bytes, 130 * there.length);
});
