/** Whether one request holds the others up: hot small answers at a steady rate, while somebody asks for what is cold. */
import type { Finding } from "./bounds.ts";
import { askOnce, connectRaw, type RawClient } from "./raw.ts";
import { startRig } from "./rig.ts";
import { shapedName, type ShapeName } from "./shapes.ts";
import { percentile } from "./stats.ts";

const PER_SECOND = 2_000;
const CONNECTIONS = 64;
/** README.md says why; where the machine is quiet. */
const ATTAINED_MS = 60;
const HEADERS = {
  authorization: `Basic ${btoa("bench:")}`,
  "user-agent": "npm/11.19.0 node/v24.0.0 linux x64 workspaces/false",
  "npm-command": "install",
};
const GZIP = { ...HEADERS, accept: "application/json", "accept-encoding": "gzip" };

/** The goal is for one client that loops over packuments of 21 MB; the shape of 40,000 releases is told beside it. */
export async function measureLatency(
  { seconds = 6, shapes = ["big", "many"], cold = 30 }: {
    readonly seconds?: number;
    readonly shapes?: readonly ShapeName[];
    /** So many different ones there are; more are not asked for in that time. */
    readonly cold?: number;
  } = {},
): Promise<readonly Finding[]> {
  await using rig = await startRig();
  const hot = "/npm/small-0000/-/small-0000-0.0.0.tgz";
  await askOnce(rig.sluice.url, hot, { headers: HEADERS });
  // A registry has them compressed already.
  for (const shape of shapes) {
    for (let i = 0; i < cold; i++) {
      await askOnce(rig.upstream, `/${shapedName(shape, i)}`, { headers: GZIP });
    }
  }
  const probe = () => runProbe(rig.sluice.url, hot, seconds);
  await probe();
  const alone = await probe();
  // On a machine that is busy with other things the rest says nothing.
  const attained = Math.max(ATTAINED_MS, 3 * percentile(alone, 0.99));
  const findings: Finding[] = [finding("alone", alone, 0.99), finding("alone", alone, 1)];
  for (const shape of shapes) {
    const loop = loopOver(rig.sluice.url, shape, cold);
    const latencies = await probe();
    const asked = await loop.end();
    const what = `beside ${asked} cold packuments of the shape "${shape}"`;
    const goal = shape === "big" ? { bound: 15, attained } : undefined;
    findings.push(finding(what, latencies, 0.99, goal), finding(what, latencies, 1));
  }
  return findings;
}

function finding(
  what: string,
  latencies: readonly number[],
  share: number,
  goal: Pick<Finding, "bound" | "attained"> = { bound: null },
): Finding {
  const name = share === 1 ? "longest" : `p${share * 100}`;
  const title = `hot 3 kB file, ${PER_SECOND} a second, ${what}: ${name}`;
  return { what: title, found: percentile(latencies, share), ...goal, unit: "ms" };
}

/** One client, one after the other. */
function loopOver(url: string, shape: ShapeName, cold: number): { end(): Promise<number> } {
  let ended = false;
  let asked = 0;
  const looping = (async () => {
    using client = await connectRaw(url, 1024 * 1024);
    for (let i = 0; !ended; i++) {
      if (i === cold) throw new Error(`${cold} documents of the shape "${shape}" are not enough`);
      const { status } = await client.ask(`/npm/${shapedName(shape, i)}`, GZIP);
      if (status !== 200) throw new Error(`${status} from ${url}/npm/${shapedName(shape, i)}`);
      asked++;
    }
  })();
  return {
    async end() {
      ended = true;
      await looping;
      return asked;
    },
  };
}

/** An open loop: milliseconds from each request's scheduled time to its end, whether or not a connection was free. */
async function runProbe(url: string, path: string, seconds: number): Promise<readonly number[]> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectRaw(url, 16 * 1024)));
  const idle: RawClient[] = [...clients];
  const due: number[] = [];
  const latencies: number[] = [];
  const total = PER_SECOND * seconds;
  const done = Promise.withResolvers<void>();

  async function ask(client: RawClient, scheduled: number): Promise<void> {
    for (let next: number | undefined = scheduled; next !== undefined; next = due.shift()) {
      const { status } = await client.ask(path, HEADERS);
      if (status !== 200) throw new Error(`${status} from ${url}${path}`);
      latencies.push(performance.now() - next);
    }
    idle.push(client);
    if (latencies.length === total) done.resolve();
  }

  const startedAt = performance.now();
  for (let sent = 0; sent < total;) {
    const now = performance.now();
    for (; sent < total && startedAt + sent * 1000 / PER_SECOND <= now; sent++) {
      const scheduled = startedAt + sent * 1000 / PER_SECOND;
      const client = idle.pop();
      if (client === undefined) due.push(scheduled);
      else ask(client, scheduled).catch(done.reject);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await done.promise;
  for (const client of clients) client[Symbol.dispose]();
  return latencies;
}
