import type { Liftable } from "./documents.ts";

/** Milliseconds since 1970-01-01T00:00:00Z, by the clock that main.ts hands out. */
export type EpochMs = number & { readonly __unit: "epoch-ms" };
/** A length of time in milliseconds. */
export type DurationMs = number & { readonly __unit: "duration-ms" };
/** A canonical package URL, `pkg:type/namespace/name@version`. For people and documents; never a key. */
export type Purl = string & { readonly __brand: "purl" };

/**
 * Something a document may or may not say. `absent`: it was read and says nothing; `malformed`: it says
 * something that cannot be read; `unsupported`: this registry has no such thing. A source that failed is no
 * Fact: it is a stale copy or an error.
 */
export type Fact<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly why: "absent" | "malformed" | "unsupported" };

/** When something was published, and by whose clock: a publisher's can be back-dated at will. */
export interface Published {
  readonly at: EpochMs;
  readonly clock: "registry" | "publisher";
}

export type DigestAlgorithm = "md5" | "sha1" | "sha256" | "sha384" | "sha512" | "blake2b-256";

/** A digest as upstream claims it or as it was computed here; `hex` is lower-case. */
export interface Digest {
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
}

/** How a release was published, strongest first: by a trusted publisher, with provenance, or with neither. */
export type TrustLevel = "trusted-publisher" | "provenance" | "none";

/** One file of a release, as upstream lists it. */
export interface Artifact {
  readonly filename: string;
  readonly digests: readonly Digest[];
  readonly sizeBytes: number | null;
  readonly publishedAt: Fact<Published>;
  readonly yanked: Fact<boolean>;
  readonly trust: Fact<TrustLevel>;
  /** Where upstream's index says the bytes are; null where the plugin derives it from the coordinates. */
  readonly url: string | null;
  /** By suffix, of documents that stand beside it (`.metadata`): the digests that the index states of them. */
  readonly beside?: Readonly<Record<string, readonly Digest[]>>;
}

export interface Release {
  readonly version: string;
  readonly artifacts: readonly Artifact[];
  /** The deprecation's text; `false` where the document says it is not deprecated. */
  readonly deprecated: Fact<string | false>;
  readonly licence: Fact<string>;
  readonly runsCodeOnInstall: Fact<boolean>;
  /** Who published it, as the registry names them (a user name); for people, never decided upon. */
  readonly publisher: Fact<string>;
}

/** All that upstream lists of one package, releases in version order, lowest first. */
export interface PackageFacts {
  /** The ecosystem's purl type: `npm`, `pypi`, `cargo`, … */
  readonly purlType: string;
  /** The registry-exact name. */
  readonly name: string;
  readonly releases: readonly Release[];
}

/** How an ecosystem reads its versions. Total: never throws, for any string. */
export interface VersionScheme {
  /** Negative, zero or positive; versions the scheme cannot read sort below all others, by code unit. */
  compare(a: string, b: string): number;
  isValid(version: string): boolean;
  isPrerelease(version: string): boolean;
  /** The release line: the major version, by the ecosystem's own idea of compatibility. */
  line(version: string): string;
}

/** When Sluice first saw a file, joined to the facts by the pipeline. */
export interface FirstSeen {
  readonly at: EpochMs;
  /** It was there when Sluice first saw its package: nothing is known of when it appeared. */
  readonly original: boolean;
}

/** What the pipeline joins to the facts before they are decided; `digest` names all of it, for the memo's key. */
export interface Joined {
  firstSeen(filename: string): FirstSeen | null;
  /** Versions that this very caller may have although younger than the minimum age (audit fixes). */
  readonly grants: ReadonlySet<string>;
  readonly digest: string;
}

export type Verdict = "allow" | "warn" | "hold" | "deny";

/** What one rule says of one artifact. `hold`: time alone will lift it; `deny`: it will not. */
export interface Finding {
  readonly verdict: Verdict;
  /** One sentence that can be read alone, without the package's name. */
  readonly message: string;
  /** When time alone may change this finding; null: never. */
  readonly horizon: EpochMs | null;
  /** What it is reckoned from (a hold's date of publication); absent where there is nothing of the kind. */
  readonly since?: EpochMs;
}

/** A finding with the rule (or override) it came from. */
export interface Reason extends Finding {
  /** `minimumAge`, `yanked`, `deprecated`, `publisherDowngrade`, `override`, `floor`, `waiver`, … */
  readonly rule: string;
  /** An allow lifted it: it is shown, and no longer counts. By which override's or waiver's id. */
  readonly liftedBy?: string;
  /** The rule only observes: shown, and does not count. */
  readonly observed?: boolean;
  readonly owner?: string;
}

export interface Decision {
  /** What holds: in `observe` never worse than `warn`, the instance's floor apart, which holds there as well. */
  readonly verdict: Verdict;
  /** What would hold if everything were enforced; equals `verdict` outside of `observe`. */
  readonly enforcedVerdict: Verdict;
  /** Most severe first; of a refusal first what refuses, then what only observes; at the end what was lifted. */
  readonly reasons: readonly Reason[];
  /** When time alone may change the verdict; null: never. */
  readonly horizon: EpochMs | null;
}

/** One rule, the setting that it went by, and what it was told of the file. */
export interface Examined {
  readonly rule: string;
  /** As the policy has it, in words: `10 days`, `deny`. */
  readonly setting: string;
  readonly facts: readonly ExaminedFact[];
}

export interface ExaminedFact {
  readonly what: string;
  /** At most 300 characters; upstream's words among them. */
  readonly value: string;
}

/** The decisions on one package; each is made when first asked for, and kept. */
export interface Decisions {
  /** null: no such file (404, upstream untouched). */
  artifact(filename: string): Decision | null;
  /**
   * The best of its artifacts' decisions: a release is offered as long as one of its files is; with no
   * artifacts, decided as a release by itself. null: no such version.
   */
  release(version: string): Decision | null;
  /** The earliest horizon over all artifacts. Decides them all. */
  readonly horizon: EpochMs | null;
  /** The end of the earliest-ending allow that was used; null: none. Decides them all. */
  readonly allowedUntil: EpochMs | null;
}

/** True where a decision lets bytes through. */
export function permits(decision: Decision): boolean {
  return decision.verdict === "allow" || decision.verdict === "warn";
}

/**
 * An organisation's policy, compiled for one ecosystem by `resolvePolicy()` in policy/resolve.ts. Opaque outside
 * policy/ but for what is here.
 */
export interface ResolvedPolicy {
  readonly enforcement: "enforce" | "observe";
  readonly artifacts: "proxy" | "upstream";
  /** What `auditFixes` says for this ecosystem; null: off. */
  readonly auditFixes: { readonly minimumAge: DurationMs } | null;
  /**
   * `asOf`: a past instant, at which a file must have been there and old enough beside being let through now. Holds
   * are denials then, since no time lifts them; an instant that is not past is now.
   */
  decide(facts: PackageFacts, joined: Joined, now: EpochMs, asOf?: EpochMs): Decisions;
  /**
   * The instants at which time alone changed, or will change, what `decide` says as of them; unsorted, with
   * duplicates. `undefined` is a point at which the caller may pause.
   */
  changes(facts: PackageFacts, joined: Joined, now: EpochMs): Iterable<EpochMs | undefined>;
  /** What each rule looks at of a file that `facts` lists, for people; null: there is no such file. */
  examine(facts: PackageFacts, joined: Joined, now: EpochMs, filename: string): readonly Examined[] | null;
  /** The earliest instant that a package is frozen at, and when the first such freeze ends; null: it is not. */
  frozenAt(name: string, now: EpochMs): { readonly at: EpochMs; readonly until: EpochMs | null } | null;
}

/**
 * An exception that ends: granted by an approver, or an audit fix that was served. For one version or a range of them;
 * lifts holds unless it says otherwise, and never what the instance's floor denies.
 */
export interface Waiver {
  readonly id: string;
  readonly ecosystem: string;
  /** Registry-exact. */
  readonly name: string;
  /** Exact; null: those in `range`. */
  readonly version: string | null;
  /** A VERS range in this ecosystem's versions; absent: `version` says which. One that cannot be read covers nothing. */
  readonly range?: string | null;
  /** As an override's, but that a broader denial or a freeze need not be broader; absent or null: holds alone. */
  readonly lifts?: readonly Liftable[] | null;
  readonly reason: string;
  /** Who granted it; of an audit fix, whose install it was. */
  readonly owner: string;
  readonly createdAt: EpochMs;
  readonly until: EpochMs;
  /** `until` is when what it was granted for matures, as was reckoned then. */
  readonly endsMature?: boolean;
  readonly kind: "audit-fix" | "granted";
  /** Who asked for it; absent: it was granted unasked. */
  readonly askedBy?: string | null;
  readonly ticket?: string | null;
}

/** A package held at what it was: what came later is withheld. */
export interface Freeze {
  readonly id: string;
  readonly ecosystem: string;
  /** Registry-exact. */
  readonly name: string;
  /** What was published later is withheld. */
  readonly at: EpochMs;
  readonly reason: string | null;
  readonly owner: string | null;
  /** null: until it is lifted. */
  readonly until: EpochMs | null;
}
