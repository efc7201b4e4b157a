/**
 * Work that survives the process: records in KV, done by whoever passes. A job is claimed by moving its due time
 * to the end of the claim, so that one whose worker died is due again by itself. It runs at least once.
 */
import { randomUUID } from "node:crypto";
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import type { Clock, Log, Timers } from "../runtime.ts";
import { realTimers } from "../timers.ts";
import { attempt } from "./call.ts";
import {
  type Job,
  type JobHandler,
  type Jobs,
  type NewJob,
  PermanentJobError,
  type RunOptions,
  type RunResult,
} from "./job_types.ts";
import { keys } from "./keys.ts";

export { type Job, type JobHandler, type Jobs, type NewJob, PermanentJobError } from "./job_types.ts";

/** A worker has so long for one job; then its signal aborts, and somebody else may take it a little later. */
const CLAIM_MS = 60_000;
const WORK_MS = 50_000;
const FIRST_BACK_OFF_MS = 10_000;
const LONGEST_BACK_OFF_MS = 3_600_000;
/** Jobs that were given up stay to be looked at for so long. */
const DEAD_MS = 7 * 24 * 3_600_000;
const MAX_PAYLOAD_BYTES = 32_000;
const MAX_ERROR = 300;

export interface JobsDeps {
  readonly kv: Deno.Kv;
  readonly clock: Clock;
  readonly log: Log;
  readonly timers?: Timers;
  /** From 0 (inclusive) to 1: spreads what failed together. */
  readonly random?: () => number;
}

interface JobName {
  readonly v: 1;
  readonly id: string;
  readonly expiresAt: EpochMs;
}

/** Several processes may share one store. */
export function createJobs({ kv, clock, log, timers = realTimers, random = Math.random }: JobsDeps): Jobs {
  async function enqueue(job: NewJob): Promise<string | null> {
    const { kind, key, payload, maxAttempts = 8, keepKeyMs = 0 } = job;
    if (JSON.stringify(payload ?? null).length > MAX_PAYLOAD_BYTES) {
      throw new StorageError(
        `Cannot enqueue a job of kind "${kind}": its payload is above ${MAX_PAYLOAD_BYTES} bytes`,
      );
    }
    const now = clock();
    const nameKey = keys.jobName(kind, key);
    const name = await attempt(`enqueue a job of kind "${kind}"`, () => kv.get<JobName>(nameKey));
    if (name.value !== null && await isTaken(name.value, now)) return null;
    const id = randomUUID();
    const runAt = job.runAt ?? now;
    const record: Job = {
      v: 1,
      id,
      kind,
      key,
      payload,
      enqueuedAt: now,
      runAt,
      attempts: 0,
      maxAttempts,
      keepKeyMs,
      lastError: null,
    };
    const taken: JobName = { v: 1, id, expiresAt: now + keepKeyMs as EpochMs };
    const done = await attempt(`enqueue a job of kind "${kind}"`, () =>
      kv.atomic().check(name)
        .set(nameKey, taken)
        .set(keys.job(id), record)
        .set(keys.jobDue(runAt, id), kind)
        .commit());
    return done.ok ? id : null;
  }

  async function isTaken(name: JobName, now: EpochMs): Promise<boolean> {
    if (name.expiresAt > now) return true;
    return (await attempt("look for a job", () => kv.get(keys.job(name.id)))).value !== null;
  }

  async function* dueKeys(
    now: EpochMs,
  ): AsyncIterable<{ readonly id: string; readonly kind: string; readonly at: number }> {
    const selector = { prefix: keys.jobsDue(), end: [...keys.jobsDue(), now + 1] };
    const entries = kv.list<string>(selector, { batchSize: 100 });
    while (true) {
      const { done, value } = await attempt("look for due jobs", () => entries.next());
      if (done) return;
      yield { at: value.key.at(-2) as number, id: value.key.at(-1) as string, kind: value.value };
    }
  }

  async function due(options: { readonly now?: EpochMs; readonly limit?: number } = {}): Promise<Job[]> {
    const { now = clock(), limit = 100 } = options;
    const found: Job[] = [];
    for await (const { id } of dueKeys(now)) {
      const entry = await attempt("read a job", () => kv.get<Job>(keys.job(id)));
      if (entry.value !== null && entry.value.runAt <= now) found.push(entry.value);
      if (found.length >= limit) break;
    }
    return found;
  }

  async function runDue(
    handlers: Readonly<Record<string, JobHandler>>,
    options: RunOptions = {},
  ): Promise<RunResult> {
    const { limit = 100, concurrency = 4, signal } = options;
    const result = { done: 0, failed: 0, dead: 0 };
    const waiting = dueKeys(clock())[Symbol.asyncIterator]();
    let begun = 0;
    async function worker(): Promise<void> {
      while (!signal?.aborted && begun < limit) {
        const { done, value } = await waiting.next();
        if (done || begun >= limit) return;
        const handler = Object.hasOwn(handlers, value.kind) ? handlers[value.kind] : undefined;
        if (handler === undefined) continue;
        begun++;
        const claimed = await claim(value.id, value.at);
        if (claimed === null) begun--;
        else result[await work(claimed, handler, signal)]++;
      }
    }
    await Promise.all(Array.from({ length: concurrency }, worker));
    return result;
  }

  interface Claim {
    readonly job: Job;
    readonly versionstamp: string;
  }

  /** null: somebody else has it, or it is gone. */
  async function claim(id: string, at: number): Promise<Claim | null> {
    const entry = await attempt("read a job", () => kv.get<Job>(keys.job(id)));
    if (entry.value === null || entry.value.runAt !== at) {
      // A due key whose job is elsewhere belongs to nobody.
      if (entry.value === null) await attempt("drop a due key", () => kv.delete(keys.jobDue(at, id)));
      return null;
    }
    const job: Job = {
      ...entry.value,
      attempts: entry.value.attempts + 1,
      runAt: clock() + CLAIM_MS as EpochMs,
    };
    const done = await attempt("claim a job", () =>
      kv.atomic().check(entry)
        .delete(keys.jobDue(at, id))
        .set(keys.jobDue(job.runAt, id), job.kind)
        .set(keys.job(id), job)
        .commit());
    return done.ok ? { job, versionstamp: done.versionstamp } : null;
  }

  async function work(claimed: Claim, handler: JobHandler, outer?: AbortSignal): Promise<keyof RunResult> {
    const { job } = claimed;
    // Its worker died as often as it may fail.
    if (job.attempts > job.maxAttempts) {
      return await bury(claimed, job.lastError ?? "its worker ended each time");
    }
    const stop = new AbortController();
    const signal = outer === undefined ? stop.signal : AbortSignal.any([outer, stop.signal]);
    const late = timers.sleep(WORK_MS, stop.signal).then(() => {
      throw new Error(`it took longer than ${WORK_MS} ms`);
    });
    late.catch(() => {});
    try {
      const running = handler(job, signal);
      running.catch(() => {});
      await Promise.race([running, late]);
    } catch (error) {
      return await fail(claimed, error);
    } finally {
      stop.abort();
    }
    await finish(claimed, (atomic) => atomic);
    return "done";
  }

  async function fail(claimed: Claim, error: unknown): Promise<keyof RunResult> {
    const { job } = claimed;
    const lastError = (error instanceof Error ? error.message : String(error)).toWellFormed().slice(
      0,
      MAX_ERROR,
    );
    if (error instanceof PermanentJobError || job.attempts >= job.maxAttempts) {
      return await bury(claimed, lastError);
    }
    const runAt = clock() + backOff(job.attempts) as EpochMs;
    await attempt(
      "put a job back",
      () =>
        kv.atomic().check({ key: keys.job(job.id), versionstamp: claimed.versionstamp })
          .delete(keys.jobDue(job.runAt, job.id))
          .set(keys.jobDue(runAt, job.id), job.kind)
          .set(keys.job(job.id), { ...job, runAt, lastError })
          .commit(),
    );
    return "failed";
  }

  function backOff(attempts: number): number {
    const full = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (attempts - 1));
    return Math.round(full * (0.75 + random() / 2));
  }

  async function bury(claimed: Claim, lastError: string): Promise<"dead"> {
    const { job } = claimed;
    log("warn", `Gave up a job of kind "${job.kind}" after ${job.attempts} attempts: ${lastError}`, {
      "job.id": job.id,
      "job.kind": job.kind,
    });
    const record = { ...job, lastError, expiresAt: clock() + DEAD_MS };
    await finish(claimed, (atomic) => atomic.set(keys.deadJob(job.id), record, { expireIn: DEAD_MS }));
    return "dead";
  }

  /** Nothing happens where the claim was lost: the other worker's end counts. */
  async function finish(
    { job, versionstamp }: Claim,
    more: (atomic: Deno.AtomicOperation) => Deno.AtomicOperation,
  ): Promise<void> {
    const nameKey = keys.jobName(job.kind, job.key);
    const left = job.enqueuedAt + job.keepKeyMs - clock();
    const atomic = kv.atomic().check({ key: keys.job(job.id), versionstamp })
      .delete(keys.job(job.id))
      .delete(keys.jobDue(job.runAt, job.id));
    if (left <= 0) atomic.delete(nameKey);
    else {
      const name: JobName = { v: 1, id: job.id, expiresAt: job.enqueuedAt + job.keepKeyMs as EpochMs };
      atomic.set(nameKey, name, { expireIn: left });
    }
    await attempt("end a job", () => more(atomic).commit());
  }

  async function dead(): Promise<Job[]> {
    const found: Job[] = [];
    await attempt("read the jobs that were given up", async () => {
      for await (
        const { value } of kv.list<Job & { readonly expiresAt: number }>({ prefix: keys.deadJobs() })
      ) {
        if (value.expiresAt > clock()) found.push(value);
      }
    });
    return found;
  }

  return { enqueue, due, runDue, dead };
}
