/** What an organisation asked for lately, as one value in KV: joined, ordered by time, bounded. */
import type { EpochMs } from "../../policy/types.ts";
import type { AskedPackage } from "../asked.ts";

/** As kept in KV. */
export interface AskedRecord {
  readonly v: 1;
  /** JSON: `[ecosystem, name, minutes since 1970]`, the last asked for first. */
  readonly packages: Uint8Array;
  /** When the last was asked for that there was no room for; 0: there was room for all. */
  readonly cutAt: EpochMs;
  readonly expiresAt: EpochMs;
}

/** A record with what was noted since. */
export interface Joined {
  readonly packages: readonly AskedPackage[];
  readonly cutAt: EpochMs;
  /** Nothing that is worth a write. */
  readonly isKnown: boolean;
}

const MINUTE_MS = 60_000;
/** How long a package is remembered. */
export const KEPT_MS = 30 * 24 * 60 * MINUTE_MS;
/** Of one that is asked for all day, the time is written down this often. */
export const RENEWED_MS = 10 * MINUTE_MS;
/** Packages of one organisation. */
export const MOST = 1_000;
/** KV takes 65,536 bytes per value. Long names: fewer of them. */
const MOST_BYTES = 60_000;
export const NEVER = 0 as EpochMs;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The last asked for first; none that is too old, or (a clock that ran ahead) of a time that has yet to come. */
export function join(
  record: AskedRecord | null,
  { packages: mine, cutAt }: Pick<AskedRecord, "cutAt"> & {
    readonly packages: ReadonlyMap<string, AskedPackage>;
  },
  now: EpochMs,
): Joined {
  const all = new Map(packagesOf(record).map((each) => [idOf(each), { ...each, at: earlier(each.at, now) }]));
  let isKnown = cutAt <= (record?.cutAt ?? NEVER);
  for (const [id, each] of mine) {
    const known = all.get(id);
    if (known !== undefined && each.at - known.at < RENEWED_MS) continue;
    all.set(id, each);
    isKnown = false;
  }
  const packages = [...all.values()].filter(({ at }) => at > now - KEPT_MS).sort((a, b) => b.at - a.at);
  return { packages, cutAt: later(cutAt, record?.cutAt ?? NEVER), isKnown };
}

/** As many as there is room for. */
export function recordOf({ packages, cutAt }: Joined, now: EpochMs): AskedRecord {
  const rows: string[] = [];
  let bytes = 2;
  for (const { ecosystem, name, at } of packages) {
    const row = JSON.stringify([ecosystem, name, Math.floor(at / MINUTE_MS)]);
    bytes += encoder.encode(row).byteLength + 1;
    if (rows.length >= MOST || bytes > MOST_BYTES) break;
    rows.push(row);
  }
  const firstCut = packages[rows.length]?.at ?? NEVER;
  return {
    v: 1,
    packages: encoder.encode(`[${rows.join(",")}]`),
    cutAt: later(cutAt, firstCut),
    expiresAt: now + KEPT_MS as EpochMs,
  };
}

function packagesOf(record: AskedRecord | null): readonly AskedPackage[] {
  if (record === null) return [];
  const rows = JSON.parse(decoder.decode(record.packages)) as [string, string, number][];
  return rows.map(([ecosystem, name, minutes]) => ({ ecosystem, name, at: minutes * MINUTE_MS as EpochMs }));
}

/** Of one organisation. */
export function idOf({ ecosystem, name }: Pick<AskedPackage, "ecosystem" | "name">): string {
  return `${ecosystem}\n${name}`;
}

/** The later of two. */
export function later(a: EpochMs, b: EpochMs): EpochMs {
  return a > b ? a : b;
}

function earlier(a: EpochMs, b: EpochMs): EpochMs {
  return a < b ? a : b;
}
