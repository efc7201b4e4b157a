/** What every driver of the install log must do; run by storage/installs/journal_test.ts and segments_test.ts. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { EpochMs } from "../../policy/types.ts";
import { createInstallLog, type InstallLog, type InstallRecord } from "../../storage/installs/log.ts";
import { createInstallQueries } from "../../storage/installs/queries.ts";
import type { CountBy, InstallQueries, Position, RecordFilters } from "../../storage/installs/query_types.ts";
import { bounded } from "../../storage/installs/record.ts";
import { dropInstallsBefore, forgetUser } from "../../storage/installs/retention.ts";
import type { Log } from "../../storage/runtime.ts";
import { type Asked, brute, type Narrowed } from "./install_log_model.ts";

/** A new, empty place for a log; `journal` is null for the driver without a disk. */
export interface InstallLogPlace extends AsyncDisposable {
  readonly kv: Deno.Kv;
  readonly journal: string | null;
}

const DAY = 86_400_000;
export const NOW = Date.UTC(2026, 10, 21, 9, 30) as EpochMs;

/** A record of an ordinary install. */
export function sampleRecord(over: Partial<InstallRecord> = {}): InstallRecord {
  return {
    id: crypto.randomUUID(),
    at: NOW,
    organisation: "default",
    user: "ana",
    address: "192.0.2.7",
    client: "npm",
    clientVersion: "11.19.0",
    ecosystem: "npm",
    package: "left-pad",
    version: "1.3.0",
    file: "left-pad-1.3.0.tgz",
    digest: `sha256:${"0".repeat(64)}`,
    bytes: 3000,
    cache: "hit",
    outcome: "served",
    rule: "",
    decisionId: "",
    ...over,
  };
}

interface Opened {
  readonly place: InstallLogPlace;
  readonly logs: readonly [InstallLog, InstallLog];
  readonly queries: InstallQueries;
  readonly told: string[];
  readonly log: Log;
}

/** Two processes (as far as the log can tell) on one place. */
async function withLogs(
  open: () => Promise<InstallLogPlace>,
  run: (opened: Opened) => Promise<void>,
): Promise<void> {
  await using place = await open();
  const told: string[] = [];
  const log: Log = (level, message) => void told.push(`${level}: ${message}`);
  const { kv, journal } = place;
  const deps = { kv, journal, clock: () => NOW, log };
  let draw = 0;
  const random = () => (draw += 0.001);
  const make = () => createInstallLog({ ...deps, instance: "test", random });
  const logs = [make(), make()] as const;
  await run({ place, logs, queries: createInstallQueries(deps), told, log });
  await Promise.all(logs.map((each) => each.close()));
}

export function installLogSuite(driver: string, open: () => Promise<InstallLogPlace>): void {
  function test(name: string, run: (opened: Opened) => Promise<void>): void {
    Deno.test(`install log in ${driver}: ${name}`, () => withLogs(open, run));
  }

  test("a record can be read by others once append resolves, in order of time", async ({ logs, queries }) => {
    const records = [3, 1, 2].map((n) => sampleRecord({ at: NOW - n as EpochMs, version: `1.0.${n}` }));
    for (const record of records) await logs[0].append(record);
    const seen = await Array.fromAsync(queries.export());
    assert.deepEqual(seen.map(({ version }) => version), ["1.0.3", "1.0.2", "1.0.1"]);
    assert.deepEqual(seen[0], records[0]);
  });

  test("records are the same after folding, and leave the tail", async ({ logs, queries, place }) => {
    const records = Array.from({ length: 50 }, (_, n) => sampleRecord({ at: NOW - n * DAY as EpochMs }));
    await Promise.all(records.map((record) => logs[0].append(record)));
    await logs[0].fold();
    assert.deepEqual(await Array.fromAsync(queries.export()), records.toReversed());
    await logs[0].close();
    await logs[1].fold();
    assert.equal((await Array.fromAsync(place.kv.list({ prefix: ["installs", "segment"] }))).length, 0);
    assert.equal((await Array.fromAsync(place.kv.list({ prefix: ["installs", "cursor"] }))).length, 0);
    if (place.journal !== null) assert.deepEqual(Array.from(Deno.readDirSync(place.journal)), []);
    assert.equal((await queries.count())[0]?.installs, 50);
  });

  for (const order of ["after", "before", "without"] as const) {
    test(`an amendment counts ${order} a fold of its record`, async ({ logs, queries }) => {
      const record = sampleRecord();
      if (order === "before") await logs[0].markPartial(record, 1200);
      else await logs[0].append(record);
      if (order !== "without") await logs[0].fold();
      if (order === "before") await logs[1].append(record);
      else await logs[0].markPartial(record, 1200);
      for (let round = 0; round < 2; round += 1) {
        const [seen, ...more] = await queries.recent();
        assert.deepEqual(seen, { ...record, outcome: "partial", bytes: 1200 });
        assert.equal(more.length, 0);
        const [total] = await queries.count();
        assert.deepEqual(total, { installs: 0, partial: 1, refused: 0, observed: 0, bytes: 1200 });
        assert.deepEqual(await logs[0].versionsOf({ ...record, user: "ana" }), []);
        await Promise.all(logs.map((log) => log.fold()));
      }
    });
  }

  test("a record is amended once, and a refusal never", async ({ logs, queries }) => {
    const served = sampleRecord();
    const refused = sampleRecord({ outcome: "refused", rule: "minimumAge", bytes: 0 });
    for (const record of [served, refused]) await logs[0].append(record);
    for (const record of [served, served, refused]) await logs[0].markPartial(record, 5);
    await logs[0].fold();
    const [total] = await queries.count();
    assert.deepEqual(total, { installs: 0, partial: 1, refused: 1, observed: 0, bytes: 5 });
  });

  test("folding twice, and by two at once while both append, counts each record once", async ({ logs, queries }) => {
    const work: Promise<void>[] = [];
    for (let n = 0; n < 600; n += 1) {
      const log = logs[n % 2] as InstallLog;
      work.push(log.append(sampleRecord({ user: `user-${n % 7}`, at: NOW - n * 1000 as EpochMs })));
      if (n % 40 === 0) work.push(...logs.map((each) => each.fold()));
      if (n % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await Promise.all(work);
    await Promise.all([...logs, ...logs].map((log) => log.fold()));
    assert.equal((await queries.count())[0]?.installs, 600);
    assert.equal((await Array.fromAsync(queries.export())).length, 600);
    const users = await queries.who("left-pad");
    assert.deepEqual(users.map(({ installs }) => installs).sort(), [85, 85, 86, 86, 86, 86, 86]);
  });

  test("a fold that is cut off between two commits is taken up where it was", async ({ logs, queries, place, log }) => {
    await Promise.all(
      Array.from({ length: 900 }, (_, n) => logs[0].append(sampleRecord({ package: `p-${n}` }))),
    );
    await logs[0].flush();
    const broken = failingAfter(place.kv, 1);
    const dead = createInstallLog({
      ...place,
      kv: broken,
      clock: () => NOW,
      log,
      instance: "dead",
      random: () => 0.5,
    });
    await assert.rejects(dead.fold(), { name: "StorageError" });
    const folded = (await Array.fromAsync(place.kv.list({ prefix: ["installs", "package"] }))).length;
    assert.ok(folded > 0 && folded < 900, `${folded} are folded`);
    assert.equal((await queries.count())[0]?.installs, 900);
    await logs[1].fold();
    assert.equal((await queries.count())[0]?.installs, 900);
    assert.equal((await queries.packages()).length, 900);
  });

  test("questions are answered as counting by hand does, folded or not", async ({ place }) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyStep(), { minLength: 1, maxLength: 40 }),
        anyQuestion(),
        async (steps, asked) => {
          await clear(place);
          await withLogs(() => Promise.resolve(undisposed(place)), async ({ logs, queries }) => {
            for (const { record, cutOffAt, fold, by } of steps) {
              await logs[by].append(record);
              if (cutOffAt !== null) await logs[1 - by as 0 | 1].markPartial(record, cutOffAt);
              if (fold) await logs[by].fold();
            }
            await compare(queries, steps, asked);
            await logs[0].fold();
            await compare(queries, steps, asked);
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  test("hostile text is bounded and cannot fail another record", async ({ logs, queries }) => {
    const odd = sampleRecord({
      user: "a\ud800\u0000\u001b[31m".repeat(500),
      package: "\"\\\n,'=1+1 ☃".repeat(400),
      version: "\u2028",
      bytes: NaN,
      at: Infinity as EpochMs,
    });
    await Promise.all([logs[0].append(sampleRecord()), logs[0].append(odd), logs[0].append(sampleRecord())]);
    const before = await Array.fromAsync(queries.export());
    await logs[0].fold();
    assert.deepEqual(await Array.fromAsync(queries.export()), before);
    assert.equal(before.filter((record) => record.package === "left-pad").length, 2);
    const seen = before.find((record) => record.package !== "left-pad") as InstallRecord;
    assert.deepEqual(seen, bounded(odd));
    assert.doesNotMatch(JSON.stringify(seen), /\\u00|\\n|\\ud8/);
    assert.equal((await queries.user(odd.user as string)).length, 1);
    assert.equal((await queries.who(odd.package)).length, 1);
  });

  test("10,000 records are appended and folded within a few seconds", async ({ logs, queries }) => {
    const started = performance.now();
    const records = Array.from({ length: 10_000 }, (_, n) =>
      sampleRecord({
        package: `package-${n % 700}`,
        version: `1.${n % 13}.0`,
        user: `user-${n % 31}`,
        at: NOW - n * 60_000 as EpochMs,
      }));
    await Promise.all(records.map((record) => logs[0].append(record)));
    const appended = performance.now() - started;
    await logs[0].fold();
    assert.equal((await queries.count())[0]?.installs, 10_000);
    assert.equal((await queries.packages({ ecosystem: "npm" })).length, 700);
    const took = performance.now() - started;
    assert.ok(took < 10_000, `took ${took} ms, ${appended} to append`);
  });

  test("retention drops what is older, and only in its organisation", async ({ logs, queries, place }) => {
    const days = Array.from({ length: 100 }, (_, n) => NOW - n * DAY as EpochMs);
    for (const organisation of ["default", "acme"]) {
      await Promise.all(
        days.map((at) => logs[0].append(sampleRecord({ organisation, at, outcome: "observed" }))),
      );
    }
    await logs[0].fold();
    const before = NOW - 9.2 * DAY as EpochMs;
    for (let round = 0; round < 2; round += 1) {
      await dropInstallsBefore(place.kv, { organisation: "acme", before });
      const acme = { organisation: "acme", limit: 1000 };
      assert.equal((await queries.recent(acme)).length, 10);
      assert.equal((await queries.refused(acme)).length, 10);
      assert.equal((await queries.count(acme))[0]?.installs, 10);
      for (const by of ["package", "user", "ecosystem"] as const) {
        assert.equal((await queries.count(acme, by))[0]?.installs, 10);
      }
      assert.equal((await queries.who("left-pad", acme))[0]?.installs, 10);
      assert.equal((await queries.user("ana", acme))[0]?.installs, 10);
      assert.equal((await queries.count({ organisation: "default" }))[0]?.installs, 100);
    }
  });

  test("a forgotten user is in no record, index or file; what was installed stays", async ({ logs, queries, place, log }) => {
    const secret = "ana.secret";
    for (let n = 0; n < 30; n += 1) {
      const outcome = n % 3 === 0 ? "refused" : "served";
      const record = sampleRecord({ user: secret, address: "198.51.100.77", package: `p-${n}`, outcome });
      await logs[n % 2 as 0 | 1].append(record);
      if (n === 20) await logs[0].fold();
    }
    await logs[0].append(sampleRecord({ user: "bo", package: "p-1" }));
    await logs[0].append(sampleRecord({ user: secret, package: "p-1", organisation: "acme" }));
    const deps = { kv: place.kv, journal: place.journal, clock: () => NOW, log };
    for (let round = 0; round < 2; round += 1) {
      await forgetUser(deps, { organisation: "default", user: secret });
      for (const each of logs) await each.fold();
      const known = await Array.fromAsync(queries.export({ organisation: "default" }));
      assert.equal(known.length, 31);
      assert.ok(known.every(({ user, address }) => user !== secret && address !== "198.51.100.77"));
      assert.deepEqual(await queries.user(secret, { organisation: "default" }), []);
      const users = await queries.count({ organisation: "default" }, "user");
      assert.deepEqual(users.map(({ user, installs, refused }) => [user, installs, refused]), [
        [null, 20, 10],
        [
          "bo",
          1,
          0,
        ],
      ]);
      assert.deepEqual((await queries.who("p-1", { organisation: "default" })).map(({ user }) => user), [
        null,
        "bo",
      ]);
      assert.equal((await queries.user(secret, { organisation: "acme" })).length, 1);
    }
    await forgetUser(deps, { organisation: "acme", user: secret });
    for (const each of logs) await each.fold();
    assert.doesNotMatch(await everythingIn(place), /ana\.secret|198\.51\.100\.77/);
  });
}

/** All of KV below `installs`, and all journal files, as text. */
async function everythingIn({ kv, journal }: InstallLogPlace): Promise<string> {
  const parts: string[] = [];
  for await (const { key, value } of kv.list({ prefix: ["installs"] })) {
    parts.push(key.join("/"), value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value));
  }
  for (const { name } of journal === null ? [] : Deno.readDirSync(journal)) {
    parts.push(Deno.readTextFileSync(`${journal}/${name}`));
  }
  return parts.join("\n");
}

async function clear({ kv, journal }: InstallLogPlace): Promise<void> {
  for await (const { key } of kv.list({ prefix: [] })) await kv.delete(key);
  for (const { name } of journal === null ? [] : Deno.readDirSync(journal)) {
    Deno.removeSync(`${journal}/${name}`);
  }
}

function undisposed({ kv, journal }: InstallLogPlace): InstallLogPlace {
  return { kv, journal, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** The real KV, until so many commits were made; then every further one fails. */
function failingAfter(kv: Deno.Kv, commits: number): Deno.Kv {
  let left = commits;
  function atomic(): Deno.AtomicOperation {
    const operation = kv.atomic();
    left -= 1;
    if (left < 0) operation.commit = () => Promise.reject(new TypeError("The database is gone"));
    return operation;
  }
  const bound = (name: string | symbol): unknown => {
    const value: unknown = Reflect.get(kv, name);
    return typeof value === "function" ? value.bind(kv) : value;
  };
  return new Proxy(kv, { get: (_, name) => name === "atomic" ? atomic : bound(name) });
}

interface Step {
  readonly record: InstallRecord;
  readonly cutOffAt: number | null;
  readonly fold: boolean;
  readonly by: 0 | 1;
}

function anyStep(): fc.Arbitrary<Step> {
  const record = fc.record({
    id: fc.uuid(),
    at: fc.oneof(
      fc.integer({ min: NOW - 70 * DAY, max: NOW }),
      fc.integer({ min: NOW - 3 * DAY, max: NOW }),
      fc.constantFrom(NOW, NOW - 1, Date.UTC(2026, 10, 21), Date.UTC(2026, 10, 21) - 1),
    ) as fc.Arbitrary<EpochMs>,
    organisation: fc.constantFrom("default", "acme"),
    user: fc.constantFrom(null, "ana", "Bo", "bo", "an\u0007a"),
    ecosystem: fc.constantFrom("npm", "pypi"),
    package: fc.constantFrom("left-pad", "@acme/ui", "Left", "☃\ud800"),
    version: fc.constantFrom("1.0.0", "1.0.1", ""),
    outcome: fc.constantFrom("served", "refused", "observed"),
    rule: fc.constantFrom("", "minimumAge"),
    bytes: fc.nat(5000),
  }).map((parts) => parts.outcome === "served" ? { ...parts, rule: "" } : parts)
    .map((parts) => sampleRecord(parts as Partial<InstallRecord>));
  return fc.record({
    record,
    cutOffAt: fc.option(fc.nat(5000), { freq: 4 }),
    fold: fc.boolean(),
    by: fc.constantFrom(0, 1) as fc.Arbitrary<0 | 1>,
  }).map((step) => step.record.outcome === "refused" ? { ...step, cutOffAt: null } : step);
}

function anyQuestion(): fc.Arbitrary<Asked> {
  const time = fc.option(fc.integer({ min: NOW - 75 * DAY, max: NOW + DAY }), { nil: undefined });
  return fc.record({
    filters: fc.record({
      organisation: fc.constantFrom(undefined, "default", "acme", "unknown"),
      ecosystem: fc.constantFrom(undefined, "npm"),
      since: time as fc.Arbitrary<EpochMs | undefined>,
      until: time as fc.Arbitrary<EpochMs | undefined>,
      limit: fc.constantFrom(undefined, 1, 1000),
    }),
    package: fc.constantFrom("left-pad", "left%", "%", "%I", "@acme/ui", "none", "%acme%", "☃\ud800"),
    version: fc.constantFrom(undefined, "1.0.0"),
    user: fc.constantFrom("ana", "b%", "%", "bo", "none"),
    narrowed: fc.record({
      package: fc.constantFrom("left-pad", "Left", "@acme/ui", "none"),
      user: fc.constantFrom("ana", "Bo", "none"),
      version: fc.constantFrom("1.0.0", ""),
      outcome: fc.constantFrom("served", "partial", "refused", "observed"),
    }, { requiredKeys: [] }) as fc.Arbitrary<Narrowed>,
  });
}

/** A few at a time, and no more than a few looked at. */
async function allPages(queries: InstallQueries, filters: RecordFilters): Promise<InstallRecord[]> {
  const found: InstallRecord[] = [];
  for (let below: Position | null = null;;) {
    const { records, next } = await queries.page(filters, { limit: 2, mostLooked: 3, below });
    found.push(...records);
    if (next === null) return found;
    below = next;
  }
}

async function compare(queries: InstallQueries, steps: readonly Step[], asked: Asked): Promise<void> {
  const records = steps.map(({ record, cutOffAt }) => {
    const base = bounded(record);
    return cutOffAt === null ? base : { ...base, outcome: "partial" as const, bytes: cutOffAt };
  });
  const model = brute(records, asked);
  const { filters } = asked;
  assert.deepEqual(await queries.who(asked.package, { ...filters, version: asked.version }), model.who());
  assert.deepEqual(await queries.packages(filters), model.packages());
  assert.deepEqual(await queries.user(asked.user, filters), model.user());
  for (const by of [undefined, "ecosystem", "package", "user", "day"] as (CountBy | undefined)[]) {
    assert.deepEqual(await queries.count(filters, by), model.count(by), `count by ${by}`);
    const { outcome: _, ...narrowed } = asked.narrowed;
    assert.deepEqual(
      await queries.count({ ...filters, ...narrowed }, by),
      model.count(by, narrowed),
      `count by ${by} of ${JSON.stringify(narrowed)}`,
    );
  }
  assert.deepEqual(await queries.recent(filters), model.recent());
  assert.deepEqual(await queries.refused(filters), model.refused());
  for (const narrowed of [{}, asked.narrowed]) {
    const wanted = { ...filters, ...narrowed };
    assert.deepEqual(await Array.fromAsync(queries.export(wanted)), model.export(narrowed));
    assert.deepEqual(
      await allPages(queries, wanted),
      model.export({ ...narrowed, unlimited: true }).toReversed(),
    );
  }
  for (const record of records.filter(({ user }) => user !== null).slice(0, 3)) {
    const query = { ...record, user: record.user as string };
    assert.deepEqual(await queries.versionsOf(query), model.versionsOf(query));
  }
}
