/**
 * Equal work is done once across processes: one takes a lease in KV and works, the others wait for what comes of it.
 * Nothing correct rests on it: results are committed with a check or named by their digest, so that two who work at
 * the same time (a holder that was paused, clocks that disagree) do so in vain, and no more.
 */
import { type Background, type Log, type Timers, UNNEEDED } from "./runtime.ts";
import type { Lease, Leases, LeaseState } from "./kv/leases.ts";
import { within } from "./kv/within.ts";
import { errorOf, noteOf, type OnceNote } from "./once_note.ts";
import { createPauses, type Pauses } from "./pauses.ts";

/** A holder that died is replaced after so long. */
const LEASE_MS = 5_000;
const HEARTBEAT_MS = 1_500;
/** Between two looks at somebody else's lease. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 250;
const KV_MS = 5_000;

/** One's turn to work. */
export interface Turn {
  /** Lets the others in before the work has ended, where there will be nothing for them. */
  end(): void;
}

export interface SharedWork<T> {
  /** The same in every process. */
  readonly name: string;
  /** What another process has left in the storage since the caller looked; null: nothing. */
  find(): Promise<T | null>;
  work(turn: Turn): Promise<T>;
  /** A result of `work` that leaves nothing to be found: those who wait are told of it. */
  readonly nothing?: T;
  /** How long somebody else is waited for; then it is done here too. */
  readonly patienceMs: number;
  /** Called before somebody else is waited for; `work` may follow all the same. */
  waiting?(): void;
}

export interface Once {
  /**
   * Resolves with what `work` did here, or with what another process has done meanwhile. Rejects as `work` does, here
   * or there; StorageError where KV fails before the work has begun.
   */
  run<T>(shared: SharedWork<T>): Promise<T>;
}

export interface OnceDeps {
  readonly leases: Leases;
  /** The process's name. */
  readonly owner: string;
  readonly timers: Timers;
  readonly background: Background;
  readonly log: Log;
}

/** How the waiting for another process ended. */
type Waited<T> =
  | { readonly kind: "done"; readonly value: T }
  /** The lease may be had; `over`: from one who died. */
  | { readonly kind: "free"; readonly over?: string }
  | { readonly kind: "impatient" };

/** One for the process; within it, whoever calls must have joined equal work already. */
export function createOnce(deps: OnceDeps): Once {
  const { leases, owner, timers, background, log } = deps;

  async function run<T>(shared: SharedWork<T>): Promise<T> {
    let pauses: Pauses | null = null;
    let over: string | undefined;
    try {
      while (true) {
        const lease = await acquire(shared.name, over);
        if (lease !== null) return await hold(lease, shared);
        shared.waiting?.();
        pauses ??= createPauses(timers, shared.patienceMs);
        const waited = await wait(shared, pauses);
        if (waited.kind === "done") return waited.value;
        if (waited.kind === "impatient") return await beside(shared);
        over = waited.over;
      }
    } finally {
      pauses?.end();
    }
  }

  function acquire(name: string, over: string | undefined): Promise<Lease | null> {
    const action = `take the lease ${JSON.stringify(name)}`;
    return within(timers, { ms: KV_MS, action }, leases.acquire(name, { owner, ttlMs: LEASE_MS, over }));
  }

  async function beside<T>(shared: SharedWork<T>): Promise<T> {
    const found = await shared.find();
    if (found !== null) return found;
    log("debug", `Another process has not ended ${JSON.stringify(shared.name)}: doing it here too`);
    return await shared.work({ end: () => {} });
  }

  async function hold<T>(lease: Lease, shared: SharedWork<T>): Promise<T> {
    const heart = new AbortController();
    let isOver = false;
    function end(note?: OnceNote): Promise<void> {
      if (isOver) return Promise.resolve();
      isOver = true;
      heart.abort(UNNEEDED);
      // What fails here ends by itself.
      const released = lease.release(note).catch(() => {});
      background.run(`release ${lease.name}`, () => released);
      return released;
    }
    beat(lease, heart.signal);
    try {
      // Between the caller's look and the lease, its last holder may have ended.
      const found = await shared.find();
      if (found !== null) return found;
      const result = await shared.work({ end: () => void end() });
      if (result === shared.nothing) end({ kind: "nothing" });
      return result;
    } catch (error) {
      // Who asks again once it was told is no longer one of those that waited: upstream is asked anew.
      const action = `give back the lease ${JSON.stringify(lease.name)}`;
      await within(timers, { ms: KV_MS, action }, end(noteOf(error))).catch(() => {});
      throw error;
    } finally {
      // Nobody waits for it.
      end();
    }
  }

  /** Whoever has lost the lease goes on: clients wait for the bytes, and the commit is safe. */
  async function beat(lease: Lease, signal: AbortSignal): Promise<void> {
    while (await slept(HEARTBEAT_MS, signal)) {
      // A beat that fails is followed by others before the lease ends.
      if (!await lease.renew().catch(() => true)) return;
    }
  }

  async function slept(ms: number, signal: AbortSignal): Promise<boolean> {
    return await timers.sleep(ms, signal).then(() => true, () => false);
  }

  async function wait<T>(shared: SharedWork<T>, pauses: Pauses): Promise<Waited<T>> {
    let holder: string | undefined;
    let seen: string | undefined;
    let unchangedMs = 0;
    for (let pause = FIRST_PAUSE_MS;; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
      const state = await look(shared.name);
      if (state !== undefined && (state === null || !state.isHeld || state.token !== holder)) {
        const found = await shared.find();
        if (found !== null) return { kind: "done", value: found };
        if (state === null) return { kind: "free" };
        if (!state.isHeld) return heard(shared, state, holder);
        holder = state.token;
      }
      if (state?.versionstamp !== seen) unchangedMs = 0;
      seen = state?.versionstamp;
      // By this process's own timers, whatever the holder's clock says.
      if (seen !== undefined && unchangedMs >= LEASE_MS) return { kind: "free", over: seen };
      if (!await pauses.next(pause)) return { kind: "impatient" };
      unchangedMs += pause;
    }
  }

  /** undefined: KV failed this time. */
  async function look(name: string): Promise<LeaseState | null | undefined> {
    const action = `look at the lease ${JSON.stringify(name)}`;
    return await within(timers, { ms: KV_MS, action }, leases.look(name)).catch(() => undefined);
  }

  return { run };
}

/** What the holder that was waited for left behind. Throws what it threw. */
function heard<T>(shared: SharedWork<T>, state: LeaseState, holder: string | undefined): Waited<T> {
  const note = state.note as OnceNote | undefined;
  if (note === undefined || (holder !== undefined && state.token !== holder)) return { kind: "free" };
  if (note.kind === "failed") throw errorOf(note);
  return shared.nothing === undefined ? { kind: "free" } : { kind: "done", value: shared.nothing };
}
