/** `deno task bench`: Sluice beside Deno alone and nginx, in alternating rounds on loopback. README.md says how to read it. */
import { parseArgs } from "node:util";
import { CASES, createPackages, targetOf, writeAnswers } from "./cases.ts";
import { hasWrk, type Load, runLoop, runOpenLoop, runWrk, type Target } from "./load.ts";
import { type Report, reportJson, reportText, type Row } from "./report.ts";
import { type Measured, memoryOf, startBareDeno, startMeasuredSluice, startNginx } from "./servers.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    seconds: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    connections: { type: "string", default: "16" },
    /** Cases whose title has this in it. */
    only: { type: "string", default: "" },
  },
});
const rounds = count("rounds", values.rounds, 1, 100);
const load: Load = {
  seconds: count("seconds", values.seconds, 1, 60),
  connections: count("connections", values.connections, 1, 256),
};
const report = await bench();
console.log((values.json ? reportJson(report) : reportText(report)).trimEnd());

function count(name: string, given: string, lowest: number, highest: number): number {
  const number = /^\d+$/.test(given) ? Number(given) : NaN;
  if (number >= lowest && number <= highest) return number;
  console.error(`--${name} "${given}" is not a whole number from ${lowest} to ${highest}.`);
  Deno.exit(2);
}

async function bench(): Promise<Report> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-bench-answers-" });
  try {
    await using sluice = await startMeasuredSluice(createPackages());
    const memory: Report["memory"][number][] = [];
    const weigh = async (when: string) => {
      const weighed = await memoryOf(sluice.pid);
      if (weighed !== null) memory.push({ when, ...weighed });
    };
    await weigh("when it had started");
    await writeAnswers(sluice, folder);
    await using bare = await startBareDeno(folder);
    await using nginx = await startNginx(folder);
    const servers = nginx === null ? [sluice, bare] : [sluice, bare, nginx];
    const wrk = await hasWrk();
    const rows = await measure(servers, folder, wrk ? runWrk : runLoop);
    await weigh("after all loads");
    const probes = await probe([sluice, bare], folder);
    return {
      load: wrk ? "wrk" : "a loop in this process",
      ...load,
      deno: Deno.version.deno,
      rows,
      probes,
      memory,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

type Run = (target: Target, load: Load) => Promise<number>;

/** Each round asks every server once, beginning with another one each time. */
async function measure(servers: readonly Measured[], folder: string, run: Run): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const each of CASES.filter(({ title }) => title.includes(values.only))) {
    const figures = Object.fromEntries(servers.map(({ name }) => [name, [] as number[]]));
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < servers.length; turn++) {
        const server = servers[(round + turn) % servers.length]!;
        figures[server.name]!.push(await run(await targetOf(server, each, folder), load));
      }
    }
    rows.push({ title: each.title, rounds: figures });
    if (!values.json) console.error(`… ${each.title}`);
  }
  return rows;
}

async function probe(servers: readonly Measured[], folder: string): Promise<Report["probes"]> {
  const small = CASES.find(({ title }) => title.startsWith("tarball 3k"))!;
  const probes: Report["probes"][number][] = [];
  for (const server of servers) {
    const target = await targetOf(server, small, folder);
    const found = await runOpenLoop(target, { perSecond: 300, seconds: load.seconds });
    probes.push({ server: server.name, ...found });
  }
  return probes;
}
