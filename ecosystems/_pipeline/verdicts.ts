/** The one place where a request's decisions are made: facts, what is joined to them, and the organisation's policy. */
import { createHmac } from "node:crypto";
import type { Decision, Decisions, EpochMs, Joined, ResolvedPolicy } from "../../policy/types.ts";
import { resolvePolicy } from "../../policy/resolve.ts";
import { type ByteCache, createByteCache } from "../../storage/memory.ts";
import { paced } from "../../storage/paced.ts";
import type { Timers } from "../../storage/runtime.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { ArtifactAsk, ArtifactLocation, Ecosystem } from "../ecosystem.ts";
import { placeOf } from "./instants.ts";
import { keyText } from "./load.ts";
import type { Known } from "./services.ts";

/** The decisions on one package for one organisation, and until when time alone cannot change them. */
export interface Verdicts {
  readonly decisions: Decisions;
  readonly known: Known;
  readonly organisation: OrganisationView;
  readonly policy: ResolvedPolicy;
  /** The past instant that it was decided as of, the first of those that are alike; null: now. */
  readonly asOf: EpochMs | null;
  readonly madeAt: EpochMs;
  readonly validUntil: EpochMs;
  /** Made for one caller (audit grants): must not be kept or shared. */
  readonly personal: boolean;
  /** Ids of decisions that were asked for, by what they are about: a hash each costs a third of a small answer. */
  readonly ids: Map<string, string>;
  /** Files that were asked for, by name: some packages have ten thousand to look through. */
  readonly files: Map<string, LocatedFile>;
}

/** A file of the package, and the release that it belongs to. */
export interface LocatedFile {
  readonly version: string;
  readonly location: ArtifactLocation;
}

const FOREVER = Number.POSITIVE_INFINITY as EpochMs;

/** What was compiled and decided: a view is a new object whenever anything in it changed, and so is a Known. */
export interface VerdictCache {
  readonly policies: WeakMap<OrganisationView, Map<string, ResolvedPolicy>>;
  /** By organisation and package. */
  readonly verdicts: ByteCache<Verdicts>;
  /** By organisation, package and place: as of past instants, which are never in the way of the present. */
  readonly asOf: ByteCache<Verdicts>;
  /** What is being decided, by the same key. */
  readonly pending: Map<string, Pending>;
}

interface Pending {
  readonly request: VerdictRequest;
  readonly verdicts: Promise<Verdicts>;
}

/** What one release's decisions take, with its part of the facts that they hold on to. */
const BYTES_PER_RELEASE = 1_100;
/** Of what decisions of the present may take. */
const SHARE_AS_OF = 1 / 4;
/** Decisions as of a past instant are made anew after this: a date that lay ahead may have come near. */
const AS_OF_MS = 60 * 60_000;

export const NO_GRANTS: ReadonlySet<string> = new Set();

/** `maxBytes` bounds the decisions of all organisations together: each has its own on every package. */
export function createVerdictCache(maxBytes: number): VerdictCache {
  const sizeOf = ({ known }: Verdicts) => 1_024 + known.facts.releases.length * BYTES_PER_RELEASE;
  return {
    policies: new WeakMap(),
    verdicts: createByteCache<Verdicts>({ maxBytes, largestBytes: maxBytes, sizeOf }),
    asOf: createByteCache<Verdicts>({
      maxBytes: maxBytes * SHARE_AS_OF,
      largestBytes: maxBytes * SHARE_AS_OF,
      sizeOf,
    }),
    pending: new Map(),
  };
}

/** Throws where an override cannot be read in this ecosystem's versions: nothing is let through then. */
export function policyFor(
  cache: VerdictCache,
  organisation: OrganisationView,
  ecosystem: Ecosystem,
): ResolvedPolicy {
  let byEcosystem = cache.policies.get(organisation);
  if (byEcosystem === undefined) cache.policies.set(organisation, byEcosystem = new Map());
  const kept = byEcosystem.get(ecosystem.id);
  if (kept !== undefined) return kept;
  const { policy: document, floor, waivers, freezes } = organisation;
  const policy = resolvePolicy({ document, floor, waivers, freezes, ecosystem });
  byEcosystem.set(ecosystem.id, policy);
  return policy;
}

export interface VerdictRequest {
  readonly known: Known;
  readonly organisation: OrganisationView;
  readonly ecosystem: Ecosystem;
  /** Versions that this caller alone may have. */
  readonly grants: ReadonlySet<string>;
  readonly now: EpochMs;
  /** A past instant, the first of those that are alike. Default: now. */
  readonly asOf?: EpochMs;
  readonly timers: Timers;
}

/** Decides, in slices; what was decided is kept until time, facts or policy may change it. */
export async function verdictsOn(cache: VerdictCache, options: VerdictRequest): Promise<Verdicts> {
  const { known, organisation, grants, asOf } = options;
  if (grants.size > 0) return { ...await decideNow(cache, options), personal: true };
  const place = asOf === undefined ? "" : `\n${placeOf(asOf)}`;
  const key = `${organisation.id}\n${keyText(known.key)}${place}`;
  const decided = asOf === undefined ? cache.verdicts : cache.asOf;
  const kept = decided.get(key);
  if (kept !== undefined && holds(kept, options)) return kept;
  const running = cache.pending.get(key);
  if (running !== undefined && isSame(running.request, options)) return await running.verdicts;
  const verdicts = decideNow(cache, options);
  cache.pending.set(key, { request: options, verdicts });
  try {
    const made = await verdicts;
    decided.set(key, made);
    return made;
  } finally {
    if (cache.pending.get(key)?.verdicts === verdicts) cache.pending.delete(key);
  }
}

/** Decided on the same, at most a moment ago. */
function isSame(running: VerdictRequest, { known, organisation, now, asOf }: VerdictRequest): boolean {
  return running.known === known && running.organisation === organisation && running.now <= now &&
    running.asOf === asOf;
}

/** Of just this state; and not of a time that has yet to come: a clock that ran ahead was set back. */
function holds(kept: Verdicts, { known, organisation, now, asOf }: VerdictRequest): boolean {
  return kept.known === known && kept.organisation === organisation && kept.madeAt <= now &&
    now < kept.validUntil && kept.asOf === (asOf ?? null);
}

async function decideNow(cache: VerdictCache, options: VerdictRequest): Promise<Verdicts> {
  const { known, organisation, ecosystem, grants, now, asOf } = options;
  const policy = policyFor(cache, organisation, ecosystem);
  const decisions = policy.decide(known.facts, joinedTo(known, grants), now, asOf);
  await paced(decideAll(known, decisions), options.timers);
  const ends = [
    decisions.horizon,
    decisions.allowedUntil,
    policy.frozenAt(known.key.name, now)?.until ?? null,
    asOf === undefined ? null : now + AS_OF_MS as EpochMs,
  ].filter((end): end is EpochMs => end !== null);
  const validUntil = ends.reduce((first, end) => end < first ? end : first, FOREVER);
  return {
    decisions,
    known,
    organisation,
    policy,
    asOf: asOf ?? null,
    madeAt: now,
    validUntil,
    personal: false,
    ids: new Map(),
    files: new Map(),
  };
}

const RELEASES_PER_STEP = 25;

/** Each decision is made when it is first asked for: asked for here, so that all of them together hold up nobody. */
function* decideAll(known: Known, decisions: Decisions): Generator<undefined, void> {
  for (const [at, { version }] of known.facts.releases.entries()) {
    decisions.release(version);
    if (at % RELEASES_PER_STEP === RELEASES_PER_STEP - 1) yield undefined;
  }
}

/** First-seen times of the files in `facts` never change once the facts were committed: both name the join. */
export function joinedTo(known: Known, grants: ReadonlySet<string>): Joined {
  return {
    firstSeen: (filename) => known.firstSeen?.of(filename) ?? null,
    grants,
    digest: `${known.record.factsDigest}:${known.firstSeen?.packageAt ?? 0}:${[...grants].sort().join(",")}`,
  };
}

/**
 * The id of a decision: a hash keyed per organisation, over package, facts, policy and verdict. Equal decisions
 * have equal ids, whether they came from the memo or not; nobody else can compute or guess one.
 */
export function decisionId(
  verdicts: Verdicts,
  about: string,
  decided: readonly (readonly [string, Decision])[],
): string {
  const made = verdicts.ids.get(about);
  if (made !== undefined) return made;
  const { organisation, known } = verdicts;
  const hash = createHmac("sha256", organisation.decisionKey);
  hash.update(
    [known.key.ecosystem, known.key.name, about, known.record.factsDigest, organisation.stamp].join("\n"),
  );
  if (verdicts.asOf !== null) hash.update(`\nas of ${verdicts.asOf}`);
  for (const [what, decision] of decided) {
    hash.update(
      `\n${what}\t${decision.verdict}\t${decision.enforcedVerdict}\t${
        decision.reasons.map((reason) => reason.rule).join(",")
      }`,
    );
  }
  const id = hash.digest("base64url").slice(0, 20);
  verdicts.ids.set(about, id);
  return id;
}

/** Where an ask's file is; null: the package has none of that name. */
export function fileOf(verdicts: Verdicts, ecosystem: Ecosystem, ask: ArtifactAsk): LocatedFile | null {
  const { files, known: { facts } } = verdicts;
  const found = files.get(ask.filename);
  if (found !== undefined) return found;
  const isIt = ({ filename }: { readonly filename: string }) => filename === ask.filename;
  const version = facts.releases.find((release) => release.artifacts.some(isIt))?.version;
  const location = version === undefined ? null : ecosystem.locate(ask, facts);
  if (version === undefined || location === null) return null;
  const file = { version, location };
  files.set(ask.filename, file);
  return file;
}
