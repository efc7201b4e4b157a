/** Who changed what, from what to what, and from where. Nothing here changes or drops an entry. */
import type { EpochMs } from "../policy/types.ts";

export interface AuditEntry {
  /** Rises with time. */
  readonly id: string;
  readonly at: EpochMs;
  /** null: the whole instance's. */
  readonly organisation: string | null;
  readonly user: string;
  /** The token or session; `local`: the command line on the machine itself. */
  readonly principal: string;
  /** The address that it came from; `` where that is the machine itself. */
  readonly from: string;
  /** The API's operation: `putPolicy`. */
  readonly action: string;
  /** What it was done to, in a few words: a purl, an organisation, an id. */
  readonly subject: string;
  /** `~ minimumAge: "10d" -> "14d"`; secrets are never among them. In a list, the first of them. */
  readonly changes: readonly string[];
  /** How many changes more there are, which `get` has; 0: none. */
  readonly changesLeftOut: number;
}

export type NewAuditEntry = Omit<AuditEntry, "id" | "at" | "changesLeftOut">;

export interface AuditQuery {
  /** null: the whole instance's own; absent: everybody's. */
  readonly organisation?: string | null;
  readonly limit: number;
  /** Entries before the one of this id. */
  readonly before?: string | null;
}

/** All throw StorageError where KV fails. */
export interface AuditTrail {
  /** All of its changes are kept, however many and long. */
  append(entry: NewAuditEntry): Promise<void>;
  /** The newest first. */
  list(query: AuditQuery): Promise<readonly AuditEntry[]>;
  /** With every change; `organisation` as in a query. null: there is none, or it is another's. */
  get(id: string, whose: Pick<AuditQuery, "organisation">): Promise<AuditEntry | null>;
}
