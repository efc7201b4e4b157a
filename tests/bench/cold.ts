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
const ARTIFACTS = 60;
const PACKUMENTS = 8;

export async function measureCold(): Promise<readonly Finding[]> {
  return [...await firstBytes(), ...await withoutMemo()];
}

async function firstBytes(): Promise<readonly Finding[]> {
  await using rig = await startRig();
  using ours = await connectRaw(rig.sluice.url);
  using theirs = await connectRaw(rig.upstream);
  const file = (i: number) => `/${shapedName("small", i)}/-/${shapedName("small", i)}-0.0.0.tgz`;
  const [added, packuments]: [number[], number[]] = [[], []];
  for (let i = 0; i < ARTIFACTS; i++) {
    await ours.ask(`/npm/${shapedName("small", i)}`, HEADERS);
    const direct = await theirs.ask(file(i));
    const { status, firstByteMs } = await ours.ask(`/npm${file(i)}`, HEADERS);
    if (status !== 200) throw new Error(`${status} from ${file(i)}`);
    added.push(firstByteMs - direct.firstByteMs);
  }
  for (let i = 0; i < PACKUMENTS; i++) {
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
      unit: "ms",
    },
    {
      what: "cold packument of 4 MB, first byte after upstream's last : scan, render and compress",
      found: median(packuments) / median(rounds),
      bound: 1,
      unit: "×",
    },
  ];
}

/** In this process, on a warm data folder: what a restart, a matured release or a changed policy costs. */
async function withoutMemo(): Promise<readonly Finding[]> {
  await using parts = await openCold("react");
  const [ours, classic]: [number[], number[]] = [[], []];
  for (let i = 0; i < 9; i++) {
    classic.push(await parts.parseEditStringify());
    ours.push(await parts.render());
  }
  return [{
    what: "packument of 4 MB without the memo, facts and layout from KV",
    found: median(ours),
    bound: null,
    unit: "ms",
  }, {
    what: "packument of 4 MB, parse, edit and stringify",
    found: median(classic),
    bound: null,
    unit: "ms",
  }, {
    what: "packument of 4 MB without the memo : parse, edit and stringify",
    found: median(ours) / median(classic),
    bound: 0.5,
    unit: "×",
  }];
}
