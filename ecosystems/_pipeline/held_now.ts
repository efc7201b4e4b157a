/** What time alone will let through of the packages that an organisation asked for, from cached facts only. */
import { describe } from "../../policy/explain.ts";
import { type EpochMs, permits } from "../../policy/types.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import { createPacer } from "../../storage/paced.ts";
import { formatPurl } from "../_shared/purl.ts";
import type { InspectQuery } from "./inspect.ts";
import { loadCached, packageKey } from "./load.ts";
import type { Services } from "./services.ts";
import { upstreamOf } from "./upstream.ts";
import { NO_GRANTS, verdictsOn } from "./verdicts.ts";

export interface HeldRelease {
  readonly ecosystem: string;
  readonly package: string;
  readonly purl: string;
  readonly version: string;
  /** The rule that counts most, and what it says. */
  readonly rule: string;
  readonly reason: string;
  readonly maturesAt: EpochMs;
}

export interface HeldNow {
  /** The next to mature first. */
  readonly releases: readonly HeldRelease[];
  /** Packages that were looked at. */
  readonly looked: number;
  /** Of those, how many nothing is cached of. */
  readonly uncached: number;
}

export interface HeldNowQuery {
  readonly organisation: OrganisationView;
  /** What to look at, in any order; what is of no ecosystem here counts as not cached. */
  readonly packages: readonly { readonly ecosystem: string; readonly name: string }[];
}

const LANES = 4;

/** Pauses within its work, so that requests have their turn. Throws StorageError. */
export async function heldNow(services: Services, query: HeldNowQuery): Promise<HeldNow> {
  const { organisation, packages } = query;
  const pacer = createPacer(services.timers);
  const releases: HeldRelease[] = [];
  const waiting = packages.values();
  let uncached = 0;
  const lane = async () => {
    for (const { ecosystem: id, name } of waiting) {
      if (pacer.isDue) await pacer.pause();
      const ecosystem = services.ecosystems.find((each) => each.id === id);
      const found = ecosystem === undefined
        ? null
        : await heldOf(services, { organisation, ecosystem, name });
      if (found === null) uncached += 1;
      else releases.push(...found);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  releases.sort((a, b) => a.maturesAt - b.maturesAt || (a.purl < b.purl ? -1 : 1));
  return { releases, looked: packages.length, uncached };
}

/** null: nothing is cached of it. Through memory: what was asked for last is what is asked for next. */
async function heldOf(services: Services, query: InspectQuery): Promise<readonly HeldRelease[] | null> {
  const { organisation, ecosystem, name } = query;
  const upstream = upstreamOf(services, query, name);
  const known = upstream === null ? null : await loadCached(services, packageKey(ecosystem, upstream, name));
  if (known === null) return null;
  const now = services.clock();
  const { timers, verdictCache } = services;
  const asked = { known, organisation, ecosystem, grants: NO_GRANTS, now, timers };
  const { decisions } = await verdictsOn(verdictCache, asked);
  if (decisions.horizon === null) return [];
  return known.facts.releases.flatMap(({ version }): HeldRelease[] => {
    const decision = decisions.release(version);
    if (decision === null || decision.horizon === null || permits(decision)) return [];
    const { reason, until } = describe({ decision, newestAllowed: null, name, version, now });
    if (until === null) return [];
    const { rule, message } = reason;
    const purl = formatPurl({ type: ecosystem.purlType, name, version });
    return [{
      ecosystem: ecosystem.id,
      package: name,
      purl,
      version,
      rule,
      reason: message,
      maturesAt: until,
    }];
  });
}
