import assert from "node:assert/strict";
import { parseFloor, parsePolicy } from "../policy/config.ts";
import type { EpochMs } from "../policy/types.ts";
import { createInstallLog, type InstallRecord } from "../storage/installs/log.ts";
import { createInstallQueries } from "../storage/installs/queries.ts";
import { createJobs } from "../storage/kv/jobs.ts";
import { createOrganisations } from "../storage/kv/organisations.ts";
import { createMaintenance } from "./maintenance.ts";

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 10, 21, 12);

async function rig(options: { readonly withFurther?: boolean } = {}) {
  const kv = await Deno.openKv(":memory:");
  const lines: string[] = [];
  let now = START;
  let sent = 0;
  let sampled = 0;
  let flushed = 0;
  let sending: () => Promise<void> = () => Promise.resolve(void sent++);
  const clock = () => now as EpochMs;
  const log = (_level: string, message: string) => void lines.push(message);
  const organisations = createOrganisations(kv, { clock, parsePolicy, parseFloor });
  await organisations.ensureDefault();
  const jobs = createJobs({ kv, clock, log });
  const installs = createInstallLog({ kv, journal: null, instance: "t", clock, log, random: () => 0.5 });
  const sampling = { begin: () => void sampled++ };
  const ran: string[] = [];
  const further = [
    { what: "do the first", run: () => Promise.reject(new Error("not today")) },
    { what: "do the second", run: () => Promise.resolve(void ran.push("second")) },
  ];
  const tokens = { flushUses: () => Promise.resolve(void flushed++) };
  const webhooks = {
    refusal: () => {},
    alert: () => Promise.resolve(),
    waiver: () => {},
    test: () => Promise.resolve(null),
    handlers: {},
    runDue: () => sending(),
  };
  return {
    kv,
    lines,
    organisations,
    installs,
    maintain: createMaintenance({
      kv,
      organisations,
      installs,
      webhooks,
      jobs,
      tokens,
      sampling,
      cache: { maintain: () => Promise.resolve() },
      further: options.withFurther ? further : [],
      clock,
      log,
    }),
    queries: createInstallQueries({ kv, clock }),
    moveTo: (at: number) => void (now = at),
    ran,
    sent: () => sent,
    sampled: () => sampled,
    flushed: () => flushed,
    onSend: (work: () => Promise<void>) => void (sending = work),
  };
}

function record(at: number, file: string): InstallRecord {
  return {
    id: `${at}-${file}`,
    at: at as EpochMs,
    organisation: "default",
    user: "ada",
    address: "192.0.2.1",
    client: "npm",
    clientVersion: "11",
    ecosystem: "npm",
    package: file,
    version: "1.0.0",
    file,
    digest: "sha256:00",
    bytes: 1,
    cache: "hit",
    outcome: "served",
    rule: "",
    decisionId: "",
  };
}

Deno.test("maintain: folds the log, and drops what is older than the policy's retention, once a day", async () => {
  const { kv, lines, organisations, installs, maintain, queries, moveTo, sent, sampled, flushed } =
    await rig();
  try {
    await organisations.set({ id: "default", source: { retention: "10d" }, author: "t" });
    const names = async () => (await queries.packages({})).map((row) => row.package).toSorted();
    await installs.append(record(START - 20 * DAY_MS, "old"));
    await installs.append(record(START, "new"));
    await maintain();
    assert.deepEqual(await names(), ["new"]);
    await installs.append(record(START - 19 * DAY_MS, "late"));
    await maintain();
    assert.deepEqual(await names(), ["late", "new"]);
    moveTo(START + DAY_MS);
    await maintain();
    assert.deepEqual(await names(), ["new"]);
    assert.equal(sent(), 3);
    assert.equal(sampled(), 3);
    assert.equal(flushed(), 3);
    assert.deepEqual(lines, []);
  } finally {
    await installs.close();
    kv.close();
  }
});

Deno.test("maintain: what fails is said, the rest is done, and no round begins while one runs", async () => {
  const { kv, lines, installs, maintain, queries, onSend } = await rig();
  try {
    const sending = Promise.withResolvers<void>();
    let calls = 0;
    onSend(() => (calls++, sending.promise));
    await installs.append(record(START, "new"));
    const rounds = [maintain(), maintain()];
    sending.reject(new Error("no way out"));
    await Promise.all(rounds);
    assert.equal(calls, 1);
    assert.deepEqual(lines, ["Cannot send what is due to webhooks: no way out"]);
    assert.equal((await queries.packages({})).length, 1);
  } finally {
    await installs.close();
    kv.close();
  }
});

Deno.test("maintain: what is further to be done is done each round, whatever became of what was before it", async () => {
  const { kv, lines, installs, maintain, ran } = await rig({ withFurther: true });
  try {
    await maintain();
    await maintain();
    assert.deepEqual(ran, ["second", "second"]);
    assert.deepEqual(new Set(lines), new Set(["Cannot do the first: not today"]));
  } finally {
    await installs.close();
    kv.close();
  }
});
