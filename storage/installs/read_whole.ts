/** All of the log as KV has it, for a backup, while others append and fold. */
import { attempt } from "../kv/call.ts";
import { installKeys } from "../kv/keys.ts";
import { FORGOTTEN_PREFIX, HEAD_KEY, SEGMENT_PREFIX } from "./keys.ts";

/** A fold comes twice a minute, and a round takes seconds. */
const ROUNDS = 20;

/**
 * Every entry, and again each that a fold has changed meanwhile, until none has: whoever writes them down in this order,
 * the last one over what was there, has indexes, records and cursors of one moment. Lines that were folded since their
 * segment was read are in both. Who is to be forgotten comes before all lines.
 */
export async function* readLogWhole(kv: Deno.Kv): AsyncGenerator<Deno.KvEntry<unknown>> {
  yield* below(kv, FORGOTTEN_PREFIX, null);
  let since: string | null = null;
  for (let round = 0; round < ROUNDS; round++) {
    const before: string | null = await headOf(kv);
    yield* below(kv, installKeys, since);
    // Behind the indexes: what is folded in between shows in the head.
    yield* segments(kv, since);
    if (await headOf(kv) === before) return;
    since = before;
  }
}

async function headOf(kv: Deno.Kv): Promise<string | null> {
  return (await attempt("read KV for a backup", () => kv.get(HEAD_KEY))).versionstamp;
}

/** Those that are there now: more may come faster than they are read. */
async function* segments(kv: Deno.Kv, since: string | null): AsyncGenerator<Deno.KvEntry<unknown>> {
  const last = await attempt(
    "read KV for a backup",
    () => kv.list({ prefix: [...SEGMENT_PREFIX] }, { reverse: true, limit: 1 }).next(),
  );
  if (last.done) return;
  const end = String(last.value.key.at(-1));
  for await (const entry of below(kv, SEGMENT_PREFIX, since)) {
    if (String(entry.key.at(-1)) > end) return;
    yield entry;
  }
}

/** Those that were changed after `since`; null: all. */
async function* below(
  kv: Deno.Kv,
  prefix: Deno.KvKey,
  since: string | null,
): AsyncGenerator<Deno.KvEntry<unknown>> {
  const entries = kv.list({ prefix: [...prefix] });
  while (true) {
    const { done, value } = await attempt("read KV for a backup", () => entries.next());
    if (done) return;
    if (SEGMENT_PREFIX.every((part, index) => value.key[index] === part) && prefix !== SEGMENT_PREFIX) {
      continue;
    }
    if (since === null || value.versionstamp > since) yield value;
  }
}
