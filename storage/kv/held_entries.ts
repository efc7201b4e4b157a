/** What an organisation holds beside its policy, and what may end by itself (waivers, freezes): counted, so that it stays few. */
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";
import { OrganisationError } from "./organisation_error.ts";

const ATTEMPTS = 20;
/** Ended ones that are dropped while all are listed. */
const DROPPED_AT_ONCE = 30;

/** One organisation, as its head in KV has it. */
export interface Holder {
  readonly id: string;
  readonly life: string;
  readonly versionstamp: string;
}

type Owner = Pick<Holder, "id" | "life">;

/** One kind of entries: where they are, and how many an organisation may have. */
export interface EntryKind<T, R> {
  /** `waiver`, for messages. */
  readonly what: string;
  readonly max: number;
  all(owner: Owner): Deno.KvKey;
  one(owner: Owner, id: string): Deno.KvKey;
  /** Its versionstamp changes with every change of any of them. */
  count(owner: Owner): Deno.KvKey;
  toRecord(entry: T): R;
  fromRecord(record: R): T;
  /** What is written of a change in its own commit; absent: nothing. */
  readonly trail?: {
    added(atomic: Deno.AtomicOperation, owner: Owner, entry: T, at: { readonly now: EpochMs }): void;
    removed(
      atomic: Deno.AtomicOperation,
      owner: Owner,
      entry: T,
      at: { readonly now: EpochMs; readonly by: string },
    ): void;
  };
}

/** Joins another change to the commit that adds an entry; asked anew for each attempt, and may throw to end it. */
export type Beside = (owner: Owner) => Promise<(atomic: Deno.AtomicOperation) => void>;

interface Ending {
  readonly id: string;
  /** null: it does not end by itself. */
  readonly until: EpochMs | null;
}

interface EntryCount {
  readonly v: 1;
  readonly count: number;
}

export interface EntryDeps {
  readonly kv: Deno.Kv;
  readonly clock: Clock;
  /** Looked at anew for each attempt. Throws OrganisationError `unknown`. */
  holder(id: string): Promise<Holder>;
}

export interface HeldEntries<T> {
  /** Those that have not ended, by id. Drops a few that have. */
  list(owner: Owner): Promise<T[]>;
  /**
   * One with the same id is replaced, or (`only`: "new") `exists`. Throws OrganisationError `too-many`, `refused` (it
   * ends in the past), `unknown`.
   */
  add(id: string, entry: T, only?: "new", beside?: Beside): Promise<void>;
  /** false: there is none of that id. `by`: who does it, for the trail. */
  remove(id: string, entryId: string, by?: string): Promise<boolean>;
}

/** Those that have not ended, by id; nothing is dropped. */
export async function readEntries<T extends Ending, R>(
  kv: Deno.Kv,
  kind: EntryKind<T, R>,
  owner: Owner,
  now: EpochMs,
): Promise<T[]> {
  return (await scan(kv, kind, owner, now)).valid;
}

/** All throw StorageError where KV fails. */
export function createHeldEntries<T extends Ending, R>(
  deps: EntryDeps,
  kind: EntryKind<T, R>,
): HeldEntries<T> {
  const { kv, clock } = deps;
  const { what, max } = kind;

  async function list(owner: Owner): Promise<T[]> {
    const { valid, ended } = await scan(kv, kind, owner, clock());
    if (ended.length > 0) await dropEnded(owner, ended.slice(0, DROPPED_AT_ONCE));
    return valid;
  }

  /** Not the stamp: what has ended counts for nobody. Somebody else's change wins; next time then. */
  async function dropEnded(owner: Owner, ended: readonly Deno.KvKey[]): Promise<void> {
    const countKey = kind.count(owner);
    const count = await kv.get<EntryCount>(countKey);
    const atomic = kv.atomic().check(count);
    for (const key of ended) atomic.delete(key);
    atomic.set(countKey, { v: 1, count: Math.max(0, (count.value?.count ?? 0) - ended.length) });
    await attempt(`drop ended ${what}s of organisation "${owner.id}"`, () => atomic.commit());
  }

  async function add(id: string, entry: T, only?: "new", beside?: Beside): Promise<void> {
    if (entry.until !== null && !(entry.until > clock())) {
      throw new OrganisationError(`Cannot add the ${what} "${entry.id}": its end has passed`, "refused");
    }
    const action = `add a ${what} to organisation "${id}"`;
    for (let i = 0; i < ATTEMPTS; i++) {
      const { holder, old, count } = await look(action, id, entry.id);
      const held = count.value?.count ?? 0;
      if (only === "new" && old.value !== null) {
        throw new OrganisationError(`Cannot ${action}: there is a ${what} "${entry.id}"`, "exists");
      }
      if (old.value === null && held >= max) {
        if ((await list(holder)).length < max) continue;
        throw new OrganisationError(
          `Cannot ${action}: it has ${held}, and ${max} are the limit. Revoke some first`,
          "too-many",
        );
      }
      const atomic = kv.atomic()
        .check({ key: keys.organisation(id), versionstamp: holder.versionstamp })
        .check(old)
        .check(count)
        .set(kind.one(holder, entry.id), kind.toRecord(entry))
        .set(kind.count(holder), { v: 1, count: old.value === null ? held + 1 : held })
        .set(keys.stamp(), { at: clock() });
      kind.trail?.added(atomic, holder, entry, { now: clock() });
      (await beside?.(holder))?.(atomic);
      if ((await attempt(action, () => atomic.commit())).ok) return;
    }
    throw new StorageError(`Cannot ${action}: too many changes at once`);
  }

  async function remove(id: string, entryId: string, by = ""): Promise<boolean> {
    const action = `revoke a ${what} of organisation "${id}"`;
    for (let i = 0; i < ATTEMPTS; i++) {
      const { holder, old, count } = await look(action, id, entryId);
      if (old.value === null) return false;
      const atomic = kv.atomic()
        .check(old)
        .check(count)
        .delete(kind.one(holder, entryId))
        .set(kind.count(holder), { v: 1, count: Math.max(0, (count.value?.count ?? 0) - 1) })
        .set(keys.stamp(), { at: clock() });
      const entry = kind.fromRecord(old.value);
      // What has ended by itself was not revoked.
      if (entry.until === null || entry.until > clock()) {
        kind.trail?.removed(atomic, holder, entry, { now: clock(), by });
      }
      if ((await attempt(action, () => atomic.commit())).ok) return true;
    }
    throw new StorageError(`Cannot ${action}: too many changes at once`);
  }

  async function look(action: string, id: string, entryId: string) {
    const holder = await deps.holder(id);
    const [old, count] = await attempt(
      action,
      () => kv.getMany<[R, EntryCount]>([kind.one(holder, entryId), kind.count(holder)]),
    );
    return { holder, old, count };
  }

  return { list, add, remove };
}

async function scan<T extends Ending, R>(
  kv: Deno.Kv,
  kind: EntryKind<T, R>,
  owner: Owner,
  now: EpochMs,
): Promise<{ readonly valid: T[]; readonly ended: Deno.KvKey[] }> {
  const valid: T[] = [];
  const ended: Deno.KvKey[] = [];
  await attempt(`read the ${kind.what}s of organisation "${owner.id}"`, async () => {
    for await (const { key, value } of kv.list<R>({ prefix: kind.all(owner) }, { batchSize: 500 })) {
      const entry = kind.fromRecord(value);
      if (entry.until === null || entry.until > now) valid.push(entry);
      else ended.push(key);
    }
  });
  return { valid, ended };
}

/** Bounded and well-formed; for what people write. */
export function boundedText(value: string, length = 500): string {
  return value.toWellFormed().slice(0, length).toWellFormed();
}
