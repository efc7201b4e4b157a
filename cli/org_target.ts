/** What the commands change: an organisation's policy or the instance's floor, behind the same verbs. */
import { keepSecrets, type Parsed, type PolicyError, redactPolicy } from "../policy/config.ts";
import type { Organisations, StoredDocument } from "../storage/kv/organisations.ts";
import type { Revision } from "../storage/kv/revisions.ts";
import { policyParsers } from "./storage.ts";

/** One document with its history. `write` and `restore` throw OrganisationError, and change nothing then. */
export interface Target {
  /** `policy of organisation "acme"`. */
  readonly title: string;
  /** null: there is no such organisation. */
  get(): Promise<Stored | null>;
  revision(revision: number): Promise<Stored | null>;
  history(): Promise<readonly Revision[]>;
  write(change: {
    readonly source: unknown;
    readonly author: string;
    readonly message?: string;
    readonly expectedRevision: number;
  }): Promise<Stored>;
  restore(revision: number, author: string): Promise<Stored>;
  /** Every mistake; empty: none. */
  mistakes(source: unknown): Promise<readonly PolicyError[]>;
  /** A copy that may be shown. */
  redact(source: unknown): unknown;
  /** Puts secrets back where what was shown is written back. */
  unredact(next: unknown, previous: unknown): unknown;
}

type Stored = StoredDocument<unknown>;

/** An organisation's policy. */
export function policyTarget(organisations: Organisations, id: string): Target {
  return {
    title: `policy of organisation ${JSON.stringify(id)}`,
    get: () => organisations.get(id),
    revision: (revision) => organisations.revision(id, revision),
    history: () => organisations.history(id),
    write: (change) => organisations.set({ id, ...change }),
    restore: (revision, author) => organisations.restore(id, revision, author),
    mistakes: (source) => Promise.resolve(errorsOf(policyParsers().parsePolicy(source))),
    redact: redactPolicy,
    unredact: keepSecrets,
  };
}

/** The instance's floor, which has no secrets. */
export function floorTarget(organisations: Organisations): Target {
  return {
    title: "instance's floor",
    get: () => organisations.floor(),
    revision: (revision) => organisations.floorRevision(revision),
    history: () => organisations.floorHistory(),
    write: (change) => organisations.setFloor(change),
    restore: (revision, author) => organisations.restoreFloor(revision, author),
    mistakes: (source) => Promise.resolve(errorsOf(policyParsers().parseFloor(source))),
    redact: (source) => source,
    unredact: (next) => next,
  };
}

function errorsOf(parsed: Parsed<unknown>): readonly PolicyError[] {
  return parsed.ok ? [] : parsed.errors;
}
