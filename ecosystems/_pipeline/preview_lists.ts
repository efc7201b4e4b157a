/** What a preview found, added up by release: bounded lists, and totals that count all of it. */
import type { EpochMs } from "../../policy/types.ts";
import type { Observation } from "../../storage/installs/observations.ts";

/** One release of which installs would have been decided otherwise. */
export interface PreviewedRelease {
  readonly ecosystem: string;
  readonly package: string;
  readonly version: string;
  /** What refuses it, under the one policy or the other. */
  readonly rule: string;
  readonly reason: string;
  /** Of the users, the most first; null: callers without a name. */
  readonly users: readonly { readonly user: string | null; readonly times: number }[];
  readonly userCount: number;
  /** Installs, or of what is allowed newly: refusals. */
  readonly times: number;
  readonly last: EpochMs;
}

/** A release that is held now, and would be let through. */
export interface LetGo {
  readonly ecosystem: string;
  readonly purlType: string;
  readonly package: string;
  readonly version: string;
  readonly rule: string;
  readonly reason: string;
  /** null: time alone does not end it. */
  readonly heldUntil: EpochMs | null;
}

export interface PreviewList {
  /** The most often asked for first, 100 at most. */
  readonly releases: readonly PreviewedRelease[];
  /** Shown or not; 20,000 at most. */
  readonly releaseCount: number;
  readonly times: number;
  readonly userCount: number;
}

export interface Preview {
  /** The start of a day in UTC. */
  readonly since: EpochMs;
  readonly until: EpochMs;
  readonly packages: {
    readonly looked: number;
    /** That were asked for, by an index or a file, as far as it is remembered. */
    readonly of: number;
    /** Of those looked at, how many nothing is known of any more. */
    readonly uncached: number;
    /** Others were asked for by their index alone, too many to be remembered. */
    readonly more: boolean;
  };
  readonly refused: PreviewList;
  readonly allowed: PreviewList;
  readonly letGo: { readonly releases: readonly LetGo[]; readonly releaseCount: number };
}

export interface PreviewLists {
  refuse(seen: Observation, why: Why): void;
  allow(seen: Observation, why: Why): void;
  release(found: LetGo): void;
  result(): Pick<Preview, "refused" | "allowed" | "letGo">;
}

interface Why {
  readonly rule: string;
  readonly reason: string;
}

const SHOWN = 100;
const USERS_SHOWN = 20;
/** Beyond it only times and users are counted. */
const MAX_RELEASES = 20_000;

export function createPreviewLists(): PreviewLists {
  const refused = createList();
  const allowed = createList();
  const released: LetGo[] = [];
  let releasedCount = 0;
  return {
    refuse: (seen, why) =>
      refused.add(seen, why, seen.tally.served + seen.tally.observed + seen.tally.partial),
    allow: (seen, why) => allowed.add(seen, why, seen.tally.refused),
    release(found) {
      releasedCount += 1;
      if (released.length < SHOWN) released.push(found);
    },
    result: () => ({
      refused: refused.result(),
      allowed: allowed.result(),
      letGo: { releases: released, releaseCount: releasedCount },
    }),
  };
}

interface Counted extends Omit<PreviewedRelease, "users" | "userCount"> {
  readonly users: Map<string | null, number>;
}

function createList() {
  const found = new Map<string, Counted>();
  const everybody = new Set<string | null>();
  let times = 0;

  /** Parts of one count may be negative: an install that was cut off is taken from one and given to another. */
  function add(seen: Observation, why: Why, count: number): void {
    if (count === 0) return;
    times += count;
    everybody.add(seen.user);
    const id = `${seen.ecosystem}\n${seen.package}\n${seen.version}`;
    const known = found.get(id);
    if (known === undefined && found.size >= MAX_RELEASES) return;
    const isNewer = known === undefined || seen.tally.last >= known.last;
    const users = known?.users ?? new Map<string | null, number>();
    users.set(seen.user, (users.get(seen.user) ?? 0) + count);
    found.set(id, {
      ecosystem: seen.ecosystem,
      package: seen.package,
      version: seen.version,
      ...(isNewer ? why : { rule: known.rule, reason: known.reason }),
      users,
      times: (known?.times ?? 0) + count,
      last: isNewer ? seen.tally.last : known.last,
    });
  }

  function result(): PreviewList {
    const all = [...found.values()].filter((each) => each.times > 0);
    const shown = all.sort((a, b) => b.times - a.times || b.last - a.last).slice(0, SHOWN);
    return {
      releases: shown.map(({ users, ...release }): PreviewedRelease => ({
        ...release,
        users: [...users].sort(([, a], [, b]) => b - a).slice(0, USERS_SHOWN).map(([user, times]) => ({
          user,
          times,
        })),
        userCount: users.size,
      })),
      releaseCount: all.length,
      times,
      userCount: everybody.size,
    };
  }

  return { add, result };
}
