/** What another policy would have made of the last 30 days' installs, and would make of what is held: from what is cached. */
import { describe } from "../../policy/explain.ts";
import { differenceOf } from "../../policy/difference.ts";
import type { PolicyDocument } from "../../policy/documents.ts";
import { resolvePolicy } from "../../policy/resolve.ts";
import {
  type Decision,
  type Decisions,
  type EpochMs,
  type PackageFacts,
  permits,
  type ResolvedPolicy,
} from "../../policy/types.ts";
import type { AskedPackages } from "../../storage/asked.ts";
import type { InstallDetail } from "../../storage/installs/detail.ts";
import { DAY_MS } from "../../storage/installs/keys.ts";
import type { InstallQueries } from "../../storage/installs/query_types.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import { createPacer, type Pacer } from "../../storage/paced.ts";
import type { Ecosystem } from "../ecosystem.ts";
import { cachedFacts } from "./cached_facts.ts";
import { createPreviewLists, type Preview, type PreviewLists } from "./preview_lists.ts";
import type { Services } from "./services.ts";

export type { Preview } from "./preview_lists.ts";

export interface PreviewDeps {
  readonly services: Services;
  readonly queries: Pick<InstallQueries, "packages">;
  readonly asked: Pick<AskedPackages, "read">;
  /** A new one for each preview. */
  readonly detail: () => InstallDetail;
  readonly limits?: PreviewLimits;
}

export interface PreviewLimits {
  /** Packages of which facts are read. */
  readonly packages: number;
  readonly ms: number;
  /** Of previews that wait for the one that is being made. */
  readonly waiting: number;
}

export interface PreviewQuery {
  readonly organisation: OrganisationView;
  readonly draft: PolicyDocument;
}

/** One at a time in a process; null: too many wait already. Throws StorageError. */
export type MakePreview = (query: PreviewQuery) => Promise<Preview | null>;

const LIMITS: PreviewLimits = { packages: 5_000, ms: 15_000, waiting: 3 };
const DAYS = 30;
const RELEASES_PER_LOOK = 25;
const LANES = 4;

/** Pauses within its work, so that requests have their turn. */
export function createPreview(deps: PreviewDeps): MakePreview {
  const { services, limits = LIMITS } = deps;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function make({ organisation, draft }: PreviewQuery): Promise<Preview> {
    const now = services.clock();
    // Whole days: the indexes know no less.
    const since = Math.floor((now - DAYS * DAY_MS) / DAY_MS) * DAY_MS as EpochMs;
    const { rows, more } = await askedSince(deps, organisation, since);
    const pairs = new Map(
      services.ecosystems.map((each) => [each.id, pairOf(each, { organisation, draft })]),
    );
    const round: Round = {
      services,
      organisation,
      detail: deps.detail(),
      since,
      now,
      pacer: createPacer(services.timers),
      lists: createPreviewLists(),
    };
    const until = performance.now() + limits.ms;
    const newestFirst = rows.values();
    let [looked, read, uncached] = [0, 0, 0];
    let isOver = false;
    const lane = async () => {
      for (const row of newestFirst) {
        if (round.pacer.isDue) await round.pacer.pause();
        const pair = pairs.get(row.ecosystem);
        const isConcerned = pair?.concerns(row.package) === true;
        isOver ||= isConcerned && (read >= limits.packages || performance.now() >= until);
        if (isOver) return;
        looked += 1;
        if (!isConcerned) continue;
        read += 1;
        if (!await comparePackage(round, pair, row)) uncached += 1;
      }
    };
    try {
      // While the one waits for KV the other decides.
      await Promise.all(Array.from({ length: LANES }, lane));
    } finally {
      isOver = true;
    }
    const packages = { looked, of: rows.length, uncached, more };
    return { since, until: now, packages, ...round.lists.result() };
  }

  return async function preview(query) {
    if (waiting >= limits.waiting) return null;
    waiting += 1;
    const mine = last.then(() => make(query)).finally(() => waiting -= 1);
    last = mine.catch(() => {});
    return await mine;
  };
}

interface AskedRow {
  readonly ecosystem: string;
  readonly package: string;
  readonly last: EpochMs;
}

/** By its index alone, or by a file, which the log knows; the last asked for first. */
async function askedSince(
  { queries, asked }: Pick<PreviewDeps, "queries" | "asked">,
  organisation: OrganisationView,
  since: EpochMs,
): Promise<{ readonly rows: readonly AskedRow[]; readonly more: boolean }> {
  const installed = await queries.packages({ organisation: organisation.id, since });
  const { packages, isCut } = await asked.read(organisation);
  const rows = new Map<string, AskedRow>();
  for (const each of installed) rows.set(`${each.ecosystem}\n${each.package}`, each);
  for (const { ecosystem, name, at } of packages) {
    const id = `${ecosystem}\n${name}`;
    const known = rows.get(id);
    if (at < since || (known !== undefined && known.last >= at)) continue;
    rows.set(id, { ecosystem, package: name, last: at });
  }
  return { rows: [...rows.values()].sort((a, b) => b.last - a.last), more: isCut };
}

/** One preview at work. */
interface Round {
  readonly services: Services;
  readonly organisation: OrganisationView;
  readonly detail: InstallDetail;
  readonly since: EpochMs;
  readonly now: EpochMs;
  readonly pacer: Pacer;
  readonly lists: PreviewLists;
}

/** Both policies, for one ecosystem. */
interface Pair {
  readonly ecosystem: Ecosystem;
  readonly before: ResolvedPolicy;
  readonly after: ResolvedPolicy;
  concerns(name: string): boolean;
}

function pairOf(ecosystem: Ecosystem, { organisation, draft }: PreviewQuery): Pair {
  const { policy, floor, waivers, freezes } = organisation;
  const compiled = (document: PolicyDocument) =>
    resolvePolicy({ document, floor, waivers, freezes, ecosystem });
  return {
    ecosystem,
    before: compiled(policy),
    after: compiled(draft),
    concerns: differenceOf(policy, draft, ecosystem).concerns,
  };
}

/** false: nothing is cached of it. */
async function comparePackage(round: Round, pair: Pair, row: AskedRow): Promise<boolean> {
  const { services, organisation, since } = round;
  const { ecosystem } = pair;
  const cached = await cachedFacts(services, { organisation, ecosystem, name: row.package });
  if (cached === null) return false;
  const at = (policy: ResolvedPolicy, instant: EpochMs) =>
    policy.decide(cached.facts, cached.joined, instant);
  const concerned = await lookAtReleases(round, { pair, row, facts: cached.facts, at });
  if (concerned.size === 0) return true;
  const [before, after] = [decidedByDay(pair.before, at), decidedByDay(pair.after, at)];
  const query = { organisation: organisation.id, ecosystem: row.ecosystem, package: row.package, since };
  const seen = (await round.detail(query)).filter(({ version }) => concerned.has(version));
  for (const each of seen.toSorted((a, b) => a.day - b.day)) {
    if (round.pacer.isDue) await round.pacer.pause();
    const { version, day } = each;
    const instant = Math.min((day + 1) * DAY_MS - 1, round.now) as EpochMs;
    const [was, would] = [before(version, instant), after(version, instant)];
    if (was === null || would === null) continue;
    const about = { name: row.package, version, now: instant };
    if (permits(was) && !permits(would)) round.lists.refuse(each, reasonOf(would, about));
    if (!permits(was) && permits(would)) round.lists.allow(each, reasonOf(was, about));
  }
  return true;
}

/** Asked in the order of time: what was decided holds until time alone may change it. */
function decidedByDay(
  policy: ResolvedPolicy,
  at: (policy: ResolvedPolicy, instant: EpochMs) => Decisions,
): (version: string, instant: EpochMs) => Decision | null {
  const kept = new Map<string, Decision | null>();
  let latest: { readonly instant: EpochMs; readonly decisions: Decisions } | null = null;
  return function decided(version, instant) {
    const known = kept.get(version);
    if (known === null || (known !== undefined && (known.horizon === null || instant < known.horizon))) {
      return known;
    }
    if (latest?.instant !== instant) latest = { instant, decisions: at(policy, instant) };
    const made = latest.decisions.release(version);
    kept.set(version, made);
    return made;
  };
}

/** The versions that the two may have decided differently on some day; notes what is held now and would not be. */
async function lookAtReleases(
  round: Round,
  about: {
    readonly pair: Pair;
    readonly row: AskedRow;
    readonly facts: PackageFacts;
    readonly at: (policy: ResolvedPolicy, instant: EpochMs) => Decisions;
  },
): Promise<ReadonlySet<string>> {
  const { pair: { before, after, ecosystem }, row, facts, at } = about;
  const { now, since, pacer } = round;
  const [was, would] = [at(before, now), at(after, now)];
  const [wasThen, wouldThen] = [at(before, since), at(after, since)];
  const concerned = new Set<string>();
  for (const [index, { version }] of facts.releases.entries()) {
    if (index % RELEASES_PER_LOOK === 0 && pacer.isDue) await pacer.pause();
    const decided = [was, would, wasThen, wouldThen].map((each) => each.release(version));
    const [held = null, free = null] = decided;
    if (held === null || free === null) continue;
    const isThrough = decided.map((each) => each !== null && permits(each));
    if (isThrough.some((each) => each !== isThrough[0])) concerned.add(version);
    if (held.verdict !== "hold" || !permits(free)) continue;
    const { reason, until } = describe({
      decision: held,
      newestAllowed: null,
      name: row.package,
      version,
      now,
    });
    round.lists.release({
      ecosystem: row.ecosystem,
      purlType: ecosystem.purlType,
      package: row.package,
      version,
      rule: reason.rule,
      reason: reason.message,
      heldUntil: until,
    });
  }
  return concerned;
}

function reasonOf(
  decision: Decision,
  about: { readonly name: string; readonly version: string; readonly now: EpochMs },
) {
  const { reason: { rule, message } } = describe({ decision, newestAllowed: null, ...about });
  return { rule, reason: message };
}
