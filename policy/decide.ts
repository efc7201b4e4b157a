/** The decisions on one package: each is made when first asked for, and kept. */
import { compareVerdicts, type Draft, earliest, toDecision } from "./decision.ts";
import { examine } from "./examine.ts";
import { judge, type PackageCase } from "./judge.ts";
import type { CompiledPolicy } from "./resolve.ts";
import { findPredecessors, type Predecessors } from "./rules/predecessors.ts";
import type { RuleContext } from "./rules/rule.ts";
import {
  type Artifact,
  type Decision,
  type Decisions,
  type EpochMs,
  type Examined,
  type Fact,
  type Joined,
  type PackageFacts,
  permits,
  type Release,
} from "./types.ts";

interface Made {
  readonly decision: Decision;
  /** The end of the earliest-ending allow that was used. */
  readonly allowedUntil: EpochMs | null;
}

/** Nothing found: shared, since that is what most files are. */
const UNOPPOSED: Made = Object.freeze({ decision: toDecision([], "enforce"), allowedUntil: null });

interface Listed {
  readonly release: Release;
  readonly artifact: Artifact;
}

const ABSENT: Fact<never> = { known: false, why: "absent" };

/** What a release without files is decided as: nothing is known of it. */
const NO_FILE: Artifact = Object.freeze({
  filename: "",
  digests: [],
  sizeBytes: null,
  publishedAt: ABSENT,
  yanked: ABSENT,
  trust: ABSENT,
  url: null,
});

/** Pure: the same arguments give the same decisions. Costs nothing until a decision is asked for. */
export function decide(
  options: {
    readonly policy: CompiledPolicy;
    readonly facts: PackageFacts;
    readonly joined: Joined;
    readonly now: EpochMs;
    /** A past instant: what was there and old enough then, of what today's policy lets through. Default: now. */
    readonly asOf?: EpochMs;
  },
): Decisions {
  const { facts } = options;
  const files = createListing<Listed>();
  const releases = createListing<Release>();
  for (const release of facts.releases) {
    releases.add(release.version, release);
    for (const artifact of release.artifacts) files.add(artifact.filename, { release, artifact });
  }
  const make = judging(options);

  const artifact = kept((filename: string): Made | null => {
    const listed = files.get(filename);
    return listed === null ? null : worstOf(listed, make);
  });
  const release = kept((version: string): Made | null => {
    const listed = releases.get(version);
    return listed === null ? null : worstOf(listed, best);
  });
  function best(of: Release): Made {
    const [first] = of.artifacts;
    if (first === undefined) return make({ release: of, artifact: NO_FILE });
    if (of.artifacts.length === 1) return artifact(first.filename)!;
    return bestOf(of.artifacts.flatMap(({ filename }) => artifact(filename) ?? []));
  }
  const all = once((): readonly Made[] => [
    ...[...files.keys()].flatMap((filename) => artifact(filename) ?? []),
    ...facts.releases.filter((each) => each.artifacts.length === 0).flatMap(({ version }) =>
      release(version) ?? []
    ),
  ]);
  const horizon = once(() =>
    all().reduce<EpochMs | null>((first, made) => earliest(first, made.decision.horizon), null)
  );
  const allowedUntil = once(() =>
    all().reduce<EpochMs | null>((first, made) => earliest(first, made.allowedUntil), null)
  );
  return {
    artifact: (filename) => artifact(filename)?.decision ?? null,
    release: (version) => release(version)?.decision ?? null,
    get horizon() {
      return horizon();
    },
    get allowedUntil() {
      return allowedUntil();
    },
  };
}

/** null: there is no such file. */
export function examineIn(
  options: {
    readonly policy: CompiledPolicy;
    readonly facts: PackageFacts;
    readonly joined: Joined;
    readonly now: EpochMs;
    readonly filename: string;
  },
): readonly Examined[] | null {
  const { policy: { settings, versions }, facts, joined, now, filename } = options;
  const isIt = (artifact: Artifact) => artifact.filename === filename;
  const release = facts.releases.find(({ artifacts }) => artifacts.some(isIt));
  const artifact = release?.artifacts.find(isIt);
  if (release === undefined || artifact === undefined) return null;
  const clocks = { now, firstSeen: (name: string) => joined.firstSeen(name) };
  const predecessors = once(() => findPredecessors(facts, versions, clocks));
  return examine(artifact, { ...clocks, release, settings, predecessors });
}

function judging(
  { policy, facts, joined, now, asOf }: Parameters<typeof decide>[0],
): (listed: Listed) => Made {
  const { settings, rules, versions } = policy;
  const then = asOf === undefined || asOf >= now ? null : asOf;
  const about: PackageCase = {
    settings,
    rules,
    floor: policy.floor.of(facts.name),
    overrides: policy.overrides.of(facts.name),
    waivers: policy.waivers.get(facts.name) ?? [],
    freezes: policy.freezes.get(facts.name) ?? [],
    // An audit fix is about what is installed now.
    grants: then === null ? joined.grants : new Set(),
    asOf: then,
  };
  const clocks = { now, firstSeen: (filename: string) => joined.firstSeen(filename) };
  const predecessors = once((): Predecessors => findPredecessors(facts, versions, clocks));
  const { firstSeen } = clocks;
  return ({ release, artifact }) => {
    const context: RuleContext = { now, firstSeen, release, settings, predecessors };
    const drafts = judge(artifact, context, about);
    if (drafts.length === 0) return UNOPPOSED;
    return { decision: toDecision(drafts, settings.enforcement), allowedUntil: firstEnd(drafts) };
  };
}

function firstEnd(drafts: readonly Draft[]): EpochMs | null {
  return drafts.reduce<EpochMs | null>((first, { lifter }) => earliest(first, lifter?.until ?? null), null);
}

/** What is listed under a name. */
interface Listing<T> {
  add(name: string, listed: T): void;
  /** null: nothing. */
  get(name: string): OneOrMore<T> | null;
  keys(): Iterable<string>;
}

/** Nearly every name is there once: that one needs no list of its own, of which some packages would need ten thousand. */
interface OneOrMore<T> {
  readonly first: T;
  readonly others: readonly T[];
}

function createListing<T>(): Listing<T> {
  const firsts = new Map<string, T>();
  const others = new Map<string, T[]>();
  return {
    add(name, listed) {
      const more = others.get(name);
      if (more !== undefined) more.push(listed);
      else if (firsts.has(name)) others.set(name, [listed]);
      else firsts.set(name, listed);
    },
    get(name) {
      const first = firsts.get(name);
      return first === undefined ? null : { first, others: others.get(name) ?? NONE };
    },
    keys: () => firsts.keys(),
  };
}

const NONE: readonly never[] = Object.freeze([]);

/** A file (or a release) that is listed twice has the worse decision. */
function worstOf<T>({ first, others }: OneOrMore<T>, make: (listed: T) => Made): Made {
  if (others.length === 0) return make(first);
  return choose([first, ...others].map(make), (a, b) => compareDecisions(a.decision, b.decision) > 0);
}

function bestOf(made: readonly Made[]): Made {
  return choose(made, (a, b) => compareDecisions(a.decision, b.decision) < 0);
}

function choose(made: readonly Made[], isChosen: (a: Made, b: Made) => boolean): Made {
  return made.length === 1 ? made[0]! : made.reduce((chosen, each) => isChosen(each, chosen) ? each : chosen);
}

/** Negative where `a` is milder; of two that are let through the one that stays so longer, else what ends sooner. */
function compareDecisions(a: Decision, b: Decision): number {
  return compareVerdicts(a.verdict, b.verdict) || compareVerdicts(a.enforcedVerdict, b.enforcedVerdict) ||
    (permits(a) ? endOf(b) - endOf(a) : endOf(a) - endOf(b));
}

function endOf({ horizon }: Decision): number {
  return horizon ?? Number.MAX_VALUE;
}

function kept<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    // What is not listed is asked for by strangers: it is not worth keeping.
    if (value !== null) made.set(key, value);
    return value;
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
