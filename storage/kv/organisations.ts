/** Organisations, their policies and the instance's floor: kept as they were written, with their history. */
import type { Waiver } from "../../policy/types.ts";
import type { FloorDocument, Parsed, PolicyDocument } from "../../policy/config.ts";
import type { EpochMs } from "../../policy/types.ts";
import type { Clock } from "../runtime.ts";
import type { OrganisationView } from "../organisations.ts";
import { StorageError } from "../errors.ts";
import { attempt, deletePrefix } from "./call.ts";
import { keys } from "./keys.ts";
import { checkOrganisationId, isOrganisationId, OrganisationError } from "./organisation_error.ts";
import {
  type Append,
  appendRevision,
  floorSeries,
  listRevisions,
  policySeries,
  readRevision,
  type Revision,
} from "./revisions.ts";
import { readSnapshot } from "./snapshot.ts";
import { addWaiver, type Holder, listWaivers, revokeWaiver } from "./waivers.ts";

/** Cannot be deleted; is there from the first start. */
export const DEFAULT_ORGANISATION = "default";

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
  addWaiver(id: string, waiver: Waiver): Promise<void>;
  /** false: there is no such waiver. */
  revokeWaiver(id: string, waiverId: string): Promise<boolean>;
  /**
   * One consistent state for `createOrganisationViews`; `known` itself where nothing changed since. null: no
   * such organisation. Throws StorageError where policy or floor no longer parse.
   */
  snapshot(id: string, known: OrganisationView | null): Promise<OrganisationView | null>;
}

export interface OrganisationsDeps {
  readonly clock: Clock;
  /** So many random bytes; `crypto.getRandomValues` if not given. */
  readonly random?: (bytes: number) => Uint8Array;
  /** policy/config.ts's, handed in because storage imports nothing but types from there. */
  readonly parsePolicy: (input: unknown) => Parsed<PolicyDocument>;
  readonly parseFloor: (input: unknown) => Parsed<FloorDocument>;
}

/** One for the process; several processes may share the store. */
export function createOrganisations(kv: Deno.Kv, deps: OrganisationsDeps): Organisations {
  const { clock, parsePolicy, parseFloor } = deps;
  const random = deps.random ?? ((bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)));

  function head(id: string): Promise<Deno.KvEntryMaybe<OrganisationRecord>> {
    return attempt(`read organisation "${id}"`, () => kv.get<OrganisationRecord>(keys.organisation(id)));
  }

  async function known(id: string): Promise<Deno.KvEntry<OrganisationRecord>> {
    checkOrganisationId(id);
    const entry = await head(id);
    if (entry.versionstamp === null) throw unknownOrganisation(id);
    return entry;
  }

  async function holder(id: string): Promise<Holder> {
    const entry = await known(id);
    return { id, life: entry.value.life, versionstamp: entry.versionstamp };
  }
  const waiverDeps = { kv, clock, holder };

  async function list(): Promise<OrganisationSummary[]> {
    const found: OrganisationSummary[] = [];
    await attempt("list the organisations", async () => {
      for await (const { value } of kv.list<OrganisationRecord>({ prefix: keys.organisations() })) {
        const { id, revision, createdAt, createdBy, updatedAt } = value;
        found.push({ id, revision, createdAt, createdBy, updatedAt });
      }
    });
    return found;
  }

  const create: Organisations["create"] = async (id, options) => {
    checkOrganisationId(id);
    const source = options.source ?? {};
    const title = `policy of organisation "${id}"`;
    const parsed = checked(title, source, parsePolicy);
    const now = clock();
    const record: OrganisationRecord = {
      v: 1,
      id,
      life: random(9).toHex(),
      decisionKey: random(32),
      createdAt: now,
      createdBy: options.author.toWellFormed().slice(0, 200),
      revision: 1,
      updatedAt: now,
    };
    const revision: Revision = {
      revision: 1,
      at: now,
      author: options.author,
      message: options.message ?? "created",
    };
    const done = await appendRevision(kv, policySeries(id, record.life), {
      expected: null,
      head: record,
      revision,
      source,
      stamps: [keys.stamp(), keys.organisationsStamp()],
    });
    if (!done) throw new OrganisationError(`Cannot create organisation "${id}": it exists`, "exists");
    return { ...revision, source, parsed };
  };

  async function ensureDefault(): Promise<void> {
    if ((await head(DEFAULT_ORGANISATION)).versionstamp !== null) return;
    try {
      await create(DEFAULT_ORGANISATION, { author: "sluice", message: "created at the first start" });
    } catch (error) {
      if (!(error instanceof OrganisationError && error.code === "exists")) throw error;
    }
  }

  async function get(id: string): Promise<StoredDocument<PolicyDocument> | null> {
    if (!isOrganisationId(id)) return null;
    for (let i = 0; i < 5; i++) {
      const entry = await head(id);
      if (entry.versionstamp === null) return null;
      const found = await revisionOf(id, entry.value.life, entry.value.revision);
      if (found !== null) return found;
    }
    throw new StorageError(`Cannot read the policy of organisation "${id}": its current revision is missing`);
  }

  async function revisionOf(
    id: string,
    life: string,
    n: number,
  ): Promise<StoredDocument<PolicyDocument> | null> {
    const found = await readRevision(kv, policySeries(id, life), n);
    return found && { ...found.revision, source: found.source, parsed: parsePolicy(found.source) };
  }

  const set: Organisations["set"] = async ({ id, ...change }) => {
    const entry = await known(id);
    const series = policySeries(id, entry.value.life);
    return await replace(series, change, parsePolicy, {
      current: entry.value.revision,
      versionstamp: entry.versionstamp,
      next: (revision, at) => ({ ...entry.value, revision, updatedAt: at }),
      currentNow: async () => (await head(id)).value?.revision ?? 0,
    });
  };

  async function setFloor(change: DocumentChange): Promise<StoredDocument<FloorDocument>> {
    const entry = await floorHead();
    return await replace(floorSeries(), change, parseFloor, {
      current: entry.value?.revision ?? 0,
      versionstamp: entry.versionstamp,
      next: (revision): FloorRecord => ({ v: 1, revision }),
      currentNow: async () => (await floorHead()).value?.revision ?? 0,
    });
  }

  function floorHead(): Promise<Deno.KvEntryMaybe<FloorRecord>> {
    return attempt("read the instance's floor", () => kv.get<FloorRecord>(keys.floor()));
  }

  async function replace<T>(
    series: ReturnType<typeof floorSeries>,
    change: DocumentChange,
    parse: (input: unknown) => Parsed<T>,
    at: {
      readonly current: number;
      readonly versionstamp: string | null;
      next(revision: number, at: EpochMs): Append["head"];
      currentNow(): Promise<number>;
    },
  ): Promise<StoredDocument<T>> {
    const parsed = checked(series.title, change.source, parse);
    const expected = change.expectedRevision;
    if (expected !== undefined && expected !== at.current) throw conflict(series.title, expected, at.current);
    const now = clock();
    const revision: Revision = {
      revision: at.current + 1,
      at: now,
      author: change.author,
      message: change.message ?? "",
    };
    const done = await appendRevision(kv, series, {
      expected: at.versionstamp,
      head: at.next(revision.revision, now),
      revision,
      source: change.source,
      stamps: [keys.stamp()],
    });
    if (!done) throw conflict(series.title, at.current, await at.currentNow());
    return { ...revision, source: change.source, parsed };
  }

  async function remove(id: string): Promise<void> {
    if (id === DEFAULT_ORGANISATION) {
      throw new OrganisationError(
        'Cannot delete organisation "default": it is always there. Close it instead',
        "refused",
      );
    }
    const { value, versionstamp } = await known(id);
    const done = await attempt(
      `delete organisation "${id}"`,
      () =>
        kv.atomic().check({ key: keys.organisation(id), versionstamp })
          .delete(keys.organisation(id))
          .set(keys.stamp(), { at: clock() })
          .set(keys.organisationsStamp(), { at: clock() })
          .commit(),
    );
    if (!done.ok) {
      throw conflict(`organisation "${id}"`, value.revision, (await head(id)).value?.revision ?? 0);
    }
    // The organisation is gone; what follows is out of reach already, because its `life` is.
    await attempt(`delete what organisation "${id}" left`, async () => {
      await deletePrefix(kv, keys.policyRevisions(id, value.life));
      await deletePrefix(kv, keys.partsOf(keys.policyRevisions(id, value.life)));
      await deletePrefix(kv, keys.waivers(id, value.life));
      await kv.delete(keys.waiverCount(id, value.life));
    });
  }

  async function restore(id: string, n: number, author: string): Promise<StoredDocument<PolicyDocument>> {
    const { value } = await known(id);
    const old = await revisionOf(id, value.life, n);
    if (old === null) throw noRevision(`organisation "${id}"`, n);
    return await set({
      id,
      source: old.source,
      author,
      message: `restores revision ${n}`,
      expectedRevision: value.revision,
    });
  }

  async function floorRevision(n: number): Promise<StoredDocument<FloorDocument> | null> {
    const found = await readRevision(kv, floorSeries(), n);
    return found && { ...found.revision, source: found.source, parsed: parseFloor(found.source) };
  }

  async function floor(): Promise<StoredDocument<FloorDocument>> {
    for (let i = 0; i < 5; i++) {
      const current = (await floorHead()).value?.revision ?? 0;
      if (current === 0) {
        return { revision: 0, at: 0 as EpochMs, author: "", message: "", source: {}, parsed: parseFloor({}) };
      }
      const found = await floorRevision(current);
      if (found !== null) return found;
    }
    throw new StorageError("Cannot read the instance's floor: its current revision is missing");
  }

  async function restoreFloor(n: number, author: string): Promise<StoredDocument<FloorDocument>> {
    const current = (await floorHead()).value?.revision ?? 0;
    const old = await floorRevision(n);
    if (old === null) throw noRevision("the instance's floor", n);
    return await setFloor({
      source: old.source,
      author,
      message: `restores revision ${n}`,
      expectedRevision: current,
    });
  }

  return {
    list,
    create,
    ensureDefault,
    get,
    set,
    delete: remove,
    history: async (id) => await listRevisions(kv, policySeries(id, (await known(id)).value.life)),
    revision: async (id, n) => await revisionOf(id, (await known(id)).value.life, n),
    restore,
    floor,
    setFloor,
    floorHistory: () => listRevisions(kv, floorSeries()),
    floorRevision,
    restoreFloor,
    waivers: async (id) => await listWaivers(kv, (await known(id)).value, clock),
    addWaiver: (id, waiver) => addWaiver(waiverDeps, id, waiver),
    revokeWaiver: (id, waiver) => revokeWaiver(waiverDeps, id, waiver),
    snapshot: (id, view) => readSnapshot({ kv, clock, parsePolicy, parseFloor }, id, view),
  };
}

function checked<T>(
  title: string,
  source: unknown,
  parse: (input: unknown) => Parsed<T>,
): Parsed<T> & { readonly ok: true } {
  const parsed = parse(source);
  if (parsed.ok) return parsed;
  throw new OrganisationError(
    `Cannot write the ${title}: ${
      parsed.errors.length === 1 ? "there is a mistake" : `there are ${parsed.errors.length} mistakes`
    } in it`,
    "invalid-policy",
    parsed.errors,
  );
}

function conflict(title: string, expected: number, current: number): OrganisationError {
  return new OrganisationError(
    `Cannot write the ${title}: it was changed meanwhile (your change was made upon revision ${expected}, ` +
      `and revision ${current} is there). Look at it again`,
    "conflict",
  );
}

function unknownOrganisation(id: string): OrganisationError {
  return new OrganisationError(`There is no organisation "${id}"`, "unknown");
}

function noRevision(what: string, n: number): OrganisationError {
  return new OrganisationError(`There is no revision ${n} of ${what} (any more)`, "unknown");
}
