/** As of which instants a package looks alike: a request for any of them is answered as of the first of them. */
import type { EpochMs } from "../../policy/types.ts";
import { paced } from "../../storage/paced.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Ecosystem } from "../ecosystem.ts";
import { keyText } from "./load.ts";
import type { Known, Services } from "./services.ts";
import { joinedTo, NO_GRANTS, policyFor } from "./verdicts.ts";

/** When what is decided on a package, or how it is tagged, changed. */
export interface Timeline {
  readonly known: Known;
  readonly organisation: OrganisationView;
  readonly madeAt: EpochMs;
  /** Sorted. */
  readonly changes: Float64Array;
}

/** A date that lay ahead when the timeline was made may have come near. */
const BELIEVED_MS = 60 * 60_000;
/** Before anything was: 1 January 1970. */
const BEFORE_ALL = 0 as EpochMs;

/** The last change at or before an instant. Throws StorageError. */
export async function changeBefore(services: Services, asked: {
  readonly known: Known;
  readonly organisation: OrganisationView;
  readonly ecosystem: Ecosystem;
  readonly instant: EpochMs;
}): Promise<EpochMs> {
  const { changes } = await timelineOf(services, asked);
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (changes[middle]! <= asked.instant) low = middle + 1;
    else high = middle;
  }
  return (changes[low - 1] ?? BEFORE_ALL) as EpochMs;
}

async function timelineOf(services: Services, asked: {
  readonly known: Known;
  readonly organisation: OrganisationView;
  readonly ecosystem: Ecosystem;
}): Promise<Timeline> {
  const { known, organisation, ecosystem } = asked;
  const now = services.clock();
  const key = `${organisation.id}\n${keyText(known.key)}`;
  const kept = services.instants.timelines.get(key);
  const isKept = kept?.known === known && kept.organisation === organisation && kept.madeAt <= now &&
    now - kept.madeAt < BELIEVED_MS;
  if (isKept) return kept;
  const policy = policyFor(services.verdictCache, organisation, ecosystem);
  const found = new Set<number>();
  const decided = policy.changes(known.facts, joinedTo(known, NO_GRANTS), now);
  await paced(decided, services.timers, (change) => void (change !== undefined && found.add(change)));
  const tagged = ecosystem.tags === undefined ? [] : await services.tagHistory.changes(known.key);
  for (const change of tagged) found.add(change);
  const made: Timeline = { known, organisation, madeAt: now, changes: Float64Array.from(found).sort() };
  services.instants.timelines.set(key, made);
  return made;
}
