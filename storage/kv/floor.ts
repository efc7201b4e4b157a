/** The instance's floor: denials that hold for every organisation, with a history like a policy's. */
import type { FloorDocument, Parsed } from "../../policy/config.ts";
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import { noRevision, replaceDocument } from "./document_change.ts";
import { keys } from "./keys.ts";
import type { DocumentChange, FloorRecord, Organisations, StoredDocument } from "./organisation_types.ts";
import { floorSeries, listRevisions, readRevision } from "./revisions.ts";

export interface FloorDeps {
  readonly clock: Clock;
  readonly parseFloor: (input: unknown) => Parsed<FloorDocument>;
}

/** The part of `Organisations` that is about the floor. */
export function createFloor(
  kv: Deno.Kv,
  { clock, parseFloor }: FloorDeps,
): Pick<Organisations, "floor" | "setFloor" | "floorHistory" | "floorRevision" | "restoreFloor"> {
  function head(): Promise<Deno.KvEntryMaybe<FloorRecord>> {
    return attempt("read the instance's floor", () => kv.get<FloorRecord>(keys.floor()));
  }

  async function current(): Promise<number> {
    return (await head()).value?.revision ?? 0;
  }

  async function setFloor(change: DocumentChange): Promise<StoredDocument<FloorDocument>> {
    const entry = await head();
    return await replaceDocument({ kv, clock }, floorSeries(), change, parseFloor, {
      current: entry.value?.revision ?? 0,
      versionstamp: entry.versionstamp,
      next: (revision): FloorRecord => ({ v: 1, revision }),
      currentNow: current,
    });
  }

  async function floorRevision(n: number): Promise<StoredDocument<FloorDocument> | null> {
    const found = await readRevision(kv, floorSeries(), n);
    return found && { ...found.revision, source: found.source, parsed: parseFloor(found.source) };
  }

  async function floor(): Promise<StoredDocument<FloorDocument>> {
    for (let i = 0; i < 5; i++) {
      const revision = await current();
      if (revision === 0) {
        return { revision, at: 0 as EpochMs, author: "", message: "", source: {}, parsed: parseFloor({}) };
      }
      const found = await floorRevision(revision);
      if (found !== null) return found;
    }
    throw new StorageError("Cannot read the instance's floor: its current revision is missing");
  }

  async function restoreFloor(n: number, author: string): Promise<StoredDocument<FloorDocument>> {
    const expectedRevision = await current();
    const old = await floorRevision(n);
    if (old === null) throw noRevision("the instance's floor", n);
    return await setFloor({
      source: old.source,
      author,
      message: `restores revision ${n}`,
      expectedRevision,
    });
  }

  return {
    floor,
    setFloor,
    floorHistory: () => listRevisions(kv, floorSeries()),
    floorRevision,
    restoreFloor,
  };
}
