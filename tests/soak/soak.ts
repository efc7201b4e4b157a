/** Kills a server again and again under a mixed load, and looks after each kill whether anything was lost. */
import type { SpawnedServer } from "../e2e/server.ts";
import type { Fixtures, Wish } from "./fixtures.ts";
import { sha256Hex } from "./fixtures.ts";
import { createInspector, type Inspection } from "./inspect.ts";
import { asUser, type Held, runLoad } from "./load.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Something that must never be; `step` says after which kill, and while what was done. */
export class SoakError extends Error {
  override readonly name = "SoakError";
  constructor(readonly step: string, faults: readonly string[]) {
    super(`${step}: ${faults.length} faults\n${faults.slice(0, 20).map((fault) => `  ${fault}`).join("\n")}`);
  }
}

export interface SoakOptions {
  readonly kills: number;
  readonly world: World;
  readonly fixtures: Fixtures;
  readonly random: Random;
  /** After each kill, what there is to say. */
  readonly progress: (line: string) => void;
}

export interface Summary {
  readonly held: number;
  readonly answers: number;
  /** Files fetched again after a restart and compared. */
  readonly compared: number;
  readonly refetched: number;
  readonly leftovers: number;
  readonly last: Inspection;
}

const CLIENTS = 10;
/** The load goes on for so long at most before the kill. */
const LONGEST_LOAD_MS = 1_100;
const LOG_MARGIN_MS = 60_000;
/** Everything a process left counts as dead by then: every lease is an hour at most. */
const LATER_MS = 2 * 3_600_000;
const OLDER_WISHES = 4;

interface Round {
  readonly index: number;
  readonly cold: readonly Wish[];
}

/** Throws SoakError. */
export async function soak(options: SoakOptions): Promise<Summary> {
  const { kills, world, fixtures, random, progress } = options;
  const inspector = createInspector(world.kv, world.artifacts);
  const everyone: Held[] = [];
  const wishes: Wish[] = [...fixtures.warm];
  let blocked = false;
  let answers = 0;
  let compared = 0;
  let refetched = 0;
  let leftovers = 0;
  let previous: Round | null = null;
  let last: Inspection | null = null;

  async function checkServed(server: SpawnedServer, step: string): Promise<void> {
    const sample = [
      ...(previous?.cold ?? []),
      ...Array.from({ length: OLDER_WISHES }, () => random.pick(wishes)),
      fixtures.warm[2]!,
    ];
    const faults = [...await servedFaults(server.url, sample, `${step}-after`)];
    compared += sample.length;
    faults.push(...await policyFaults(server.url, fixtures.toggled, blocked, `${step}-after`));
    for (const path of fixtures.indexes) faults.push(...await indexFaults(`${server.url}${path}`));
    if (faults.length > 0) throw new SoakError(`kill ${step}, what was served afterwards`, faults);
  }

  for (let index = 0; index < kills; index++) {
    const step = String(index);
    const cold = fixtures.publishRound(index);
    await using server = await world.start();
    await checkServed(server, step);

    const startedAt = performance.now();
    const stop = new AbortController();
    const whole = countdown(index % 3 === 0 ? random.between(1, 40) : Infinity);
    const loaded = runLoad({
      base: server.url,
      fixtures,
      cold,
      random: random.fork(),
      round: `r${index}`,
      clients: CLIENTS,
      stop: stop.signal,
      onWhole: whole.count,
    });
    // A change that was acknowledged is there after the kill, whenever it comes.
    const change = async () => {
      await world.block(blocked ? [] : ["npm/toggled"]);
      blocked = !blocked;
    };
    const loadMs = random.between(20, LONGEST_LOAD_MS);
    const changing = random.next() < 0.5 ? change() : Promise.resolve();
    await Promise.race([whole.done, new Promise((resolve) => setTimeout(resolve, loadMs))]);
    server.signal("SIGKILL");
    stop.abort();
    await server.end("SIGKILL");
    await changing;
    const { held, wrong, answers: got } = await loaded;
    if (wrong.length > 0) throw new SoakError(`kill ${step}, what clients were sent`, wrong);

    everyone.push(...held);
    wishes.push(...cold);
    answers += got;
    const logged = await world.logged(performance.now() - startedAt + LOG_MARGIN_MS);
    const missing = logFaults(held, logged);
    if (missing.length > 0) throw new SoakError(`kill ${step}, the install log`, missing);
    last = await inspector.inspect();
    if (last.faults.length > 0) throw new SoakError(`kill ${step}, what is stored`, last.faults);
    refetched += last.lost.length;
    leftovers += (await world.leftovers()).length;
    previous = { index, cold };
    progress(
      `kill ${index + 1}/${kills} after ${Math.round(performance.now() - startedAt)} ms: ${got} answers, ` +
        `${held.length} held; ${last.keys} keys, ${last.blobs} blobs, ` +
        `${last.lost.length} to refetch, ${last.orphanedChunks}+${last.orphanedBlobs} orphans`,
    );
  }

  await checkCleaned(world);
  await using server = await world.start();
  await checkServed(server, String(kills));
  const health = await (await fetch(`${server.url}/-/health`)).json();
  if (health.checks.kv !== "ok") throw new SoakError("the last start", [JSON.stringify(health)]);
  if (await server.end("SIGTERM") !== 0) throw new SoakError("the last end", ["SIGTERM did not end it well"]);
  await checkWholeLog(world, everyone);
  const summary = await inspector.inspect();
  if (summary.faults.length > 0) throw new SoakError("the end, what is stored", summary.faults);
  return { held: everyone.length, answers, compared, refetched, leftovers, last: summary };
}

/** Two hours later, as far as a start can know, nothing is there that a dead process left on its way. */
async function checkCleaned(world: World): Promise<void> {
  await world.cleanLater(LATER_MS);
  const left = await world.leftovers();
  if (left.length > 0) throw new SoakError("a start two hours later", left);
}

/** All that was ever held, before and after the journals of the dead were folded away. */
async function checkWholeLog(world: World, everyone: readonly Held[]): Promise<void> {
  const missing = logFaults(everyone, await world.logged(24 * LATER_MS));
  if (missing.length > 0) throw new SoakError("the install log at the end", missing);
  const journal = await world.journalLater(LATER_MS);
  if (journal.length > 0) throw new SoakError("the journal two hours later", journal);
  const folded = logFaults(everyone, await world.logged(24 * LATER_MS));
  if (folded.length > 0) throw new SoakError("the install log once it was folded", folded);
}

function countdown(from: number) {
  const done = Promise.withResolvers<void>();
  let left = from;
  return {
    done: done.promise,
    count() {
      if (--left <= 0) done.resolve();
    },
  };
}

async function servedFaults(base: string, wishes: readonly Wish[], user: string): Promise<string[]> {
  const faults: string[] = [];
  const each = wishes.map(async (wish, n) => {
    const response = await fetch(`${base}${wish.path}`, { headers: asUser(`${user}-${n}`) });
    const bytes = await response.bytes();
    if (response.status === 200 && sha256Hex(bytes) === wish.sha256) return;
    const said = response.status === 200 ? "" : ` ${new TextDecoder().decode(bytes.subarray(0, 300))}`;
    faults.push(`${wish.path}: ${response.status}, ${bytes.byteLength} of ${wish.sizeBytes} bytes${said}`);
  });
  await Promise.all(each);
  return faults;
}

async function policyFaults(
  base: string,
  { path }: Wish,
  blocked: boolean,
  user: string,
): Promise<readonly string[]> {
  const response = await fetch(`${base}${path}`, { headers: asUser(user) });
  await response.body?.cancel();
  const expected = blocked ? 403 : 200;
  return response.status === expected
    ? []
    : [`${path}: ${response.status} where the policy says ${expected}`];
}

async function indexFaults(url: string): Promise<readonly string[]> {
  const response = await fetch(url, { headers: asUser("indexes") });
  const text = await response.text();
  if (response.status !== 200) return [`${url}: ${response.status} ${text.slice(0, 300)}`];
  return /[}>]\s*$/.test(text) ? [] : [`${url}: it ends with ${JSON.stringify(text.slice(-50))}`];
}

/** Once each, as what it was. */
export function logFaults(
  held: readonly Held[],
  logged: readonly { readonly user: string | null; readonly file: string; readonly outcome: string }[],
): readonly string[] {
  const byUser = Map.groupBy(logged, ({ user }) => user);
  return held.flatMap(({ user, file, outcome }) => {
    const lines = (byUser.get(user) ?? []).map((record) => `${record.outcome} ${record.file}`);
    if (lines.length === 1 && lines[0] === `${outcome} ${file}`) return [];
    return [`${user} was ${outcome} ${file}, and the log has ${JSON.stringify(lines)}`];
  });
}
