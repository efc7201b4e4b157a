/** Rounds in which every server has its turn, and what each took of the machine meanwhile. */
import { type Case, targetOf } from "./cases.ts";
import type { Load, Target } from "./load.ts";
import type { Figures, Row } from "./report.ts";
import type { Measured } from "./servers.ts";
import { cpuSecondsOf, forgetPeak, memoryOf } from "./usage.ts";

/** Answers a second. */
export type Run = (target: Target, load: Load) => Promise<number>;

interface Tally {
  readonly rounds: number[];
  cpuSeconds: number;
  answers: number;
}

/** Each round asks every server once, beginning with another one each time. Servers that are not here are left out. */
export async function measureCase(each: Case, options: {
  readonly servers: readonly Measured[];
  /** Of what Sluice answered. */
  readonly folder: string;
  readonly run: Run;
  readonly load: Load;
  readonly rounds: number;
}): Promise<Row> {
  const { folder, run, rounds } = options;
  const load = { ...options.load, connections: each.connections ?? options.load.connections };
  const servers = each.servers.map((name) => options.servers.find((server) => server.name === name))
    .filter((server) => server !== undefined);
  const tallies = new Map<Measured, Tally>(
    servers.map((server) => [server, { rounds: [], cpuSeconds: 0, answers: 0 }]),
  );
  for (const { pid } of servers) forgetPeak(pid);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < servers.length; turn++) {
      const server = servers[(round + turn) % servers.length]!;
      const target = await targetOf(server, each, folder);
      const tally = tallies.get(server)!;
      const before = cpuSecondsOf(server.pid) ?? NaN;
      const perSecond = await run(target, load);
      tally.cpuSeconds += (cpuSecondsOf(server.pid) ?? NaN) - before;
      tally.answers += perSecond * load.seconds;
      tally.rounds.push(perSecond);
    }
  }
  const figures = await Promise.all(servers.map((server) => figuresOf(server, tallies.get(server)!)));
  return { title: each.title, figures, goal: each.goal };
}

async function figuresOf({ name, pid }: Measured, { rounds, cpuSeconds, answers }: Tally): Promise<Figures> {
  const cpuMicros = cpuSeconds * 1e6 / answers;
  const peakMb = (await memoryOf(pid))?.peakMb ?? null;
  return { server: name, rounds, cpuMicros: Number.isFinite(cpuMicros) ? cpuMicros : null, peakMb };
}
