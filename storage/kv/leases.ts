/** Equal work is done once across processes: a lease is held by one owner at a time, and ends by itself. */
import { randomUUID } from "node:crypto";
import type { EpochMs } from "../../policy/types.ts";
import type { Clock, Timers } from "../runtime.ts";
import { realTimers } from "../timers.ts";
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";

/** Kept in KV after its end, so that a holder that comes back late finds out; then it is litter. */
const LITTER_MS = 24 * 3_600_000;

interface LeaseRecord {
  readonly v: 1;
  readonly name: string;
  readonly owner: string;
  readonly token: string;
  /** By the clock of the process that took it: clocks of processes must agree within a fraction of the lease. */
  readonly until: EpochMs;
  readonly expiresAt: EpochMs;
}

/** Held until released, lost, or `until`; what is done under it must stop when `signal` aborts. */
export interface Lease {
  readonly name: string;
  readonly owner: string;
  readonly signal: AbortSignal;
  /** For another full length. false: it was lost, and `signal` has aborted. Throws StorageError where KV fails. */
  renew(): Promise<boolean>;
  /** Lets the next one in at once. */
  release(): Promise<void>;
}

export interface Leases {
  /** null: somebody else holds it. `owner` is for people who look: the process's name. */
  acquire(name: string, owner: string, ttlMs: number): Promise<Lease | null>;
}

export interface LeasesDeps {
  readonly kv: Deno.Kv;
  readonly clock: Clock;
  readonly timers?: Timers;
}

/** Throws StorageError where KV fails. */
export function createLeases({ kv, clock, timers = realTimers }: LeasesDeps): Leases {
  async function acquire(name: string, owner: string, ttlMs: number): Promise<Lease | null> {
    const key = keys.lease(name);
    const entry = await attempt(`read the lease "${name}"`, () => kv.get<LeaseRecord>(key));
    if (entry.value !== null && entry.value.until > clock()) return null;
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
        watch.abort();
        watch = new AbortController();
        timers.sleep(ttlMs, watch.signal).then(
          () => lost.abort(new Error(`The lease "${name}" has ended`)),
          () => {},
        );
      }

      async function renew(): Promise<boolean> {
        if (lost.signal.aborted) return false;
        const next = await write(current);
        if (next === null) {
          watch.abort();
          lost.abort(new Error(`The lease "${name}" was lost`));
          return false;
        }
        current = next;
        expireLater();
        return true;
      }

      async function release(): Promise<void> {
        watch.abort();
        lost.abort(new Error(`The lease "${name}" was released`));
        await attempt(
          `release the lease "${name}"`,
          () => kv.atomic().check({ key, versionstamp: current }).delete(key).commit(),
        );
      }

      return { name, owner, signal: lost.signal, renew, release };
    }
  }
  return { acquire };
}
