/** People who were taken out of the log, so that what was appended before and is folded later loses them too. */
import { createHash } from "node:crypto";
import type { EpochMs } from "../../policy/types.ts";
import { FORGOTTEN_PREFIX } from "./keys.ts";
import type { LogEntry } from "./record.ts";

export interface Forgotten {
  /** True for a record that was made before its user was taken out. */
  has(organisation: string, user: string, at: EpochMs): boolean;
  /** The newest; 0: nobody. */
  readonly lastAt: number;
}

/** A name that is to be forgotten is not written down to remember that. */
export function forgottenDigest(organisation: string, user: string): string {
  return createHash("sha256").update(`${organisation}\n${user}`).digest("hex");
}

export async function readForgotten(kv: Deno.Kv): Promise<Forgotten> {
  const until = new Map<string, number>();
  for await (const { key, value } of kv.list<number>({ prefix: [...FORGOTTEN_PREFIX] }, { batchSize: 500 })) {
    until.set(String(key.at(-1)), value);
  }
  const lastAt = Math.max(0, ...until.values());
  if (until.size === 0) return { has: () => false, lastAt };
  const digests = new Map<string, string>();
  function has(organisation: string, user: string, at: EpochMs): boolean {
    const name = `${organisation}\n${user}`;
    const digest = digests.get(name) ?? forgottenDigest(organisation, user);
    digests.set(name, digest);
    return at <= (until.get(digest) ?? -1);
  }
  return { has, lastAt };
}

/** The entry without user and address if its user is to be forgotten. */
export function anonymise(entry: LogEntry, forgotten: Forgotten): LogEntry {
  const { record, cutOffAt } = entry;
  if (record.user === null || !forgotten.has(record.organisation, record.user, record.at)) return entry;
  return { cutOffAt, record: { ...record, user: null, address: "" } };
}
