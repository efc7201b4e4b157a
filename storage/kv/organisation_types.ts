/** What is kept of organisations, and what can be done with them. */
import type { FloorDocument, Parsed, PolicyDocument } from "../../policy/config.ts";
import type { EpochMs, Freeze, Waiver } from "../../policy/types.ts";
import type { NamedSnapshot, OrganisationView } from "../organisations.ts";
import type { PageQuery, PastWaiver, WaiverPage } from "../waivers.ts";
import type { Beside, Holder } from "./held_entries.ts";
import type { Revision } from "./revisions.ts";

/** An organisation's head in KV. */
export interface OrganisationRecord {
  readonly v: 1;
  readonly id: string;
  readonly life: string;
  readonly decisionKey: Uint8Array;
  readonly createdAt: EpochMs;
  readonly createdBy: string;
  readonly revision: number;
  readonly updatedAt: EpochMs;
}

/** The floor's head in KV. */
export interface FloorRecord {
  readonly v: 1;
  readonly revision: number;
}

export interface OrganisationSummary {
  readonly id: string;
  readonly revision: number;
  readonly createdAt: EpochMs;
  readonly createdBy: string;
  readonly updatedAt: EpochMs;
}

/** A revision as it was written, and as the schema of today reads it. Its source holds webhooks' secret addresses. */
export interface StoredDocument<T> extends Revision {
  readonly source: unknown;
  /** Not ok: it was written under an older schema, or by hand; requests are refused until it is repaired. */
  readonly parsed: Parsed<T>;
}

/** A change by a person: checked by the schema, refused whole with all its mistakes. */
export interface DocumentChange {
  /** As it was written: parsed JSON or YAML. */
  readonly source: unknown;
  readonly author: string;
  readonly message?: string;
  /** The revision this change was made upon; another one by now is a conflict. Without: whatever is there. */
  readonly expectedRevision?: number;
}

/** All throw OrganisationError (`code` says why; nothing was changed) or StorageError. */
export interface Organisations {
  /** By id. */
  list(): Promise<readonly OrganisationSummary[]>;
  /** `source` is `{}` if not given: every default. */
  create(
    id: string,
    options: Omit<DocumentChange, "source" | "expectedRevision"> & { readonly source?: unknown },
  ): Promise<StoredDocument<PolicyDocument>>;
  /** Creates `default` where it is missing. */
  ensureDefault(): Promise<void>;
  /** null: no such organisation. */
  get(id: string): Promise<StoredDocument<PolicyDocument> | null>;
  set(change: DocumentChange & { readonly id: string }): Promise<StoredDocument<PolicyDocument>>;
  /** Policy, history and waivers go; its install log stays. `default` is refused. */
  delete(id: string): Promise<void>;
  /** The newest first, at most 200. */
  history(id: string): Promise<readonly Revision[]>;
  /** null: no such revision (any more). */
  revision(id: string, revision: number): Promise<StoredDocument<PolicyDocument> | null>;
  /** A new revision with an old one's source. */
  restore(id: string, revision: number, author: string): Promise<StoredDocument<PolicyDocument>>;
  /** Revision 0 as long as none was written. */
  floor(): Promise<StoredDocument<FloorDocument>>;
  setFloor(change: DocumentChange): Promise<StoredDocument<FloorDocument>>;
  floorHistory(): Promise<readonly Revision[]>;
  floorRevision(revision: number): Promise<StoredDocument<FloorDocument> | null>;
  restoreFloor(revision: number, author: string): Promise<StoredDocument<FloorDocument>>;
  /** Those that have not ended. */
  waivers(id: string): Promise<readonly Waiver[]>;
  /** At most 10,000 of one organisation; one with the same id is replaced. */
  addWaiver(id: string, waiver: Waiver, beside?: Beside): Promise<void>;
  /** false: there is no such waiver. */
  revokeWaiver(id: string, waiverId: string, by?: string): Promise<boolean>;
  /** Those that have ended within the last 180 days, the newest ids first. */
  pastWaivers(id: string, page: PageQuery): Promise<WaiverPage<PastWaiver>>;
  /** Where its own things are kept. */
  holder(id: string): Promise<Holder>;
  /** Those that have not ended. */
  freezes(id: string): Promise<readonly Freeze[]>;
  /** At most 5,000 of one organisation; one with the same id is replaced. */
  addFreeze(id: string, freeze: Freeze): Promise<void>;
  /** false: there is no such freeze. */
  removeFreeze(id: string, freezeId: string): Promise<boolean>;
  snapshots(id: string): Promise<readonly NamedSnapshot[]>;
  /** At most 1,000 of one organisation; OrganisationError `exists` where there is one of that name. */
  addSnapshot(id: string, snapshot: NamedSnapshot): Promise<void>;
  /** false: there is no such snapshot. */
  removeSnapshot(id: string, name: string): Promise<boolean>;
  /**
   * One consistent state for `createOrganisationViews`; `known` itself where nothing changed since. null: no
   * such organisation. Throws StorageError where policy or floor no longer parse.
   */
  snapshot(id: string, known: OrganisationView | null): Promise<OrganisationView | null>;
}
