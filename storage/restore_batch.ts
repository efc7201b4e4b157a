/** Entries of a backup on their way into KV. */
import type { BackupItem } from "./backup_file.ts";
import { attempt } from "./kv/call.ts";
import { keys } from "./kv/keys.ts";
import type { Clock } from "./runtime.ts";

/** Of one commit, as JSON: KV takes 800 KiB, and text may be twice as long there. */
const COMMIT_BYTES = 300_000;
/** KV takes 80 KiB of keys in a commit: 35 of the longest. */
export const COMMIT_ENTRIES = 35;

/** An entry as it stands in a backup. */
export type RestoreEntry = Extract<BackupItem, { kind: "entry" }>;

/** Writes entries in commits that KV takes; `flush` writes the rest. What has ended meanwhile is left out. */
export function createRestoreBatch(kv: Deno.Kv, clock: Clock) {
  let atomic = kv.atomic();
  let size = 0;
  let bytes = 0;

  async function flush(): Promise<void> {
    if (size > 0) await attempt("write what the backup holds", () => atomic.commit());
    atomic = kv.atomic();
    size = 0;
    bytes = 0;
  }

  async function add({ key, value, lineBytes }: RestoreEntry): Promise<void> {
    if (bytes + lineBytes > COMMIT_BYTES || size >= COMMIT_ENTRIES) await flush();
    const left = expiresIn(value, clock());
    if (left !== null && left <= 0) return;
    atomic.set(key, value, left === null ? {} : { expireIn: left });
    size++;
    bytes += lineBytes;
    if (key[0] === "jobs" && key[1] === "job") {
      const { runAt, id, kind } = value as {
        readonly runAt: number;
        readonly id: string;
        readonly kind: string;
      };
      atomic.set(keys.jobDue(runAt, id), kind);
      size++;
    }
  }
  return { add, flush };
}

/** KV does not tell when a value expires: whatever does, has it in `expiresAt` as well. A job's name lives on. */
function expiresIn(value: unknown, now: number): number | null {
  if (typeof value !== "object" || value === null || !("expiresAt" in value)) return null;
  return typeof value.expiresAt === "number" ? value.expiresAt - now : null;
}
