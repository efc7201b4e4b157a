/** Organisations, their policies and the instance's floor: kept as they were written, with their history. */
import type { FloorDocument, Parsed, PolicyDocument } from "../../policy/config.ts";
import type { Clock } from "../runtime.ts";
import { StorageError } from "../errors.ts";
import { attempt, deletePrefix } from "./call.ts";
import { checked, conflict, noRevision, replaceDocument } from "./document_change.ts";
import { createFloor } from "./floor.ts";
import { keys } from "./keys.ts";
import { checkOrganisationId, isOrganisationId, OrganisationError } from "./organisation_error.ts";
import { appendRevision, listRevisions, policySeries, readRevision, type Revision } from "./revisions.ts";
import type {
  OrganisationRecord,
  Organisations,
  OrganisationSummary,
  StoredDocument,
} from "./organisation_types.ts";
import { readSnapshot } from "./snapshot.ts";
import { FREEZES } from "./freezes.ts";
import { createHeldEntries, type Holder } from "./held_entries.ts";
import { deleteTokensOf } from "./token_record.ts";
import { SNAPSHOTS } from "./named_snapshots.ts";
import { readPastWaivers, WAIVERS } from "./waivers.ts";

export type { Organisations, OrganisationSummary, StoredDocument } from "./organisation_types.ts";

/** Cannot be deleted; is there from the first start. */
export const DEFAULT_ORGANISATION = "default";

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
  const waivers = createHeldEntries({ kv, clock, holder }, WAIVERS);
  const freezes = createHeldEntries({ kv, clock, holder }, FREEZES);
  const snapshots = createHeldEntries({ kv, clock, holder }, SNAPSHOTS);

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
    return await replaceDocument({ kv, clock }, series, change, parsePolicy, {
      current: entry.value.revision,
      versionstamp: entry.versionstamp,
      next: (revision, at) => ({ ...entry.value, revision, updatedAt: at }),
      currentNow: async () => (await head(id)).value?.revision ?? 0,
    });
  };

  async function remove(id: string): Promise<void> {
    if (id === DEFAULT_ORGANISATION) {
      throw new OrganisationError(
        'Cannot delete organisation "default": it is always there. Close it instead',
        "refused",
      );
    }
    const { value, versionstamp } = await known(id);
    // Before: were this to end between the two, a later namesake would meet them. After: one may have come since.
    await attempt(`revoke the tokens of organisation "${id}"`, () => deleteTokensOf(kv, id));
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
      await deleteTokensOf(kv, id);
      await deletePrefix(kv, keys.policyRevisions(id, value.life));
      await deletePrefix(kv, keys.partsOf(keys.policyRevisions(id, value.life)));
      await deletePrefix(kv, keys.waivers(id, value.life));
      await kv.delete(keys.waiverCount(id, value.life));
      await deletePrefix(kv, keys.waiversPast(id, value.life));
      await deletePrefix(kv, keys.waiverRequests(id, value.life));
      await deletePrefix(kv, ["waiver_requests_of", id, value.life]);
      await deletePrefix(kv, keys.waiverUses(id));
      await deletePrefix(kv, keys.webhookDeliveries(id));
      await deletePrefix(kv, keys.freezes(id, value.life));
      await kv.delete(keys.freezeCount(id, value.life));
      await deletePrefix(kv, keys.snapshots(id, value.life));
      await kv.delete(keys.snapshotCount(id, value.life));
      await deletePrefix(kv, keys.memberRules(id, value.life));
      await kv.delete(keys.memberRuleCount(id, value.life));
      await kv.delete(keys.askedPackages(id, value.life));
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
    ...createFloor(kv, deps),
    waivers: async (id) => await waivers.list((await known(id)).value),
    addWaiver: (id, waiver, beside) => waivers.add(id, waiver, undefined, beside),
    revokeWaiver: waivers.remove,
    pastWaivers: async (id, page) =>
      await readPastWaivers(kv, (await known(id)).value, { ...page, now: clock() }),
    holder,
    freezes: async (id) => await freezes.list((await known(id)).value),
    addFreeze: freezes.add,
    removeFreeze: freezes.remove,
    snapshots: async (id) => await snapshots.list((await known(id)).value),
    addSnapshot: (id, snapshot) => snapshots.add(id, snapshot, "new"),
    removeSnapshot: snapshots.remove,
    snapshot: (id, view) => readSnapshot({ kv, clock, parsePolicy, parseFloor }, id, view),
  };
}

function unknownOrganisation(id: string): OrganisationError {
  return new OrganisationError(`There is no organisation "${id}"`, "unknown");
}
