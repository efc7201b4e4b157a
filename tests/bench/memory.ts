/** How much memory a Sluice takes: large documents for many, many large documents, a thousand packages, a million answers. */
import type { Finding } from "./bounds.ts";
import { runWrk } from "./load.ts";
import { askOnce } from "./raw.ts";
import { type Rig, startRig, watchPeak } from "./rig.ts";
import { memoryOf } from "./servers.ts";
import { shapedName } from "./shapes.ts";

const HEADERS = {
  authorization: `Basic ${btoa("bench:")}`,
  "user-agent": "npm/11.19.0 node/v24.0.0 linux x64 workspaces/false",
  "npm-command": "install",
};
const PLAIN = { ...HEADERS, accept: "application/json", "accept-encoding": "identity" };
const GZIP = { ...PLAIN, "accept-encoding": "gzip" };

/** A process of its own for each. */
export async function measureMemory(): Promise<readonly Finding[]> {
  return [
    ...await oneForMany(),
    ...await manyAtOnce(),
    ...await measureIdle(),
    ...await millionAnswers(),
  ];
}

function megabytes(what: string, found: number, bound: number | null, attained = 0): Finding {
  return { what: `memory, ${what}`, found, bound, attained, unit: "MB" };
}

async function residentOf(rig: Rig): Promise<number> {
  return (await memoryOf(rig.sluice.pid))?.rssMb ?? NaN;
}

async function oneForMany(): Promise<readonly Finding[]> {
  await using rig = await startRig();
  const started = await residentOf(rig);
  const path = `/npm/${shapedName("big", 0)}`;
  await askOnce(rig.sluice.url, path, { headers: PLAIN });
  const peak = await watchPeak(rig.sluice.pid);
  await Promise.all(
    Array.from({ length: 500 }, () => askOnce(rig.sluice.url, path, { headers: PLAIN })),
  );
  return [
    megabytes("when it has started", started, null),
    megabytes("500 clients receive one packument of 21 MB, peak", await peak(), 200, 255),
  ];
}

async function manyAtOnce(): Promise<readonly Finding[]> {
  await using rig = await startRig();
  const peak = await watchPeak(rig.sluice.pid);
  const paths = Array.from({ length: 50 }, (_, i) => `/npm/${shapedName("big", i)}`);
  await Promise.all(paths.map((path) => askOnce(rig.sluice.url, path, { headers: GZIP })));
  return [megabytes("50 different cold packuments of 21 MB at once, peak", await peak(), 512)];
}

/** After each package's index and file were asked for, and nothing more. */
export async function measureIdle(
  { packages = 1_000, restMs = 10_000 }: { readonly packages?: number; readonly restMs?: number } = {},
): Promise<readonly Finding[]> {
  await using rig = await startRig();
  for (let i = 0; i < packages; i++) {
    const name = shapedName("small", i);
    await askOnce(rig.sluice.url, `/npm/${name}`, { headers: GZIP });
    await askOnce(rig.sluice.url, `/npm/${name}/-/${name}-0.0.0.tgz`, { headers: HEADERS });
  }
  await new Promise((resolve) => setTimeout(resolve, restMs));
  return [megabytes(`idle after ${packages} packages and their files`, await residentOf(rig), 150, 265)];
}

/** Flat: what another nine hundred thousand add to the first hundred thousand. */
async function millionAnswers(): Promise<readonly Finding[]> {
  await using rig = await startRig();
  const target = {
    url: `${rig.sluice.url}/npm/small-0000/-/small-0000-0.0.0.tgz`,
    headers: HEADERS,
  };
  let asked = 0;
  const until = async (count: number) => {
    while (asked < count) asked += 2 * await runWrk(target, { connections: 16, seconds: 2 });
    return await residentOf(rig);
  };
  const early = await until(100_000);
  const late = await until(1_000_000);
  return [
    megabytes("after 100,000 hot answers", early, null),
    megabytes("what 900,000 more add to it", late - early, 20, 30),
  ];
}
