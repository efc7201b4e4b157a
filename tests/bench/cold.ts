/** What the first answer costs: beside upstream's own first byte, and beside parsing, editing and stringifying. */
import { connectRaw } from "./raw.ts";
import type { Finding } from "./bounds.ts";
import { openCold } from "./cold_parts.ts";
import { startRig } from "./rig.ts";
import { shapedName } from "./shapes.ts";
import { median } from "./stats.ts";

const HEADERS = {
  authorization: `Basic ${btoa("bench:")}`,
  "user-agent": "npm/11.19.0 node/v24.0.0 linux x64 workspaces/false",
  accept: "application/json",
  "accept-encoding": "gzip",
};

/** Rounds in which V8 compiles, which are not counted. */
const WARM_UP = 4;

interface Counts {
  readonly artifacts: number;
  readonly packuments: number;
  readonly rounds: number;
}

export async function measureCold(
  counts: Counts = { artifacts: 60, packuments: 8, rounds: 15 },
): Promise<readonly Finding[]> {
  return [...await firstBytes(counts), ...await withoutMemo(counts)];
}

async function firstBytes({ artifacts, packuments: count }: Counts): Promise<readonly Finding[]> {
  await using rig = await startRig();
  using ours = await connectRaw(rig.sluice.url);
  using theirs = await connectRaw(rig.upstream);
  const file = (i: number) => `/${shapedName("small", i)}/-/${shapedName("small", i)}-0.0.0.tgz`;
  const [added, straight, packuments]: [number[], number[], number[]] = [[], [], []];
  for (let i = 0; i < artifacts; i++) {
    await ours.ask(`/npm/${shapedName("small", i)}`, HEADERS);
    const direct = await theirs.ask(file(i));
    const { status, firstByteMs } = await ours.ask(`/npm${file(i)}`, HEADERS);
    if (status !== 200) throw new Error(`${status} from ${file(i)}`);
    added.push(firstByteMs - direct.firstByteMs);
    straight.push(direct.firstByteMs);
  }
  for (let i = 0; i < count; i++) {
    const path = `/${shapedName("react", i)}`;
    await theirs.ask(path, HEADERS);
    const direct = await theirs.ask(path, HEADERS);
    const { firstByteMs } = await ours.ask(`/npm${path}`, HEADERS);
    packuments.push(firstByteMs - direct.totalMs);
  }
  await using parts = await openCold("react");
  const rounds = [];
  for (let i = 0; i < 5; i++) rounds.push(await parts.scanRenderCompress());
  return [
    {
      what: "cold file, facts known: first byte after upstream's",
      found: median(added),
      bound: 5,
      // On a machine that is busy with other things upstream is slow too.
      attained: Math.max(10, 5 * median(straight)),
      unit: "ms",
    },
    {
      what: "cold packument of 4 MB, first byte after upstream's last : scan, render and compress",
      found: median(packuments) / median(rounds),
      bound: 1,
      attained: 5,
      unit: "×",
    },
  ];
}

/** In this process, on a warm data folder: what a restart costs, and a matured release or a changed policy. */
async function withoutMemo({ rounds }: Counts): Promise<readonly Finding[]> {
  await using parts = await openCold("react");
  const [restarted, decidedAnew, classic]: [number[], number[], number[]] = [[], [], []];
  for (let i = -WARM_UP; i < rounds; i++) {
    const took = [
      await parts.parseEditStringify(),
      await parts.decideAndRender(),
      await parts.readAndRender(),
    ];
    if (i < 0) continue;
    for (const [at, times] of [classic, decidedAnew, restarted].entries()) times.push(took[at]!);
  }
  const told = (what: string, times: readonly number[]): Finding => ({
    what: `packument of 4 MB ${what}`,
    found: median(times),
    bound: null,
    unit: "ms",
  });
  const beside = (what: string, times: readonly number[], attained: number): Finding => ({
    what: `packument of 4 MB ${what} : parse, edit and stringify`,
    found: median(times) / median(classic),
    bound: 0.5,
    attained,
    unit: "×",
  });
  return [
    told("parsed, edited and stringified", classic),
    told("without the memo, facts in memory", decidedAnew),
    told("without the memo, facts and layout from KV", restarted),
    beside("after a matured release or a changed policy", decidedAnew, 0.8),
    beside("after a restart", restarted, 1.5),
  ];
}
