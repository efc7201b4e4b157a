/** What one package's users took on which days, for whoever asks of many packages in a row: the tail is read once. */
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import { readForgotten } from "./forgotten.ts";
import { HEAD_KEY } from "./keys.ts";
import { ALL_TIME, type Observation, observe } from "./observations.ts";
import type { QueryDeps } from "./queries.ts";
import { boundedName, type LogEntry } from "./record.ts";
import { readTail } from "./tail.ts";

export interface DetailQuery {
  readonly organisation: string;
  readonly ecosystem: string;
  readonly package: string;
  /** The start of a day in UTC: edges of days would be read from the records. */
  readonly since: EpochMs;
}

/** By user, version and day, in no order, some of them in parts. Each record counts once. Throws StorageError. */
export type InstallDetail = (query: DetailQuery) => Promise<readonly Observation[]>;

interface Seen {
  /** Of the indexes when the tail was read: another one by now has folded of it. */
  readonly head: string | null;
  readonly tail: ReadonlyMap<string, readonly LogEntry[]>;
}

const ATTEMPTS = 20;

/** For one piece of work: what is appended while it lasts may not be seen. */
export function createInstallDetail(deps: QueryDeps): InstallDetail {
  const { kv, clock, timers } = deps;
  let seen: Seen | null = null;

  async function look(): Promise<Seen> {
    const head = (await kv.get(HEAD_KEY)).versionstamp;
    const entries = await readTail({ kv, journal: deps.journal ?? null }, clock(), await readForgotten(kv));
    const tail = Map.groupBy(
      entries,
      ({ record }) => placeOf(record.organisation, record.ecosystem, record.package),
    );
    return { head, tail };
  }

  return async function detail({ organisation, ecosystem, since, ...query }) {
    const name = boundedName("package", query.package);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const { head, tail } = seen ??= await look();
      const found = await Array.fromAsync(observe(kv, {
        kind: "who",
        organisations: [organisation],
        below: [[ecosystem, name]],
        tail: tail.get(placeOf(organisation, ecosystem, name)) ?? [],
        since,
        until: ALL_TIME.until,
      }));
      if ((await kv.get(HEAD_KEY)).versionstamp === head) return found;
      seen = null;
      await timers?.sleep(10 * attempt);
    }
    throw new StorageError("Cannot read install log: it is being folded all the time; ask again in a minute");
  };
}

function placeOf(organisation: string, ecosystem: string, name: string): string {
  return `${organisation}\n${ecosystem}\n${name}`;
}
