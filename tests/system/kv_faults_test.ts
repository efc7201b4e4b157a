/** KV out of order, in every way there is: an answer is right, with its decision and its record, or it is none. */
import assert from "node:assert/strict";
import { cache } from "../../cli/cache.ts";
import { testIo } from "../../cli/testing.ts";
import { withBound } from "../../storage/kv/bounded.ts";
import { realTimers } from "../../storage/timers.ts";
import type { SampleAsk } from "../contract/sample.ts";
import { loadSamples, type Sampled } from "../contract/samples.ts";
import { type Answered, eachOf, OF_A_PACKAGE, send, startWorld, type World } from "../contract/world.ts";
import { createFaultyKv, type FaultyKv, KV_FAULTS, seededChance } from "../fakes/faulty_kv.ts";

/** Instead of seven seconds, as long as KV stalls: it does so for good. */
const STALLED_MS = 150;
/** null: the connection was cut before the answer was whole. */
type Told = Answered | null;
type Round = ReadonlyMap<SampleAsk, Told>;

interface Place {
  readonly title: string;
  open(): Promise<
    { readonly data: string; readonly env: Readonly<Record<string, string>>; end(): Promise<void> }
  >;
}

const PLACES: readonly Place[] = [
  {
    title: "with a data folder",
    async open() {
      const data = await Deno.makeTempDir({ prefix: "sluice-data-" });
      return { data, env: {}, end: () => Deno.remove(data, { recursive: true }) };
    },
  },
  {
    title: "without a disk of its own",
    async open() {
      const folder = await Deno.makeTempDir({ prefix: "sluice-elsewhere-" });
      const env = { SLUICE_KV: `${folder}/kv.sqlite3`, SLUICE_ARTIFACTS: `file:${folder}/artifacts` };
      return { data: "none", env, end: () => Deno.remove(folder, { recursive: true }) };
    },
  },
];

const ALL = await loadSamples();
const healthy = new Map<string, Promise<ReadonlyMap<string, string>>>();

const IS_THOROUGH = Deno.env.get("SLUICE_FAULTS") === "all";

/** Every other fault meets one ecosystem in one of the two places; with `SLUICE_FAULTS=all` all meet all in both. */
const rows = Object.keys(KV_FAULTS).flatMap((fault, at) => {
  if (!IS_THOROUGH) {
    const place = PLACES[(at >> 1) % PLACES.length]!;
    return at % 2 === 0 ? [{ fault, sampled: ALL[(at >> 1) % ALL.length]!, place }] : [];
  }
  return ALL.flatMap((sampled) => PLACES.map((place) => ({ fault, sampled, place })));
});

for (const { fault, sampled, place } of rows) {
  Deno.test(`${sampled.sample.title}, ${place.title}: ${fault}: every answer is right and recorded, or 503, or cut; then all is well`, async () => {
    const opened = await place.open();
    const faults: FaultyKv[] = [];
    const world = await startWorld(sampled, {
      ...opened,
      kv(kv) {
        const faulty = createFaultyKv(kv);
        faults.push(faulty);
        const sleep = (ms: number, signal?: AbortSignal) =>
          realTimers.sleep(faulty.isBroken && fault.endsWith("stalls") ? STALLED_MS : ms, signal);
        return withBound(faulty.kv, { timers: { sleep } });
      },
    });
    try {
      await misuse(world, sampled, faults[0]!, fault);
      const verified = await verify(opened);
      assert.equal(verified.code, 0, verified.out);
    } finally {
      faults[0]!.break(null);
      await world[Symbol.asyncDispose]();
      await opened.end();
    }
  });
}

async function misuse(world: World, sampled: Sampled, faulty: FaultyKv, fault: string): Promise<void> {
  const { sluice } = world;
  const right = await rightAnswers(sampled);
  // Some of it is warm by then: it needs KV for its record alone, or for nothing.
  const rounds: Round[] = [await askAll(world, (at) => at % 2 === 0)];
  faulty.break(KV_FAULTS[fault]!(seededChance(7)));
  // The rest cold, then with what it has by then, then with the policies unconfirmed for too long.
  for (const ms of [0, 1_001, 5_001]) {
    sluice.advance(ms);
    rounds.push(await askAll(world));
  }
  assert.ok(faulty.hit > 0);
  for (const round of rounds) for (const [ask, told] of round) assertTold(world, right, ask, told);
  const last = [...rounds.at(-1)!].filter(([{ kind }]) => OF_A_PACKAGE.has(kind));
  if (/^every (call|read) (fails|stalls)$/.test(fault)) {
    for (const [ask, told] of last) assert.equal(told?.status, 503, `${ask.title} ${ask.path}`);
  }

  faulty.break(null);
  sluice.advance(2_000);
  const healed = await askAll(world);
  for (const [ask, told] of healed) {
    assert.equal(
      told === null ? null : faceOf(told),
      right.get(idOf(ask)),
      `${ask.title} ${ask.path}`,
    );
  }
  await assertRecorded(world, [...rounds, healed]);
}

/** Time passes at ten times its speed meanwhile: leases of what failed half-way have to end. */
async function askAll(
  { sluice, sample, asks, published }: World,
  which: (at: number) => boolean = () => true,
): Promise<Round> {
  const names = [null, published.plain.name, ...(IS_THOROUGH ? [published.marked.name] : [])];
  const some = asks.filter((ask) => names.includes(ask.package)).filter((_, at) => which(at));
  const ticking = setInterval(() => sluice.advance(200), 20);
  try {
    return new Map(
      await eachOf(some, async (ask) => {
        const url = `${sluice.url}/${sample.ecosystem}/${ask.path}`;
        return [ask, await send(url, ask).catch((error) => cutOff(error))] as const;
      }),
    );
  } finally {
    clearInterval(ticking);
  }
}

function cutOff(error: unknown): null {
  if (error instanceof TypeError) return null;
  throw error;
}

const idOf = ({ title, path }: SampleAsk) => `${title} ${path}`;

/** All of an answer that does not depend on where and when. */
function faceOf({ status, text }: Answered): string {
  return `${status} ${text.replaceAll(/127\.0\.0\.1:\d+/g, "").replaceAll(/decision=[\w-]+/g, "")}`;
}

/** What a Sluice answers whose KV is in order. */
function rightAnswers(sampled: Sampled): Promise<ReadonlyMap<string, string>> {
  const { title } = sampled.sample;
  const known = healthy.get(title) ?? (async () => {
    await using world = await startWorld(sampled);
    const round = [...await askAll(world)];
    for (const [ask, told] of round) {
      assert.ok(told !== null && told.status < 500, `${ask.title} ${ask.path}: ${told?.text}`);
    }
    return new Map(round.map(([ask, told]) => [idOf(ask), faceOf(told!)]));
  })();
  healthy.set(title, known);
  return known;
}

function assertTold(
  world: World,
  right: ReadonlyMap<string, string>,
  ask: SampleAsk,
  told: Told,
): void {
  if (told === null) return assert.equal(ask.kind, "artifact", `only a file may be cut: ${idOf(ask)}`);
  // Of what it cannot decide about, a search says less: what it says is decided.
  if (told.status === 200 && ask.kind === "catalogue") return assertOffers(world, right, ask, told);
  if (told.status !== 503) return assert.equal(faceOf(told), right.get(idOf(ask)), idOf(ask));
  assert.match(told.text, /Sluice's own storage does not answer\./, idOf(ask));
  assert.equal(told.headers.get("cache-control"), "no-store", idOf(ask));
  assert.equal(told.headers.get("retry-after"), "5", idOf(ask));
}

function assertOffers(
  { sample }: World,
  right: ReadonlyMap<string, string>,
  ask: SampleAsk,
  told: Answered,
): void {
  const known = right.get(idOf(ask))!.slice("200 ".length);
  const offered = (text: string) =>
    sample.offers(ask, text, "").map(({ package: name, version }) => `${name} ${version}`);
  const whole = new Set(offered(known));
  for (const offer of offered(told.text)) assert.ok(whole.has(offer), `${offer}: ${idOf(ask)}`);
}

/** As often as a file was had or refused, and told so to the last byte, it is in the log, with its decision. */
async function assertRecorded({ sluice }: World, rounds: readonly Round[]): Promise<void> {
  const installs = await sluice.installs();
  for (const ask of [...rounds.at(-1)!.keys()].filter(({ kind }) => kind === "artifact")) {
    for (const [status, outcome] of [[200, "served"], [403, "refused"]] as const) {
      const had = rounds.filter((round) => round.get(ask)?.status === status).length;
      const recorded = installs.filter((install) =>
        install.package === ask.package && install.file === ask.filename && install.outcome === outcome
      );
      assert.ok(
        recorded.length >= had,
        `${idOf(ask)}: ${outcome} ${had} times, recorded ${recorded.length} times`,
      );
      for (const { decisionId } of recorded) assert.notEqual(decisionId, "");
    }
  }
}

async function verify(opened: { readonly data: string; readonly env: Readonly<Record<string, string>> }) {
  const io = testIo({ cwd: "/", env: opened.env });
  const code = await cache(["verify", "--json", "--data", opened.data], io);
  return { code, ...io.take() };
}
