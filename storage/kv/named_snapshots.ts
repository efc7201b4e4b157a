/** An organisation's snapshots: names for past instants, to be used in addresses (`/at/{name}/`). */
import type { NamedSnapshot } from "../organisations.ts";
import { boundedText, type EntryKind } from "./held_entries.ts";
import { keys } from "./keys.ts";

/** Of one organisation. */
export const MAX_SNAPSHOTS = 1_000;

interface SnapshotRecord {
  readonly v: 1;
  readonly snapshot: NamedSnapshot;
}

export const SNAPSHOTS: EntryKind<NamedSnapshot, SnapshotRecord> = {
  what: "snapshot",
  max: MAX_SNAPSHOTS,
  all: ({ id, life }) => keys.snapshots(id, life),
  one: ({ id, life }, name) => keys.snapshot(id, life, name),
  count: ({ id, life }) => keys.snapshotCount(id, life),
  toRecord: (snapshot) => ({
    v: 1,
    snapshot: {
      ...snapshot,
      owner: boundedText(snapshot.owner),
      description: boundedText(snapshot.description),
    },
  }),
  fromRecord: ({ snapshot }) => snapshot,
};
