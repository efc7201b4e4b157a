/** What is known of a cached package, for people: every release with its date and verdict, from cached facts only. */
import { describe, newestAllowed } from "../../policy/explain.ts";
import { formatInstant } from "../../policy/instant.ts";
import {
  type Decision,
  type Digest,
  type EpochMs,
  permits,
  type Reason,
  type Verdict,
  type Waiver,
} from "../../policy/types.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import { formatPurl } from "../_shared/purl.ts";
import type { Ecosystem } from "../ecosystem.ts";
import { loadCached, packageKey } from "./load.ts";
import type { Known, Services } from "./services.ts";
import { upstreamOf } from "./upstream.ts";
import { type Verdicts, verdictsOn } from "./verdicts.ts";

export interface InspectQuery {
  readonly organisation: OrganisationView;
  readonly ecosystem: Ecosystem;
  /** The registry-exact name. */
  readonly name: string;
}

/** One release as this organisation's policy has it. */
export interface InspectedRelease {
  readonly version: string;
  readonly purl: string;
  /** Of its first file; null: nothing is known of it. */
  readonly publishedAt: EpochMs | null;
  readonly firstSeenAt: EpochMs | null;
  readonly verdict: Verdict;
  /** The rule that counts most, and what it says; null: nothing speaks against it. */
  readonly rule: string | null;
  readonly reason: string | null;
  /** When time alone will let it through; null: it is through, or time will not. */
  readonly maturesAt: EpochMs | null;
  /** Those that lift something of it, whether or not that is enough. */
  readonly waivers: readonly InspectedWaiver[];
  readonly files: readonly InspectedFile[];
  /** As the registry names them; null: it does not. */
  readonly publisher: string | null;
}

export interface InspectedWaiver {
  readonly waiver: Waiver;
  /** What would stand against the release without it. */
  readonly lifted: readonly Reason[];
}

export interface InspectedFile {
  readonly filename: string;
  /** As upstream's index states them; may be none. */
  readonly digests: readonly Digest[];
}

export interface Inspected {
  readonly key: Known["key"];
  readonly purl: string;
  readonly description: string | null;
  readonly checkedAt: EpochMs;
  readonly firstSeenAt: EpochMs | null;
  /** The highest version that is let through; null: none is. */
  readonly newestAllowed: string | null;
  /** The highest version first. */
  readonly releases: readonly InspectedRelease[];
}

const NO_GRANTS: ReadonlySet<string> = new Set();

/** null: nothing is cached of it under an upstream of this organisation. Throws StorageError. */
export async function inspect(services: Services, query: InspectQuery): Promise<Inspected | null> {
  const verdicts = await verdictsOf(services, query);
  if (verdicts === null) return null;
  const { known } = verdicts;
  const { ecosystem, name } = query;
  const now = services.clock();
  const releases = known.facts.releases.toReversed().map((release): InspectedRelease => {
    const [file] = release.artifacts;
    const published = file?.publishedAt;
    const decision = verdicts.decisions.release(release.version);
    const waivers = waiversOf(query.organisation, decision);
    return {
      version: release.version,
      purl: formatPurl({ type: ecosystem.purlType, name, version: release.version }),
      publishedAt: published?.known === true ? published.value.at : null,
      firstSeenAt: file === undefined ? null : known.firstSeen?.of(file.filename)?.at ?? null,
      ...saidOf(decision, { name, version: release.version, now, waivers }),
      waivers,
      files: release.artifacts.map(({ filename, digests }) => ({ filename, digests })),
      publisher: release.publisher.known ? release.publisher.value : null,
    };
  });
  return {
    key: known.key,
    purl: formatPurl({ type: ecosystem.purlType, name, version: null }),
    description: known.record.description ?? null,
    checkedAt: known.record.checkedAt,
    firstSeenAt: known.firstSeen?.packageAt ?? null,
    newestAllowed: newestOf(verdicts, ecosystem),
    releases,
  };
}

/** The highest version of a cached package that this organisation may have; null: none, or nothing is cached. */
export async function newestOffered(services: Services, query: InspectQuery): Promise<string | null> {
  const verdicts = await verdictsOf(services, query);
  return verdicts === null ? null : newestOf(verdicts, query.ecosystem);
}

async function verdictsOf(services: Services, query: InspectQuery): Promise<Verdicts | null> {
  const { organisation, ecosystem, name } = query;
  const upstream = upstreamOf(services, query, name);
  if (upstream === null) return null;
  const known = await loadCached(services, packageKey(ecosystem, upstream, name));
  if (known === null) return null;
  const { timers, verdictCache } = services;
  const now = services.clock();
  return await verdictsOn(verdictCache, { known, organisation, ecosystem, grants: NO_GRANTS, now, timers });
}

function newestOf({ known, decisions }: Verdicts, { versions }: Ecosystem): string | null {
  return newestAllowed(known.facts, decisions, versions);
}

function saidOf(
  decision: Decision | null,
  about: {
    readonly name: string;
    readonly version: string;
    readonly now: EpochMs;
    readonly waivers: readonly InspectedWaiver[];
  },
): Pick<InspectedRelease, "verdict" | "rule" | "reason" | "maturesAt"> {
  if (decision === null || decision.reasons.length === 0) {
    return { verdict: decision?.verdict ?? "allow", rule: null, reason: null, maturesAt: null };
  }
  const { reason, until } = describe({ decision, newestAllowed: null, ...about });
  const by = about.waivers.find(({ lifted }) => lifted.includes(reason));
  if (by !== undefined && permits(decision)) {
    return { verdict: decision.verdict, rule: "waiver", reason: waivedText(by), maturesAt: null };
  }
  return {
    verdict: decision.verdict,
    rule: reason.rule,
    reason: reason.message,
    maturesAt: permits(decision) ? null : until,
  };
}

function waiversOf({ waivers }: OrganisationView, decision: Decision | null): readonly InspectedWaiver[] {
  const lifted = decision?.reasons.filter(({ liftedBy }) => liftedBy !== undefined) ?? [];
  if (lifted.length === 0) return [];
  return waivers.flatMap((waiver) => {
    const own = lifted.filter(({ liftedBy }) => liftedBy === waiver.id);
    return own.length === 0 ? [] : [{ waiver, lifted: own }];
  });
}

function waivedText({ waiver: { owner, until }, lifted }: InspectedWaiver): string {
  const without = lifted.map(({ message, rule }) => `${message} (${rule})`).join("; ");
  return `allowed by a waiver of ${owner} until ${formatInstant(until)}; without it: ${without}`;
}
