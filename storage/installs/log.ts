/** Who was given what. A record is durable once `append` resolves; folding it into KV's indexes comes later. */
import type { EpochMs } from "../../policy/types.ts";
import type { Background, Clock, Log, Timers } from "../runtime.ts";
import { foldInstalls } from "./fold.ts";
import { readForgotten } from "./forgotten.ts";
import { type Journal, openJournal } from "./journal.ts";
import { createInstallQueries } from "./queries.ts";
import { bounded, createRecordIds, type LogEntry } from "./record.ts";
import { openSegments } from "./segments.ts";

export type InstallOutcome = "served" | "partial" | "refused" | "observed";

/** Every text is bounded and well-formed before it joins a batch (`bounded()` in record.ts). */
export interface InstallRecord {
  /** Unique and rising with time; the fold is idempotent by it. */
  readonly id: string;
  readonly at: EpochMs;
  readonly organisation: string;
  readonly user: string | null;
  readonly address: string;
  readonly client: string;
  readonly clientVersion: string;
  readonly ecosystem: string;
  readonly package: string;
  readonly version: string;
  readonly file: string;
  /** `sha256:…`, or `""` where nothing was served. */
  readonly digest: string;
  readonly bytes: number;
  readonly cache: "hit" | "miss" | "none";
  readonly outcome: InstallOutcome;
  /** `observed`: what would have been; `refused`: the rule. Else `""`. */
  readonly rule: string;
  readonly decisionId: string;
  /** The past instant that the address named; absent: none. */
  readonly asOf?: EpochMs;
}

export interface InstallLog {
  /** Resolves when the record survives SIGKILL. Rejects with StorageError: then the answer must not be completed. */
  append(record: InstallRecord): Promise<void>;
  /** The client went away: marks a record that was appended as `partial`. */
  markPartial(record: InstallRecord, bytesSent: number): Promise<void>;
  /** Versions of a package that this user was served, from the folded indexes and the tail; for audit fixes. */
  versionsOf(
    query: {
      readonly organisation: string;
      readonly user: string;
      readonly ecosystem: string;
      readonly package: string;
    },
  ): Promise<readonly string[]>;
  /** Folds what was appended into KV's indexes; safe to call from several processes. */
  fold(): Promise<void>;
  /** Writes out what waits. */
  flush(): Promise<void>;
  /** Writes out what waits and ends a running fold early; before KV is closed. */
  close(): Promise<void>;
}

export interface InstallLogOptions {
  readonly kv: Deno.Kv;
  /** The journal's folder (`{data}/journal`); null where there is no disk: then segments in KV. */
  readonly journal: string | null;
  /** Names this process: a host's or deployment's name will do, it need not be unique. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
  /** Runs folds beside the requests; without, somebody has to call `fold()`. */
  readonly background?: Background;
  readonly timers?: Timers;
  readonly foldEveryMs?: number;
}

const FOLD_EVERY_MS = 30_000;
/** A journal file that was folded whole is ended and deleted at this age. */
const ROTATE_AFTER_MS = 10 * 60_000;

interface Driver {
  append(entry: LogEntry): Promise<void>;
  flush(): Promise<void>;
  readonly journal: Journal | null;
}

/** The driver that fits the place: a journal with a data folder, segments in KV without. Throws StorageError. */
export function createInstallLog(options: InstallLogOptions): InstallLog {
  const { kv, journal: folder, clock, background, foldEveryMs = FOLD_EVERY_MS } = options;
  const driver = openDriver(options);
  const queries = createInstallQueries(options);
  const closing = new AbortController();
  const cutOff = new WeakSet<InstallRecord>();
  let foldedAt = clock();
  let folding: Promise<void> | null = null;
  let queued: Promise<void> | null = null;

  function append(record: InstallRecord): Promise<void> {
    foldNowAndThen();
    return driver.append({ record: bounded(record), cutOffAt: null });
  }

  async function markPartial(record: InstallRecord, bytesSent: number): Promise<void> {
    if (cutOff.has(record) || record.outcome === "refused") return;
    cutOff.add(record);
    const cutOffAt = Math.max(0, Math.trunc(Number.isFinite(bytesSent) ? bytesSent : 0));
    await driver.append({ record: bounded(record), cutOffAt });
  }

  function foldNowAndThen(): void {
    if (background === undefined || folding !== null || Math.abs(clock() - foldedAt) < foldEveryMs) return;
    foldedAt = clock();
    background.run("fold installs", fold);
  }

  /** What was appended before the call is folded; calls during a fold share the next one. */
  function fold(): Promise<void> {
    if (folding === null) return startFold();
    queued ??= folding.catch(() => {}).then(() => {
      queued = null;
      return startFold();
    });
    return queued;
  }

  function startFold(): Promise<void> {
    folding = foldAll().finally(() => {
      folding = null;
      foldedAt = clock();
    });
    return folding;
  }

  async function foldAll(): Promise<void> {
    await driver.flush();
    const { log, timers } = options;
    const deps = { kv, journal: folder, clock, log, timers, signal: closing.signal };
    await foldInstalls(deps);
    if (!await endFoldedFile()) return;
    await foldInstalls(deps);
  }

  /** What is folded need not lie about, least of all with the name of somebody who was to be forgotten. */
  async function endFoldedFile(): Promise<boolean> {
    const current = driver.journal?.current();
    if (current === undefined || current === null || current.bytes === 0) return false;
    const { lastAt } = await readForgotten(kv);
    if (Math.abs(clock() - current.openedAt) < ROTATE_AFTER_MS && lastAt < current.openedAt) return false;
    driver.journal?.rotate();
    return true;
  }

  async function close(): Promise<void> {
    closing.abort();
    await driver.flush();
    // What is left of it is for the next start, or for whoever shares the storage.
    await Promise.all([folding, queued].map((fold) => fold?.catch(() => {})));
    driver.journal?.close();
  }

  return {
    append,
    markPartial,
    versionsOf: (query) => queries.versionsOf(query),
    fold,
    flush: () => driver.flush(),
    close,
  };
}

function openDriver({ kv, journal: folder, instance, clock, log, random }: InstallLogOptions): Driver {
  if (folder === null) {
    return { ...openSegments({ kv, nextId: createRecordIds(clock, instance, random) }), journal: null };
  }
  // Two processes may have the same instance's name, and a file's name is its cursor's.
  const unique = `${instance.slice(0, 20)}_${Math.floor(random() * 36 ** 6).toString(36)}`;
  const journal = openJournal({ path: folder, instance: unique, clock, log });
  return {
    append: (entry) => journal.append(entry),
    flush: () => Promise.resolve(journal.flush()),
    journal,
  };
}
