/** One restore at a time: who has begun says so in KV, is heard of while it lasts, and may be taken over after. */
import { StorageError } from "./errors.ts";
import { attempt } from "./kv/call.ts";
import { isWhole, type RestoreRecord, SILENT_MS } from "./kv/fence.ts";
import { fenced } from "./kv/fenced.ts";
import { keys } from "./kv/keys.ts";
import type { Clock, Timers } from "./runtime.ts";

/** From its beginning on every process refuses; ended, they read what is there then. */
export interface RestoreTurn {
  /** Rejects with StorageError once another restore has taken over. */
  readonly kv: Deno.Kv;
  /** `with`: what the same commit changes besides. */
  end(more: (atomic: Deno.AtomicOperation) => Deno.AtomicOperation): Promise<void>;
  /** It cannot be brought to its end: everybody is told at once. Never rejects. */
  giveUp(): Promise<void>;
}

export interface TurnDeps {
  readonly clock: Clock;
  readonly timers: Timers;
}

const BEAT_MS = 2_000;
/** Another restore that is not heard of for so long is taken over, whatever its clock says. */
const PATIENCE_MS = 3 * BEAT_MS;

/** Whether a restore was begun here and not ended: what is there then is nothing. */
export async function wasBrokenOff(kv: Deno.Kv): Promise<boolean> {
  return !isWhole(await readRecord(kv));
}

function readRecord(kv: Deno.Kv): Promise<Deno.KvEntryMaybe<RestoreRecord>> {
  return attempt("see whether a restore runs", () => kv.get<RestoreRecord>(keys.restore()));
}

/** Throws StorageError where another restore runs. */
export async function beginRestore(bare: Deno.Kv, deps: TurnDeps): Promise<RestoreTurn> {
  const { clock, timers } = deps;
  const id = crypto.randomUUID();
  const before = await readRecord(bare);
  if (before.value?.state === "running" && await isHeardOf(bare, deps)) {
    throw new StorageError("Cannot restore: another restore runs. Wait for its end");
  }
  const record = (state: RestoreRecord["state"]): RestoreRecord => ({ v: 1, id, state });
  const begun = await attempt(
    "begin to restore",
    () =>
      bare.atomic().check(before).set(keys.restore(), record("running")).set(keys.restoreBeat(), clock())
        .commit(),
  );
  if (!begun.ok) throw new StorageError("Cannot restore: another restore has just begun");
  const over = new AbortController();
  beat();

  const kv = fenced(bare, {
    key: keys.restore(),
    asOf: () => begun.versionstamp,
    moved: () => Promise.resolve(new StorageError("Cannot restore: another restore has taken over")),
  });

  /** Ends by itself with the turn. One that fails is followed by others. */
  async function beat(): Promise<void> {
    while (!over.signal.aborted) {
      await timers.sleep(BEAT_MS, over.signal).catch(() => {});
      if (!over.signal.aborted) await kv.set(keys.restoreBeat(), clock()).catch(() => {});
    }
  }

  async function end(more: (atomic: Deno.AtomicOperation) => Deno.AtomicOperation): Promise<void> {
    over.abort();
    const last = kv.atomic().set(keys.restore(), record("done")).delete(keys.restoreBeat());
    await attempt("end the restore", () => more(last).commit());
  }

  async function giveUp(): Promise<void> {
    over.abort();
    await kv.atomic().set(keys.restore(), record("broken")).delete(keys.restoreBeat()).commit()
      // Then it is seen from its silence.
      .catch(() => {});
  }

  return { kv, end, giveUp };
}

async function isHeardOf(kv: Deno.Kv, { clock, timers }: TurnDeps): Promise<boolean> {
  const beatOf = () => attempt("see whether a restore runs", () => kv.get<number>(keys.restoreBeat()));
  const first = await beatOf();
  if (first.value === null || Math.abs(clock() - first.value) > SILENT_MS) return false;
  await timers.sleep(PATIENCE_MS);
  return (await beatOf()).versionstamp !== first.versionstamp;
}
