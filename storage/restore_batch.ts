/** What a restore deletes and writes, in commits that KV takes: few, since each is a write to the disk. */
import type { BackupItem } from "./backup_file.ts";
import { attempt } from "./kv/call.ts";
import { keys } from "./kv/keys.ts";
import type { Clock } from "./runtime.ts";

/** Of one commit, as JSON: KV takes 800 KiB, and text may be twice as long there. */
const COMMIT_BYTES = 300_000;
/** KV takes 80 KiB of keys in a commit; those of its conditions count too. */
const COMMIT_KEY_BYTES = 75_000;
/** KV takes 1,000. */
const COMMIT_MUTATIONS = 900;

/** An entry as it stands in a backup. */
export type RestoreEntry = Extract<BackupItem, { kind: "entry" }>;

/** Mutations that gather until they are as much as one commit takes; `flush` commits the rest. */
function createCommits(kv: Deno.Kv, action: string) {
  let atomic = kv.atomic();
  let mutations = 0;
  let bytes = 0;
  let keyBytes = 0;

  async function flush(): Promise<void> {
    if (mutations > 0) await attempt(action, () => atomic.commit());
    atomic = kv.atomic();
    [mutations, bytes, keyBytes] = [0, 0, 0];
  }

  /** One more. (An operation cannot be resolved with: it throws where it is awaited.) */
  async function add(
    key: Deno.KvKey,
    valueBytes: number,
    mutate: (atomic: Deno.AtomicOperation) => unknown,
  ): Promise<void> {
    const ofKey = lengthOf(key);
    const isFull = bytes + valueBytes > COMMIT_BYTES || keyBytes + ofKey > COMMIT_KEY_BYTES ||
      mutations >= COMMIT_MUTATIONS;
    if (isFull) await flush();
    mutations++;
    bytes += valueBytes;
    keyBytes += ofKey;
    mutate(atomic);
  }
  return { add, flush };
}

const encoder = new TextEncoder();

/** At most so long in KV, where a NUL takes two bytes. */
function lengthOf(key: Deno.KvKey): number {
  return key.reduce<number>((sum, part) => {
    if (typeof part === "string") return sum + 2 * encoder.encode(part).byteLength + 2;
    return sum + (part instanceof Uint8Array ? 2 * part.byteLength + 2 : 32);
  }, 0);
}

/** Deletes keys; `flush` those that are left. */
export function createDeleteBatch(kv: Deno.Kv) {
  const commits = createCommits(kv, "empty the store");
  return {
    add: (key: Deno.KvKey) => commits.add(key, 0, (atomic) => atomic.delete(key)),
    flush: commits.flush,
  };
}

/** Writes entries; `flush` those that are left. What has ended meanwhile is left out. */
export function createRestoreBatch(kv: Deno.Kv, clock: Clock) {
  const commits = createCommits(kv, "write what the backup holds");

  async function add({ key, value, lineBytes }: RestoreEntry): Promise<void> {
    const left = expiresIn(value, clock());
    if (left !== null && left <= 0) return;
    const options = left === null ? {} : { expireIn: left };
    await commits.add(key, lineBytes, (atomic) => atomic.set(key, value, options));
    if (key[0] !== "jobs" || key[1] !== "job") return;
    const { runAt, id, kind } = value as {
      readonly runAt: number;
      readonly id: string;
      readonly kind: string;
    };
    const due = keys.jobDue(runAt, id);
    await commits.add(due, kind.length, (atomic) => atomic.set(due, kind));
  }
  return { add, flush: commits.flush };
}

/** KV does not tell when a value expires: whatever does, has it in `expiresAt` as well. A job's name lives on. */
function expiresIn(value: unknown, now: number): number | null {
  if (typeof value !== "object" || value === null || !("expiresAt" in value)) return null;
  return typeof value.expiresAt === "number" ? value.expiresAt - now : null;
}
