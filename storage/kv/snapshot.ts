/** One consistent state of an organisation: policy, floor, waivers and freezes as they were together at one moment. */
import type { FloorDocument, Parsed, PolicyDocument } from "../../policy/config.ts";
import { StorageError } from "../errors.ts";
import type { OrganisationView } from "../organisations.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";
import type { FloorRecord, OrganisationRecord } from "./organisation_types.ts";
import { floorSeries, policySeries, readRevision } from "./revisions.ts";
import { FREEZES } from "./freezes.ts";
import { readEntries } from "./held_entries.ts";
import { SNAPSHOTS } from "./named_snapshots.ts";
import { WAIVERS } from "./waivers.ts";

/** A stored policy or floor that the schema of today refuses: asking again does not help, writing does. */
export class UnusablePolicyError extends StorageError {}

export interface SnapshotDeps {
  readonly kv: Deno.Kv;
  readonly clock: Clock;
  readonly parsePolicy: (input: unknown) => Parsed<PolicyDocument>;
  readonly parseFloor: (input: unknown) => Parsed<FloorDocument>;
}

interface Heads {
  readonly organisation: OrganisationRecord;
  readonly floorRevision: number;
  /** Versionstamps of all that makes up the view. */
  readonly stamp: string;
}

const ATTEMPTS = 8;

/** `known` itself where nothing changed since; null: no such organisation. Throws StorageError. */
export async function readSnapshot(
  deps: SnapshotDeps,
  id: string,
  known: OrganisationView | null,
): Promise<OrganisationView | null> {
  let heads = await readHeads(deps.kv, id);
  for (let i = 0; i < ATTEMPTS; i++) {
    if (heads === null) return null;
    if (known !== null && known.stamp === heads.stamp) return known;
    const view = await assemble(deps, heads);
    const after = await readHeads(deps.kv, id);
    if (view !== null && after?.stamp === heads.stamp) return view;
    heads = after;
  }
  throw new StorageError(`Cannot read organisation "${id}": it changes faster than it can be read`);
}

async function readHeads(kv: Deno.Kv, id: string): Promise<Heads | null> {
  // One call is one snapshot; the counts are not beneath a key that is known before the organisation is.
  const [organisation, floor] = await attempt(
    `read organisation "${id}"`,
    () => kv.getMany<[OrganisationRecord, FloorRecord]>([keys.organisation(id), keys.floor()]),
  );
  if (organisation.value === null) return null;
  const { life } = organisation.value;
  const counts = await attempt(
    `read organisation "${id}"`,
    () => kv.getMany([keys.waiverCount(id, life), keys.freezeCount(id, life), keys.snapshotCount(id, life)]),
  );
  return {
    organisation: organisation.value,
    floorRevision: floor.value?.revision ?? 0,
    stamp: [organisation, floor, ...counts].map((entry) => entry.versionstamp ?? "0").join("."),
  };
}

/** null: a revision was dropped while it was read. */
async function assemble(deps: SnapshotDeps, heads: Heads): Promise<OrganisationView | null> {
  const { kv, clock } = deps;
  const { organisation, floorRevision } = heads;
  const { id, life, revision, decisionKey } = organisation;
  const policy = await readRevision(kv, policySeries(id, life), revision);
  const floor = floorRevision === 0 ? { source: {} } : await readRevision(kv, floorSeries(), floorRevision);
  const waivers = await readEntries(kv, WAIVERS, organisation, clock());
  const freezes = await readEntries(kv, FREEZES, organisation, clock());
  const snapshots = await readEntries(kv, SNAPSHOTS, organisation, clock());
  if (policy === null || floor === null) return null;
  return {
    id,
    life,
    stamp: heads.stamp,
    revision,
    policy: usable(`policy of organisation "${id}"`, deps.parsePolicy(policy.source)),
    floor: usable("instance's floor", deps.parseFloor(floor.source)),
    waivers,
    freezes,
    snapshots,
    decisionKey,
  };
}

/** Fails closed: a document that cannot be read is never taken for an empty one. */
function usable<T>(title: string, parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.document;
  const where = parsed.errors[0]?.path;
  const count = parsed.errors.length === 1 ? "a mistake" : `${parsed.errors.length} mistakes, the first`;
  throw new UnusablePolicyError(
    `Cannot use the stored ${title}: ${count} at "${where}". Repair it with "deno task org edit"`,
  );
}
