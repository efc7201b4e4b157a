/** Goes over a range of the indexes page by page, changing what it finds; a fold in between makes it look again. */
import { commitAtHead } from "./fold_batch.ts";
import type { IndexWrite } from "./fold_writes.ts";
import { HEAD_KEY } from "./keys.ts";

export type SweptEntry = Deno.KvEntry<Uint8Array>;

/** Small enough that a page of the largest chunks fits one commit. */
const PAGE_ENTRIES = 20;

/**
 * `change` gets a page and returns what to write (nothing: leave it); it may be called again for the same page,
 * and its writes for one page must fit one commit. Holds one page in memory.
 */
export async function sweep(
  kv: Deno.Kv,
  selector: Deno.KvListSelector,
  change: (page: readonly SweptEntry[]) => Promise<readonly IndexWrite[]> | readonly IndexWrite[],
): Promise<void> {
  for (let cursor = "", done = false; !done;) {
    const head = (await kv.get(HEAD_KEY)).versionstamp;
    const entries = kv.list<Uint8Array>(selector, { limit: PAGE_ENTRIES, cursor });
    const page = await Array.fromAsync(entries);
    const writes = page.length === 0 ? [] : await change(page);
    if (writes.length > 0 && await commitAtHead(kv, head, writes) === null) continue;
    cursor = entries.cursor;
    done = page.length < PAGE_ENTRIES;
  }
}
