/** A bound on how long an answer is waited for. */
import { StorageError } from "../errors.ts";
import { type Timers, UNNEEDED } from "../runtime.ts";

/** Rejects with StorageError after `ms`; `work` goes on by itself then, and is never unhandled. */
export async function within<T>(
  timers: Timers,
  options: { readonly ms: number; readonly action: string },
  work: Promise<T>,
): Promise<T> {
  const enough = new AbortController();
  work.catch(() => {});
  const late = timers.sleep(options.ms, enough.signal).then(() => {
    throw new StorageError(`Cannot ${options.action}: no answer within ${options.ms} ms`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    enough.abort(UNNEEDED);
  }
}
