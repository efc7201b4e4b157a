/** What an organisation's people asked an exception for: open ones, and for a while those that were answered. */
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import type { PageQuery, WaiverPage, WaiverRequest, WaiverRequests } from "../waivers.ts";
import { attempt, getAll } from "./call.ts";
import { boundedText, type Holder } from "./held_entries.ts";
import { keys } from "./keys.ts";
import type { Organisations } from "./organisation_types.ts";

const DAY_MS = 86_400_000;
/** Unanswered for so long, a request is closed. */
export const LAPSES_AFTER_MS = 30 * DAY_MS;
const ANSWERED_KEPT_MS = 180 * DAY_MS;
/** Of one organisation at once. */
const MAX_OPEN = 500;
/** Of these, those whose asker nobody verified: strangers leave room for members. */
const MAX_OPEN_UNVERIFIED = 200;
const ATTEMPTS = 5;
const LONGEST_REASON = 1_000;
const LONGEST_TEXT = 200;

interface RequestRecord {
  readonly v: 1;
  readonly request: WaiverRequest;
}

/** Thrown within a commit's preparation and caught here: somebody else was faster. */
class NotOpenError extends Error {}

export function createWaiverRequests(
  kv: Deno.Kv,
  deps: { readonly clock: Clock; readonly organisations: Pick<Organisations, "addWaiver" | "holder"> },
): WaiverRequests {
  const { clock, organisations } = deps;

  async function add(organisation: string, given: WaiverRequest): Promise<"added" | "full"> {
    const request = bounded(given);
    const expireIn = Math.max(1, request.lapsesAt - clock());
    for (let i = 0; i < ATTEMPTS; i++) {
      const holder = await organisations.holder(organisation);
      if (await isFull(holder, request)) return "full";
      const { id, life, versionstamp } = holder;
      const done = await attempt(`ask for a waiver of organisation "${id}"`, () =>
        kv.atomic()
          .check({ key: keys.organisation(id), versionstamp })
          .set(keys.waiverRequest(id, life, "open", request.id), recordOf(request), { expireIn })
          .set(keys.waiverRequestOf(id, life, request), { v: 1 }, { expireIn })
          .commit());
      if (done.ok) return "added";
    }
    throw new StorageError(`Cannot ask for a waiver of organisation "${organisation}": it changes too often`);
  }

  /** Two at once may both be the last one: the bound need not be exact. */
  async function isFull(holder: Holder, { asker }: WaiverRequest): Promise<boolean> {
    const { rows } = await page(holder, "open", { limit: MAX_OPEN });
    const unverified = rows.filter((row) => !row.asker.isVerified).length;
    return rows.length >= MAX_OPEN || (!asker.isVerified && unverified >= MAX_OPEN_UNVERIFIED);
  }

  async function get(organisation: string, id: string): Promise<WaiverRequest | null> {
    return await find(await organisations.holder(organisation), id);
  }

  async function find(holder: Holder, id: string): Promise<WaiverRequest | null> {
    const places = (["open", "answered"] as const).map((state) =>
      keys.waiverRequest(holder.id, holder.life, state, id)
    );
    const found = await attempt("read a waiver's request", () => kv.getMany<RequestRecord[]>(places));
    const request = found.find(({ value }) => value !== null)?.value?.request ?? null;
    return request !== null && isThere(request) ? request : null;
  }

  /** KV drops what has expired in its own time. */
  function isThere({ answer, lapsesAt }: WaiverRequest): boolean {
    const now = clock();
    return answer === null ? now < lapsesAt : now < answer.at + ANSWERED_KEPT_MS;
  }

  async function page(
    holder: Pick<Holder, "id" | "life">,
    state: "open" | "answered",
    { limit, after }: PageQuery,
  ): Promise<WaiverPage<WaiverRequest>> {
    const prefix = keys.waiverRequests(holder.id, holder.life, state);
    const selector: Deno.KvListSelector = after === undefined
      ? { prefix }
      : { start: prefix, end: keys.waiverRequest(holder.id, holder.life, state, after) };
    const rows: WaiverRequest[] = [];
    await attempt(`list the waivers that organisation "${holder.id}" was asked for`, async () => {
      const options = { reverse: true, batchSize: Math.min(500, limit + 1) };
      for await (const { value } of kv.list<RequestRecord>(selector, options)) {
        if (!isThere(value.request)) continue;
        rows.push(value.request);
        if (rows.length > limit) break;
      }
    });
    const shown = rows.slice(0, limit);
    return { rows: shown, next: rows.length > limit ? shown.at(-1)!.id : null };
  }

  const ofPackage: WaiverRequests["ofPackage"] = async (organisation, { ecosystem, name, limit }) => {
    const { id, life } = await organisations.holder(organisation);
    const ids: string[] = [];
    await attempt("list a package's requests", async () => {
      const prefix = keys.waiverRequestsOf(id, life, { ecosystem, name });
      for await (const { key } of kv.list({ prefix }, { reverse: true, limit })) ids.push(String(key.at(-1)));
    });
    const places = ids.flatMap((each) =>
      (["open", "answered"] as const).map((state) => keys.waiverRequest(id, life, state, each))
    );
    const found = await attempt("read a package's requests", () => getAll<RequestRecord>(kv, places));
    return found.flatMap(({ value }) => value !== null && isThere(value.request) ? [value.request] : []);
  };

  const answer: WaiverRequests["answer"] = async (organisation, requestId, { answer: given, waiver }) => {
    const said = { ...given, word: given.word === null ? null : boundedText(given.word, LONGEST_REASON) };
    let answered: WaiverRequest | null = null;

    /** Looked at anew for each attempt to commit. */
    async function closing({ id, life }: Pick<Holder, "id" | "life">) {
      const openKey = keys.waiverRequest(id, life, "open", requestId);
      const open = await attempt("read a waiver's request", () => kv.get<RequestRecord>(openKey));
      if (open.value === null || !isThere(open.value.request)) throw new NotOpenError();
      const request: WaiverRequest = { ...open.value.request, answer: said };
      answered = request;
      const kept = { expireIn: ANSWERED_KEPT_MS };
      return (atomic: Deno.AtomicOperation) =>
        void atomic.check(open).delete(openKey)
          .set(keys.waiverRequest(id, life, "answered", requestId), recordOf(request), kept)
          .set(keys.waiverRequestOf(id, life, request), { v: 1 }, kept);
    }

    try {
      if (waiver === null) await decline(await organisations.holder(organisation), closing);
      else await organisations.addWaiver(organisation, waiver, closing);
      return answered;
    } catch (error) {
      if (error instanceof NotOpenError) return null;
      throw error;
    }
  };

  async function decline(
    holder: Holder,
    closing: (holder: Holder) => Promise<(atomic: Deno.AtomicOperation) => void>,
  ): Promise<void> {
    const atomic = kv.atomic();
    (await closing(holder))(atomic);
    const done = await attempt("decline a waiver", () => atomic.commit());
    if (!done.ok) throw new NotOpenError();
  }

  return {
    add,
    get,
    open: async (organisation, query) => await page(await organisations.holder(organisation), "open", query),
    answered: async (organisation, query) =>
      await page(await organisations.holder(organisation), "answered", query),
    ofPackage,
    answer,
  };
}

function recordOf(request: WaiverRequest): RequestRecord {
  return { v: 1, request };
}

/** What people write: well-formed, and no longer than it may be. */
function bounded(request: WaiverRequest): WaiverRequest {
  const { asker } = request;
  return {
    ...request,
    reason: boundedText(request.reason, LONGEST_REASON),
    ticket: request.ticket === null ? null : boundedText(request.ticket, LONGEST_TEXT),
    asker: { ...asker, user: asker.user === null ? null : boundedText(asker.user, LONGEST_TEXT) },
  };
}

/** When a request that is made now is closed without an answer. */
export function lapseOf(now: EpochMs): EpochMs {
  return now + LAPSES_AFTER_MS as EpochMs;
}
