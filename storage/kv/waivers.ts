/** An organisation's waivers: exceptions that end by themselves, counted so that they stay few. */
import type { EpochMs, Waiver } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";
import { OrganisationError } from "./organisation_error.ts";

/** Of one organisation, ended ones aside. */
export const MAX_WAIVERS = 10_000;
const MAX_TEXT = 500;
const ATTEMPTS = 20;

interface WaiverRecord {
  readonly v: 1;
  readonly waiver: Waiver;
}

interface WaiverCount {
  readonly v: 1;
  readonly count: number;
}

/** One organisation, as its head in KV has it. */
export interface Holder {
  readonly id: string;
  readonly life: string;
  readonly versionstamp: string;
}

type Owner = Pick<Holder, "id" | "life">;

/** Those that have not ended, by id. */
export async function readWaivers(kv: Deno.Kv, owner: Owner, now: EpochMs): Promise<Waiver[]> {
  return (await scan(kv, owner, now)).valid;
}

/** Those that have not ended, by id. Drops a few that have. */
export async function listWaivers(kv: Deno.Kv, owner: Owner, clock: Clock): Promise<Waiver[]> {
  const { valid, ended } = await scan(kv, owner, clock());
  if (ended.length > 0) await dropEnded(kv, owner, ended.slice(0, 30));
  return valid;
}

async function scan(kv: Deno.Kv, owner: Owner, now: EpochMs) {
  const valid: Waiver[] = [];
  const ended: Deno.KvEntry<WaiverRecord>[] = [];
  await attempt(`read the waivers of organisation "${owner.id}"`, async () => {
    const prefix = keys.waivers(owner.id, owner.life);
    for await (const entry of kv.list<WaiverRecord>({ prefix }, { batchSize: 500 })) {
      if (entry.value.waiver.until > now) valid.push(entry.value.waiver);
      else ended.push(entry);
    }
  });
  return { valid, ended };
}

/** Not the stamp: a waiver that has ended counts for nobody. Somebody else's change wins; next time then. */
async function dropEnded(
  kv: Deno.Kv,
  holder: Owner,
  ended: readonly Deno.KvEntry<WaiverRecord>[],
): Promise<void> {
  const countKey = keys.waiverCount(holder.id, holder.life);
  const count = await kv.get<WaiverCount>(countKey);
  const atomic = kv.atomic().check(count);
  for (const { key } of ended) atomic.delete(key);
  atomic.set(countKey, { v: 1, count: Math.max(0, (count.value?.count ?? 0) - ended.length) });
  await attempt(`drop ended waivers of organisation "${holder.id}"`, () => atomic.commit());
}

export interface WaiverDeps {
  readonly kv: Deno.Kv;
  readonly clock: Clock;
  /** null: no such organisation. Looked at anew for each attempt. */
  holder(id: string): Promise<Holder>;
}

/** One with the same id is replaced. Throws OrganisationError `too-many`, `refused` (it ends in the past), `unknown`. */
export async function addWaiver(deps: WaiverDeps, id: string, waiver: Waiver): Promise<void> {
  const { kv, clock } = deps;
  if (!(waiver.until > clock())) {
    throw new OrganisationError(
      `Cannot add a waiver for ${waiver.name}@${waiver.version}: its end has passed`,
      "refused",
    );
  }
  const bounded: Waiver = { ...waiver, reason: text(waiver.reason), owner: text(waiver.owner) };
  for (let i = 0; i < ATTEMPTS; i++) {
    const holder = await deps.holder(id);
    const key = keys.waiver(id, holder.life, waiver.id);
    const countKey = keys.waiverCount(id, holder.life);
    const [old, count] = await attempt(
      `add a waiver to organisation "${id}"`,
      () => kv.getMany<[WaiverRecord, WaiverCount]>([key, countKey]),
    );
    const held = count.value?.count ?? 0;
    if (old.value === null && held >= MAX_WAIVERS && !await makeRoom(deps, holder)) {
      throw new OrganisationError(
        `Cannot add a waiver to organisation "${id}": it has ${held}, and ${MAX_WAIVERS} are the limit. Revoke some first`,
        "too-many",
      );
    }
    if (old.value === null && held >= MAX_WAIVERS) continue;
    const record: WaiverRecord = { v: 1, waiver: bounded };
    const atomic = kv.atomic().check({ key: keys.organisation(id), versionstamp: holder.versionstamp }).check(
      old,
    ).check(count)
      .set(key, record)
      .set(countKey, { v: 1, count: old.value === null ? held + 1 : held })
      .set(keys.stamp(), { at: clock() });
    const done = await attempt(`add a waiver to organisation "${id}"`, () => atomic.commit());
    if (done.ok) return;
  }
  throw new StorageError(`Cannot add a waiver to organisation "${id}": too many changes at once`);
}

/** true: some had ended and are gone. */
async function makeRoom({ kv, clock }: WaiverDeps, holder: Holder): Promise<boolean> {
  return (await listWaivers(kv, holder, clock)).length < MAX_WAIVERS;
}

/** false: there is no such waiver. */
export async function revokeWaiver(deps: WaiverDeps, id: string, waiverId: string): Promise<boolean> {
  const { kv, clock } = deps;
  for (let i = 0; i < ATTEMPTS; i++) {
    const holder = await deps.holder(id);
    const key = keys.waiver(id, holder.life, waiverId);
    const countKey = keys.waiverCount(id, holder.life);
    const [old, count] = await attempt(
      `revoke a waiver of organisation "${id}"`,
      () => kv.getMany<[WaiverRecord, WaiverCount]>([key, countKey]),
    );
    if (old.value === null) return false;
    const atomic = kv.atomic().check(old).check(count)
      .delete(key)
      .set(countKey, { v: 1, count: Math.max(0, (count.value?.count ?? 0) - 1) })
      .set(keys.stamp(), { at: clock() });
    const done = await attempt(`revoke a waiver of organisation "${id}"`, () => atomic.commit());
    if (done.ok) return true;
  }
  throw new StorageError(`Cannot revoke a waiver of organisation "${id}": too many changes at once`);
}

function text(value: string): string {
  return value.toWellFormed().slice(0, MAX_TEXT).toWellFormed();
}
