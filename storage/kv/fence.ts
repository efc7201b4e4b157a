/**
 * A restore replaces what is in KV beneath the processes that use it. Each read proves that no restore has begun
 * since, and each write is committed on that condition: nothing is decided by a store that is half one and half the
 * other, and nothing that was known before is written into what was restored.
 */
import { RestoringError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import { fenced } from "./fenced.ts";
import { keys } from "./keys.ts";

/** How far a restore came; the record stays until the next one. */
export interface RestoreRecord {
  readonly v: 1;
  /** New with each attempt. */
  readonly id: string;
  readonly state: "running" | "broken" | "done";
}

/** Whoever restores says so more often. */
export const SILENT_MS = 15_000;

export interface Fence {
  /** The store as everybody but a restore uses it: rejects with RestoringError. */
  readonly kv: Deno.Kv;
  /** WARNING: for a restore alone. */
  readonly bare: Deno.Kv;
  /** Rises when this process has taken up a restore: what was begun before must not be answered. */
  generation(): number;
  /** Called when a restore was taken up, before anything else is read: drop what is in memory. Must not throw. */
  onRestored(forget: () => void): void;
  /** Resolves once what is read is of one state, and this process knows it. Rejects with RestoringError. */
  look(): Promise<void>;
}

/** For whoever keeps in memory what KV says: `forget` must not throw. */
export type OnRestored = Fence["onRestored"];

/** One for the process. Throws StorageError where KV fails. */
export async function createFence(bare: Deno.Kv, { clock }: { readonly clock: Clock }): Promise<Fence> {
  const forgets: (() => void)[] = [];
  let generation = 0;
  /** undefined: a restore ran when this process began. */
  let known: string | null | undefined;
  const first = await read();
  if (isWhole(first)) known = first.versionstamp;

  function read(): Promise<Deno.KvEntryMaybe<RestoreRecord>> {
    return attempt("see whether a restore runs", () => bare.get<RestoreRecord>(keys.restore()));
  }

  /** What becomes of an operation that began before the restore of which this is the record. */
  async function moved(entry: Deno.KvEntryMaybe<RestoreRecord>): Promise<RestoringError> {
    if (isWhole(entry)) {
      takeUp(entry.versionstamp);
      return new RestoringError("restored");
    }
    if (entry.value!.state === "broken") return new RestoringError("broken");
    // Both as of one moment: a restore that ends takes its beat away.
    const [now, beat] = await attempt(
      "see whether a restore runs",
      () => bare.getMany<[RestoreRecord, number]>([keys.restore(), keys.restoreBeat()]),
    );
    if (now.versionstamp !== entry.versionstamp) return moved(now);
    const isSilent = beat.value === null || Math.abs(clock() - beat.value) > SILENT_MS;
    return new RestoringError(isSilent ? "broken" : "running");
  }

  function takeUp(versionstamp: string | null): void {
    if (known === versionstamp) return;
    known = versionstamp;
    generation++;
    for (const forget of forgets) forget();
  }

  async function look(): Promise<void> {
    const entry = await read();
    if (isWhole(entry)) takeUp(entry.versionstamp);
    else throw await moved(entry);
  }

  const kv = fenced(bare, { key: keys.restore(), asOf: () => known, moved });
  return { kv, bare, generation: () => generation, onRestored: (forget) => void forgets.push(forget), look };
}

/** No restore runs, and none was broken off. */
export function isWhole({ value }: Deno.KvEntryMaybe<RestoreRecord>): boolean {
  return value === null || value.state === "done";
}
