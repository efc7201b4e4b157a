/**
 * Server time of every page with a million installs in the log: `deno task bench:pages [RECORDS [FOLDER]]`. What
 * was filled into FOLDER is kept, and used by the next run.
 * Exit code 1 where the median of one is above 100 ms. Loopback and one request at a time; the first is shown too.
 */
import { ADMIN_PAGES } from "../../routes/admin/mod.ts";
import type { EpochMs } from "../../policy/types.ts";
import { createInstallLog, type InstallRecord } from "../../storage/installs/log.ts";
import { createRecordIds } from "../../storage/installs/record.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { signIn } from "../fakes/signed_in.ts";
import { daysAgo, NOW, startSluice } from "../fakes/sluice.ts";
import { ask } from "../system/ask.ts";
import { median } from "./stats.ts";

const RECORDS = Number(Deno.args[0] ?? 1_000_000);
const PACKAGES = 3_000;
const USERS = 200;
/** Of one user: people and machines install the same again and again. */
const PACKAGES_OF_ONE = 25;
const DAYS = 390;
const DAY_MS = 86_400_000;
const BATCH = 50_000;
const ROUNDS = 9;
const GOAL_MS = 100;
const SIGN_IN = "/-/auth/sign-in";

/** What stands for parameters, and pages that are downloads. */
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  "packages/{purl...}": ["packages/pkg:npm/package-7"],
  "installs": ["installs", "installs?package=package-7", "installs?user=user-7&outcome=refused"],
  "installs/who": ["installs/who?package=package-7"],
  "installs/export": [],
};

await using registry = await startNpmRegistry();
for (let i = 0; i < 20; i++) {
  const releases = { "1.0.0": { publishedAt: daysAgo(300) }, "1.1.0": { publishedAt: daysAgo(2) } };
  registry.publish({ name: `package-${i}`, releases });
}
const kept = Deno.args[1];
const data = kept ?? await Deno.makeTempDir({ prefix: "sluice-bench-" });
if (kept === undefined || !await isFilled(kept)) await fillLog(data);
const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_OWNERS: "github:ada" };
const sluice = await startSluice({ env, data });
for (let i = 0; i < 20; i++) {
  await ask(`${sluice.url}/npm/package-${i}`);
  await ask(`${sluice.url}/npm/package-${i}/-/package-${i}-1.1.0.tgz`, { user: "ada" });
}
const slow: string[] = [];
const addresses = [
  ...ADMIN_PAGES.flatMap(({ path }) => ADDRESSES[path] ?? (path.includes("{") ? [] : [path]))
    .map((address) => `/-/admin/default/${address}`),
  "/-/why/pkg:npm/package-7@1.1.0",
  "/-/setup",
  SIGN_IN,
  "/stats",
  "/",
];
console.log(`${"page".padEnd(56)} ${"first".padStart(8)} ${"median".padStart(8)}   ms, ${RECORDS} installs`);
for (const address of addresses) {
  const times: number[] = [];
  const ada = await signIn(sluice, { user: "ada", role: "owner" });
  for (let i = 0; i < ROUNDS; i++) {
    // What is kept for some seconds is made anew each time.
    sluice.advance(61_000);
    const startedAt = performance.now();
    // Whoever is signed in is led on from there.
    const answer = address === SIGN_IN ? await fetch(sluice.url + SIGN_IN) : await ada.get(address);
    await answer.arrayBuffer();
    times.push(performance.now() - startedAt);
    if (answer.status !== 200) throw new Error(`${address}: ${answer.status}`);
  }
  const middle = median(times);
  if (middle > GOAL_MS) slow.push(address);
  const mark = middle > GOAL_MS ? "  above the goal of 100" : "";
  console.log(
    `${address.padEnd(56)} ${times[0]!.toFixed(1).padStart(8)} ${middle.toFixed(1).padStart(8)}${mark}`,
  );
}
await sluice[Symbol.asyncDispose]();
if (kept === undefined) await Deno.remove(data, { recursive: true });
Deno.exit(slow.length === 0 ? 0 : 1);

async function isFilled(folder: string): Promise<boolean> {
  await Deno.mkdir(folder, { recursive: true });
  const filled = await Deno.readTextFile(`${folder}/filled`).catch(() => null);
  if (filled === null && await Deno.stat(`${folder}/kv.sqlite3`).then(() => true, () => false)) {
    throw new Error(`${folder} was filled half-way: remove it`);
  }
  if (filled !== null && filled !== String(RECORDS)) throw new Error(`${folder} holds ${filled} installs`);
  return filled !== null;
}

/** Deterministic: the same log each time. */
async function fillLog(folder: string): Promise<void> {
  const kv = await openStorage(`${folder}/kv.sqlite3`);
  let at = NOW - DAYS * DAY_MS as EpochMs;
  const clock = () => at;
  const ids = createRecordIds(clock, "bench", () => 0.5);
  const log = createInstallLog({
    kv,
    journal: null,
    instance: "bench",
    clock,
    log: () => {},
    random: () => 0.5,
  });
  const startedAt = performance.now();
  for (let done = 0; done < RECORDS; done += BATCH) {
    const records = Array.from({ length: Math.min(BATCH, RECORDS - done) }, (_, index): InstallRecord => {
      const n = done + index;
      at = NOW - DAYS * DAY_MS + Math.floor(n * DAYS * DAY_MS / RECORDS) as EpochMs;
      return recordOf(n, at, ids());
    });
    await Promise.all(records.map((record) => log.append(record)));
    await log.fold();
  }
  await log.close();
  kv.close();
  await Deno.writeTextFile(`${folder}/filled`, String(RECORDS));
  console.error(`wrote ${RECORDS} installs in ${Math.round((performance.now() - startedAt) / 1_000)} s`);
}

function recordOf(n: number, at: EpochMs, id: string): InstallRecord {
  const isRefused = n % 50 === 0;
  const user = (n * 104_729) % USERS;
  const name = `package-${(user * 31 + (n * 7_919) % PACKAGES_OF_ONE) % PACKAGES}`;
  return {
    id,
    at,
    organisation: "default",
    user: `user-${user}`,
    address: "192.0.2.1",
    client: "npm",
    clientVersion: "11.19.1",
    ecosystem: "npm",
    package: name,
    version: `1.${n % 5}.0`,
    file: `${name}-1.${n % 5}.0.tgz`,
    digest: isRefused ? "" : `sha256:${"0".repeat(64)}`,
    bytes: isRefused ? 0 : 80_000,
    cache: "hit",
    outcome: isRefused ? "refused" : "served",
    rule: isRefused ? "minimumAge" : "",
    decisionId: "bench",
  };
}
