/** An organisation as a request needs it: policy, floor, waivers and freezes, held in memory, never older than a second. */
import type { EpochMs, Freeze, Waiver } from "../policy/types.ts";
import type { FloorDocument, PolicyDocument } from "../policy/config.ts";

export { createOrganisationViews, type OrganisationViewsDeps } from "./kv/view_cache.ts";

/** A name for a past instant. */
export interface NamedSnapshot {
  /** Its name: a letter, then letters, digits, dots, dashes and underscores. */
  readonly id: string;
  readonly at: EpochMs;
  readonly createdAt: EpochMs;
  readonly owner: string;
  readonly description: string;
  /** It stays until it is deleted. */
  readonly until: null;
}

/** One consistent state. A new object whenever anything in it changed, so that it can key a WeakMap. */
export interface OrganisationView {
  readonly id: string;
  /** Random, and new with each creation: tells it from a deleted namesake. */
  readonly life: string;
  /** Changes whenever policy, floor, waivers, freezes or snapshots do. */
  readonly stamp: string;
  readonly revision: number;
  readonly policy: PolicyDocument;
  readonly floor: FloorDocument;
  readonly waivers: readonly Waiver[];
  readonly freezes: readonly Freeze[];
  readonly snapshots: readonly NamedSnapshot[];
  /** Random, per organisation: keys the hash that decision ids are. */
  readonly decisionKey: Uint8Array;
}

export interface OrganisationViews {
  /**
   * null: no such organisation. Confirmed with KV less than a second ago, else looked at again; throws
   * StorageError (503) once KV could not be asked for five seconds.
   */
  view(id: string): Promise<OrganisationView | null>;
  /** How many organisations there are, as last confirmed. */
  count(): Promise<number>;
  /** What was confirmed is looked at again before its next use: for who has just changed something here. */
  lookAgain(): void;
}
