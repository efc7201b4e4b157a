/** `deno task bench`: Sluice beside its yardsticks, in alternating rounds on loopback. README.md says how to read it. */
import { parseArgs } from "node:util";
import { type Case, CASES, createPackages, SMALL_FILE, targetOf, writeAnswers } from "./cases.ts";
import { hasWrk, type Load, runLoop, runOpenLoop, runWrk } from "./load.ts";
import { measureCase } from "./measure.ts";
import { startNginx } from "./nginx.ts";
import { measurePolicyPrice } from "./policy_price.ts";
import { runAllMeasurements, runMeasurement } from "./measurements.ts";
import { farFromGoal, type Report, reportJson, reportText, type Row } from "./report.ts";
import { type Measured, serveFixtures, startBareDeno, startMeasuredSluice, startVariant } from "./servers.ts";
import { memoryOf } from "./usage.ts";
import { startVerdaccio } from "./verdaccio.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    /** For CI: fewer cases and rounds, and a failure where a ratio is below half of its goal. */
    short: { type: "boolean", default: false },
    seconds: { type: "string" },
    rounds: { type: "string" },
    connections: { type: "string", default: "16" },
    /** Cases whose title has this in it. */
    only: { type: "string", default: "" },
  },
});
const measured = await runMeasurement(values.only, values.json);
if (measured !== null) {
  console.log(measured);
  Deno.exit(0);
}
const rounds = count("rounds", values.rounds ?? (values.short ? "2" : "5"), 1, 100);
const load: Load = {
  seconds: count("seconds", values.seconds ?? (values.short ? "1" : "2"), 1, 60),
  connections: count("connections", values.connections, 1, 256),
};
const cases = CASES.filter(({ title, isShort }) => title.includes(values.only) && (isShort || !values.short));
const raced = await bench();
const further = values.only === "" ? await runAllMeasurements(values.short, say) : [];
const report: Report = { ...raced, findings: [...raced.findings, ...further] };
console.log((values.json ? reportJson(report) : reportText(report)).trimEnd());
const far = values.short ? farFromGoal(report) : [];
if (far.length > 0) {
  console.error(`Below half of its goal: ${far.join("; ")}`);
  Deno.exit(1);
}

function count(name: string, given: string, lowest: number, highest: number): number {
  const number = /^\d+$/.test(given) ? Number(given) : NaN;
  if (number >= lowest && number <= highest) return number;
  console.error(`--${name} "${given}" is not a whole number from ${lowest} to ${highest}.`);
  Deno.exit(2);
}

function say(what: string): void {
  if (!values.json) console.error(`… ${what}`);
}

async function bench(): Promise<Report> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-bench-answers-" });
  try {
    await using upstream = serveFixtures(createPackages());
    await using sluice = await startMeasuredSluice(upstream.url);
    const memory: Report["memory"][number][] = [];
    const weigh = async (when: string) => {
      const weighed = await memoryOf(sluice.pid);
      if (weighed !== null) memory.push({ when, ...weighed });
    };
    await weigh("when it had started");
    await writeAnswers(sluice, folder);
    await using others = await startOthers(folder, upstream.url);
    const servers = [sluice, ...others.servers];
    const hasLoad = await hasWrk();
    const rows = await measureAll(servers, folder, hasLoad);
    await weigh("after all loads");
    const index = CASES.find(({ title }) => title === "packument 125 kB, gzip")!;
    const findings = hasLoad && "policy".includes(values.only)
      ? await measurePolicyPrice(sluice, { rounds, seconds: load.seconds, index })
      : [];
    const probes = values.only === "" ? await probe(servers, folder) : [];
    const means = hasLoad ? "wrk" : "a loop in this process";
    return { load: means, ...load, rounds, deno: Deno.version.deno, rows, findings, probes, memory };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Those that a case asks, as far as they are on this machine. */
async function startOthers(folder: string, upstream: string) {
  await using stack = new AsyncDisposableStack();
  const servers: Measured[] = [];
  const isWanted = (name: Measured["name"]) => cases.some((each) => each.servers.includes(name));
  const starts = {
    deno: () => startBareDeno(folder),
    nginx: () => startNginx(folder),
    verdaccio: () => startVerdaccio(upstream),
    kv: () => startVariant("kv", upstream),
    unlogged: () => startVariant("unlogged", upstream),
  } as const;
  for (const [name, start] of Object.entries(starts)) {
    const server = isWanted(name as Measured["name"]) ? await start() : null;
    if (server !== null) servers.push(stack.use(server));
  }
  const held = stack.move();
  return { servers, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
}

async function measureAll(
  servers: readonly Measured[],
  folder: string,
  hasLoad: boolean,
): Promise<readonly Row[]> {
  const run = hasLoad ? runWrk : runLoop;
  const rows: Row[] = [];
  for (const each of cases) {
    rows.push(await measureCase(each, { servers, folder, run, load, rounds }));
    say(each.title);
  }
  return rows;
}

async function probe(servers: readonly Measured[], folder: string): Promise<Report["probes"]> {
  const asked = (each: Case) =>
    servers.filter(({ name }) => each.servers.includes(name) && name !== "verdaccio");
  const probes: Report["probes"][number][] = [];
  for (const server of asked(SMALL_FILE)) {
    const target = await targetOf(server, SMALL_FILE, folder);
    const found = await runOpenLoop(target, { perSecond: 300, seconds: load.seconds });
    probes.push({ server: server.name, ...found });
  }
  return probes;
}
