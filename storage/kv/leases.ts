/** Equal work is done once across processes: a lease is held by one owner at a time, and ends by itself. */
import { randomUUID } from "node:crypto";
import type { EpochMs } from "../../policy/types.ts";
import { type Clock, type Timers, UNNEEDED } from "../runtime.ts";
import { realTimers } from "../timers.ts";
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";

/** Kept in KV after its end, so that a holder that comes back late finds out; then it is litter. */
const LITTER_MS = 24 * 3_600_000;

/** What a holder left for those who waited is of no use to anybody later. */
const NOTE_MS = 60_000;

interface LeaseRecord {
  readonly v: 1;
  readonly name: string;
  readonly owner: string;
  /** New with each holder. */
  readonly token: string;
  /**
   * By the clock of the process that took it; 0: given back. Where clocks disagree, equal work may be done twice, and
   * who waits goes by `versionstamp` instead (storage/once.ts): nobody waits for a clock that is ahead.
   */
  readonly until: EpochMs;
  readonly expiresAt: EpochMs;
  readonly note?: unknown;
}

/** Held until released, lost, or `until`; what is done under it must stop when `signal` aborts. */
export interface Lease {
  readonly name: string;
  readonly owner: string;
  readonly signal: AbortSignal;
  /** For another full length. false: it was lost, and `signal` has aborted. Throws StorageError where KV fails. */
  renew(): Promise<boolean>;
  /** Lets the next one in at once. A note (below a kilobyte, as JSON) stays for a minute, for those who waited. */
  release(note?: unknown): Promise<void>;
}

/** A lease as somebody else sees it. */
export interface LeaseState {
  /** Changes with each renewal, and with each holder. */
  readonly versionstamp: string;
  /** Changes with each holder. */
  readonly token: string;
  /** false: whoever comes next may have it. */
  readonly isHeld: boolean;
  /** What its last holder left behind; undefined: nothing. */
  readonly note: unknown;
}

export interface AcquireOptions {
  /** For people who look: the process's name. */
  readonly owner: string;
  readonly ttlMs: number;
  /** Takes it from the holder who was seen to leave it at this versionstamp for longer than its length. */
  readonly over?: string | undefined;
}

export interface Leases {
  /** null: somebody else holds it. */
  acquire(name: string, options: AcquireOptions): Promise<Lease | null>;
  /** null: nobody has it. */
  look(name: string): Promise<LeaseState | null>;
}

export interface LeasesDeps {
  readonly kv: Deno.Kv;
  readonly clock: Clock;
  readonly timers?: Timers;
}

/** Throws StorageError where KV fails. */
export function createLeases({ kv, clock, timers = realTimers }: LeasesDeps): Leases {
  function entryOf(name: string): Promise<Deno.KvEntryMaybe<LeaseRecord>> {
    return attempt(`read the lease "${name}"`, () => kv.get<LeaseRecord>(keys.lease(name)));
  }

  async function look(name: string): Promise<LeaseState | null> {
    const { value, versionstamp } = await entryOf(name);
    if (value === null) return null;
    return { versionstamp, token: value.token, isHeld: value.until > clock(), note: value.note };
  }

  async function acquire(name: string, { owner, ttlMs, over }: AcquireOptions): Promise<Lease | null> {
    const key = keys.lease(name);
    const entry = await entryOf(name);
    if (entry.value !== null && entry.value.until > clock() && entry.versionstamp !== over) return null;
    const token = randomUUID();
    const versionstamp = await write(entry.versionstamp);
    if (versionstamp === null) return null;
    return held(versionstamp);

    async function write(expected: string | null): Promise<string | null> {
      const now = clock();
      const until = now + ttlMs as EpochMs;
      const expiresAt = until + LITTER_MS as EpochMs;
      const record: LeaseRecord = { v: 1, name, owner, token, until, expiresAt };
      const done = await attempt(`take the lease "${name}"`, () =>
        kv.atomic()
          .check({ key, versionstamp: expected })
          .set(key, record, { expireIn: ttlMs + LITTER_MS })
          .commit());
      return done.ok ? done.versionstamp : null;
    }

    function held(first: string): Lease {
      const lost = new AbortController();
      let current = first;
      let watch = new AbortController();
      expireLater();

      function expireLater(): void {
        watch.abort(UNNEEDED);
        watch = new AbortController();
        timers.sleep(ttlMs, watch.signal).then(
          () => lost.abort(new Error(`The lease "${name}" has ended`)),
          () => {},
        );
      }

      let renewing: Promise<boolean> = Promise.resolve(true);

      function renew(): Promise<boolean> {
        return renewing = renewing.catch(() => {}).then(renewOnce);
      }

      async function renewOnce(): Promise<boolean> {
        if (lost.signal.aborted) return false;
        const next = await write(current);
        if (next === null) {
          watch.abort(UNNEEDED);
          lost.abort(new Error(`The lease "${name}" was lost`));
          return false;
        }
        current = next;
        expireLater();
        return true;
      }

      async function release(note?: unknown): Promise<void> {
        // A renewal on its way moves the versionstamp.
        await renewing.catch(() => {});
        watch.abort(UNNEEDED);
        lost.abort(new Error(`The lease "${name}" was released`));
        const atomic = kv.atomic().check({ key, versionstamp: current });
        if (note === undefined) atomic.delete(key);
        else atomic.set(key, left(note), { expireIn: NOTE_MS });
        await attempt(`release the lease "${name}"`, () => atomic.commit());
      }

      function left(note: unknown): LeaseRecord {
        return {
          v: 1,
          name,
          owner,
          token,
          until: 0 as EpochMs,
          expiresAt: clock() + NOTE_MS as EpochMs,
          note,
        };
      }

      return { name, owner, signal: lost.signal, renew, release };
    }
  }
  return { acquire, look };
}
