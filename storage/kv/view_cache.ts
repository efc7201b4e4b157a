/** Organisations in memory: one cheap look at KV tells whether anything changed, and only then are they read. */
import { LRUCache } from "lru-cache";
import { RestoringError, StorageError } from "../errors.ts";
import type { OrganisationView, OrganisationViews } from "../organisations.ts";
import type { Clock, Log, Timers } from "../runtime.ts";
import { realTimers } from "../timers.ts";
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";
import { isOrganisationId } from "./organisation_error.ts";
import type { Organisations } from "./organisation_types.ts";
import { UnusablePolicyError } from "./snapshot.ts";
import { within } from "./within.ts";

/** What was confirmed is used without a question for so long. */
const FRESH_MS = 1_000;
/** Without a confirmation for so long, nothing is answered any more. */
const LOST_MS = 5_000;
/** A confirmation that takes longer counts as failed. */
const CONFIRM_MS = 1_500;
/** After a failed confirmation nobody waits for another one for so long. */
const PAUSE_MS = 250;
const LOAD_MS = 5_000;
/** Views held at once; others are read again when they are asked for. */
const MAX_VIEWS = 2_000;

export interface OrganisationViewsDeps {
  readonly organisations: Organisations;
  readonly kv: Deno.Kv;
  readonly clock: Clock;
  readonly log: Log;
  readonly timers?: Timers;
  /** Told with each look, at most once a second, at which purge this store is; null: there was none. */
  readonly purged?: (stamp: string | null) => void;
}

/** A view, or why there is none, as of a generation. */
interface Held {
  readonly generation: number;
  readonly view: OrganisationView | null;
  readonly error: StorageError | null;
}

interface Stamps {
  readonly all: string;
  readonly organisations: string;
}

/** One for the process. */
export function createOrganisationViews(deps: OrganisationViewsDeps): OrganisationViews {
  const { organisations, kv, clock, log, timers = realTimers } = deps;
  const held = new LRUCache<string, Held>({ max: MAX_VIEWS });
  const loading = new Map<string, { readonly generation: number; readonly held: Promise<Held> }>();
  let stamps: Stamps | null = null;
  /** Rises whenever the stamp changes: what was read under an older one is looked at again. */
  let generation = 0;
  let ids: ReadonlySet<string> = new Set();
  let confirmedAt = -Infinity;
  let failedAt = -Infinity;
  /** Why nothing that is held may be used, however fresh it is; null: it may. */
  let refused: RestoringError | null = null;
  let confirming: Promise<void> | null = null;
  /** How often this process has said that it changed something. */
  let changes = 0;
  /** How many of those the last look may be relied on to have seen. */
  let seenChanges = 0;

  function isWithin(since: number, ms: number): boolean {
    const age = clock() - since;
    // A clock that was set back proves nothing.
    return age >= 0 && age < ms;
  }

  /** Resolves when what is held may be used; throws StorageError. */
  async function confirm(): Promise<void> {
    // Only what this process had changed when it was asked has to be seen: others may go on changing.
    const asked = changes;
    const isSeen = (ms: number) => seenChanges >= asked && isWithin(confirmedAt, ms);
    // A look that was joined may have begun before a change of this process; one may have met the end of a restore.
    for (let i = 0; i < 3 && !isSeen(FRESH_MS) && !isWithin(failedAt, PAUSE_MS); i++) {
      await (confirming ??= lookAtStamps(changes).finally(() => confirming = null));
    }
    if (refused !== null) throw refused;
    if (isSeen(LOST_MS)) return;
    throw new StorageError("Cannot confirm the policies: the storage has not answered for five seconds");
  }

  /** Never rejects: the time of the last confirmation tells. */
  async function lookAtStamps(asOf: number): Promise<void> {
    const asked = clock();
    try {
      const next = await within(timers, { ms: CONFIRM_MS, action: "confirm the policies" }, readStamps());
      if (next.organisations !== stamps?.organisations) ids = await listIds();
      if (next.all !== stamps?.all || next.organisations !== stamps?.organisations) generation++;
      stamps = next;
      refused = null;
      confirmedAt = asked;
      // One that was begun before a change of this process may have seen what was there before.
      seenChanges = asOf;
    } catch (error) {
      if (error instanceof RestoringError) return refuse(error);
      failedAt = clock();
      log("warn", `Cannot confirm the policies: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** WARNING: fails closed at once; what is held is of a state that is no more. */
  function refuse(error: RestoringError): void {
    confirmedAt = -Infinity;
    // What comes after the end of a restore can be looked at now.
    if (error.state === "restored") return;
    if (refused?.state !== error.state) log("warn", `Nothing is answered: ${error.message}`);
    refused = error;
    failedAt = clock();
  }

  async function readStamps(): Promise<Stamps> {
    const [all, some, purged] = await attempt(
      "look at the policies' stamp",
      () => kv.getMany([keys.stamp(), keys.organisationsStamp(), keys.purged()]),
    );
    deps.purged?.(purged.versionstamp);
    return { all: all.versionstamp ?? "", organisations: some.versionstamp ?? "" };
  }

  async function listIds(): Promise<ReadonlySet<string>> {
    const options = { ms: LOAD_MS, action: "list the organisations" };
    return new Set((await within(timers, options, organisations.list())).map(({ id }) => id));
  }

  /** Never rejects. */
  async function load(id: string, as: number): Promise<Held> {
    const options = { ms: LOAD_MS, action: `read organisation "${id}"` };
    try {
      const known = held.get(id)?.view ?? null;
      const view = await within(timers, options, organisations.snapshot(id, known));
      return keep(id, { generation: as, view, error: null });
    } catch (error) {
      const cause = error instanceof StorageError
        ? error
        : new StorageError(`Cannot read organisation "${id}"`, { cause: error });
      log("error", cause.message, { "organisation.id": id });
      const failed = { generation: as, view: null, error: cause };
      // Remembered until something changes only if KV answered: a policy that cannot be used stays so.
      return cause instanceof UnusablePolicyError ? keep(id, failed) : failed;
    }
  }

  function keep(id: string, next: Held): Held {
    if ((held.get(id)?.generation ?? -1) <= next.generation) held.set(id, next);
    return next;
  }

  async function view(id: string): Promise<OrganisationView | null> {
    if (!isOrganisationId(id)) return null;
    await confirm();
    // A name nobody has costs no further look at KV, whoever thinks up how many.
    if (!ids.has(id)) return null;
    const now = held.get(id);
    if (now !== undefined && now.generation === generation) return opened(now);
    return opened(await loadOnce(id));
  }

  /** One that was begun before the last change is not joined: it may have read what was there before. */
  function loadOnce(id: string): Promise<Held> {
    const running = loading.get(id);
    if (running?.generation === generation) return running.held;
    const mine = { generation, held: load(id, generation) };
    loading.set(id, mine);
    const done = () => {
      if (loading.get(id) === mine) loading.delete(id);
    };
    mine.held.then(done, done);
    return mine.held;
  }

  async function count(): Promise<number> {
    await confirm();
    return ids.size;
  }

  function lookAgain(): void {
    changes++;
  }

  return { view, count, lookAgain };
}

function opened(held: Held): OrganisationView | null {
  if (held.error !== null) throw held.error;
  return held.view;
}
