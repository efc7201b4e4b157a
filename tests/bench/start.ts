/** How long a start takes on a data folder that has been filled for years. */
import type { Finding } from "./bounds.ts";
import { askOnce } from "./raw.ts";
import { startRig } from "./rig.ts";
import { median } from "./stats.ts";

const NAME = "small-0000";
const HEADERS = { authorization: `Basic ${btoa("bench:")}`, accept: "application/json" };

/** From the process's start until `/-/health` answered. */
export async function measureStart(
  { packages = 100_000, starts = 5 }: { readonly packages?: number; readonly starts?: number } = {},
): Promise<readonly Finding[]> {
  await using rig = await startRig();
  const empty = await startsOf(rig, starts);
  await askOnce(rig.sluice.url, `/npm/${NAME}`, { headers: HEADERS });
  await askOnce(rig.sluice.url, `/npm/${NAME}/-/${NAME}-0.0.0.tgz`, { headers: HEADERS });
  await rig.sluice.end("SIGTERM");
  await fill(rig.data, packages);
  const full = await startsOf(rig, starts);
  await askOnce(rig.sluice.url, "/npm/small-0000", { headers: HEADERS });
  return [
    { what: "start, empty data folder", found: empty, bound: null, unit: "ms" },
    { what: `start, ${packages} packages and files`, found: full, bound: 1_000, attained: empty, unit: "ms" },
  ];
}

async function startsOf(rig: Awaited<ReturnType<typeof startRig>>, starts: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < starts; i++) {
    await rig.restart();
    const readyMs = rig.sluice.readyMs;
    const { totalMs } = await askOnce(rig.sluice.url, "/-/health");
    times.push(readyMs + totalMs);
  }
  return median(times);
}

/** What one package left in KV and in the artifacts, under as many other names. */
async function fill(data: string, packages: number): Promise<void> {
  using kv = await Deno.openKv(`${data}/kv.sqlite3`);
  const own: { readonly key: Deno.KvKey; readonly value: unknown }[] = [];
  for await (const entry of kv.list({ prefix: [] })) {
    if (entry.key.includes(NAME)) own.push(entry);
  }
  if (own.length < 3) throw new Error(`Only ${own.length} entries of ${NAME} are in KV`);
  let batch = kv.atomic();
  for (let i = 1; i < packages; i++) {
    const name = `filler-${i}`;
    for (const { key, value } of own) {
      batch.set(key.map((part) => part === NAME ? name : part), value);
    }
    const hex = i.toString(16).padStart(8, "0");
    const folder = `${data}/artifacts/sha256/${hex.slice(-2)}`;
    if (i < 257) await Deno.mkdir(folder, { recursive: true });
    Deno.writeFileSync(`${folder}/${hex.slice(-2)}${hex.padStart(62, "0")}`, new Uint8Array(1));
    if (i % 8 !== 0) continue;
    await batch.commit();
    batch = kv.atomic();
  }
  await batch.commit();
}
