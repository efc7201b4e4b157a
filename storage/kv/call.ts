/** KV's failures become StorageError here, with what was attempted. */
import { StorageError } from "../errors.ts";

/** `action` completes "Cannot …": `read the package "left-pad"`. */
export async function attempt<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    throw new StorageError(`Cannot ${action}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** KV answers at most ten keys at once; this asks as often as it takes. One snapshot only up to ten keys. */
export async function getAll<T>(kv: Deno.Kv, keys: readonly Deno.KvKey[]): Promise<Deno.KvEntryMaybe<T>[]> {
  const found: Deno.KvEntryMaybe<T>[] = [];
  for (let i = 0; i < keys.length; i += 10) {
    found.push(...await kv.getMany<T[]>(keys.slice(i, i + 10)));
  }
  return found;
}

/** Deletes all keys beneath a prefix, some to a commit: not all at once. */
export async function deletePrefix(kv: Deno.Kv, prefix: Deno.KvKey): Promise<number> {
  let deleted = 0;
  let batch: Deno.KvKey[] = [];
  async function flush() {
    if (batch.length === 0) return;
    const atomic = kv.atomic();
    for (const key of batch) atomic.delete(key);
    await atomic.commit();
    deleted += batch.length;
    batch = [];
  }
  for await (const entry of kv.list({ prefix })) {
    batch.push(entry.key);
    // Keys of one commit may hold 80 KiB together: 35 of the longest.
    if (batch.length >= 35) await flush();
  }
  await flush();
  return deleted;
}
