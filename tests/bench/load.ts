/** What asks: wrk where it is installed, else a loop in this process; and requests at their scheduled times. */
import { get } from "node:http";
import { percentile } from "./stats.ts";

export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As they came, in whatever coding. */
  readonly bytes: Uint8Array;
}

export interface Load {
  readonly connections: number;
  readonly seconds: number;
}

/** One request; decodes nothing. */
export function askRaw({ url, headers }: Target): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  get(url, { headers: { ...headers }, agent: false }, (response) => {
    const chunks: Uint8Array[] = [];
    response.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", async () => {
      const bytes = await new Blob(chunks as BlobPart[]).bytes();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes });
    });
  }).on("error", reject);
  return promise;
}

/** Whether wrk is on this machine. */
export async function hasWrk(): Promise<boolean> {
  try {
    // Without arguments it prints its usage and fails.
    await new Deno.Command("wrk", { stdout: "null", stderr: "null" }).output();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Answers a second, of as many connections as asked for; 0 where none came in time. Throws if any was an error. */
export async function runWrk(target: Target, load: Load): Promise<number> {
  const text = await wrk(target, [`-c${load.connections}`, `-d${load.seconds}s`]);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
  if (Number.isNaN(perSecond)) throw new Error(`wrk on ${target.url}: ${text}`);
  return perSecond;
}

/** Milliseconds: the median of one connection that asks again as soon as it was answered. Needs wrk. */
export async function medianLatency(target: Target, seconds: number): Promise<number> {
  const text = await wrk(target, ["-c1", `-d${seconds}s`, "--latency"]);
  const found = /^\s+50%\s+([\d.]+)(us|ms|s)/m.exec(text);
  if (found === null) throw new Error(`wrk on ${target.url}: ${text}`);
  return Number(found[1]) * { us: 0.001, ms: 1, s: 1000 }[found[2] as "us" | "ms" | "s"];
}

/** What wrk printed. */
async function wrk({ url, headers }: Target, options: readonly string[]): Promise<string> {
  const fields = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const args = ["-t1", ...options, "--timeout", "10s", ...fields, url];
  const { stdout } = await new Deno.Command("wrk", { args, stderr: "null" }).output();
  const text = new TextDecoder().decode(stdout);
  const wrong = /Non-2xx or 3xx responses: \d+|Socket errors: .*(?:connect|read|write) [1-9]\d*.*/.exec(text)
    ?.[0];
  if (wrong !== undefined) throw new Error(`wrk on ${url}: ${wrong}`);
  return text;
}

/** The same without wrk. Its own work is the larger part for small answers: compare ratios only. */
export async function runLoop({ url, headers }: Target, load: Load): Promise<number> {
  const until = performance.now() + load.seconds * 1000;
  let answers = 0;
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: load.connections });
  async function connection(): Promise<void> {
    while (performance.now() < until) {
      const response = await fetch(url, { headers, client });
      await response.arrayBuffer();
      if (response.status >= 400) throw new Error(`${response.status} from ${url}`);
      answers++;
    }
  }
  await Promise.all(Array.from({ length: load.connections }, connection));
  client.close();
  return answers / load.seconds;
}

/** Milliseconds from a request's scheduled time to its end: what a closed loop hides, since it waits with the server. */
export async function runOpenLoop(
  { url, headers }: Target,
  options: { readonly perSecond: number; readonly seconds: number },
): Promise<{ readonly p50: number; readonly p99: number; readonly count: number }> {
  const { perSecond, seconds } = options;
  const startedAt = performance.now();
  const latencies: number[] = [];
  async function askAt(scheduled: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, scheduled - performance.now()));
    const response = await fetch(url, { headers });
    await response.arrayBuffer();
    if (response.status >= 400) throw new Error(`${response.status} from ${url}`);
    latencies.push(performance.now() - scheduled);
  }
  await Promise.all(
    Array.from({ length: perSecond * seconds }, (_, i) => askAt(startedAt + 50 + i * 1000 / perSecond)),
  );
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), count: latencies.length };
}
