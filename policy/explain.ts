/** A decision in words: the sentence on a developer's terminal, and the address that can be read as it stands. */
import { compareVerdicts, lastEnd } from "./decision.ts";
import { formatDate, formatInstant, formatInstantUp } from "./instant.ts";
import {
  type Decision,
  type Decisions,
  type EpochMs,
  type PackageFacts,
  permits,
  type Reason,
  type Verdict,
  type VersionScheme,
} from "./types.ts";

export interface Description {
  /** The reason that counts most. */
  readonly reason: Reason;
  /** One line of printable ASCII, at most about 700 characters. */
  readonly sentence: string;
  /** What the reason is reckoned from: publication, or first sight. */
  readonly since: EpochMs | null;
  /** When time alone lifts it; null: it does not. */
  readonly until: EpochMs | null;
}

const NOTHING: Reason = {
  rule: "policy",
  verdict: "allow",
  message: "nothing speaks against it",
  horizon: null,
};
const LONGEST_MESSAGE = 300;
const LONGEST_NAME = 150;

/** Says what was decided on a version (or one of its files), why, until when, and what may be had instead. */
export function describe(
  options: {
    readonly decision: Decision;
    readonly name: string;
    readonly version: string;
    /** null: no release is allowed. */
    readonly newestAllowed: string | null;
    readonly now: EpochMs;
  },
): Description {
  const { decision, newestAllowed, now } = options;
  const reason = mainReason(decision);
  const until = endOf(decision, now);
  const subject = `${ascii(options.name, LONGEST_NAME)} ${ascii(options.version, LONGEST_NAME)}`;
  const why = reason === NOTHING ? "" : `: ${whyOf(reason)}`;
  const instead = newestAllowed === null
    ? "No release is allowed."
    : `Newest allowed: ${ascii(newestAllowed, LONGEST_NAME)}.`;
  return {
    reason,
    sentence: `${subject} ${verb(decision)}${ending(until)}${why}.${permits(decision) ? "" : ` ${instead}`}`,
    since: reason.since ?? null,
    until,
  };
}

/** Says of a version that a waiver lets it through, and what would stand against it else. One line of printable ASCII. */
export function describeWaived(waived: {
  readonly name: string;
  readonly version: string;
  readonly until: EpochMs;
  /** What was lifted. */
  readonly reasons: readonly Reason[];
}): string {
  const subject = `${ascii(waived.name, LONGEST_NAME)} ${ascii(waived.version, LONGEST_NAME)}`;
  const without = waived.reasons.slice(0, 3).map(({ rule, message }) =>
    `${ascii(message, LONGEST_MESSAGE)} (${ascii(rule, 40)})`
  );
  const until = formatInstant(waived.until);
  return `${subject} is allowed by a waiver until ${until}. Without it: ${without.join("; ")}.`;
}

/** The newest version that is let through: the greatest stable one, else the greatest pre-release; null: none. */
export function newestAllowed(
  facts: PackageFacts,
  decisions: Decisions,
  versions: VersionScheme,
): string | null {
  let prerelease: string | null = null;
  for (const { version } of facts.releases.toReversed()) {
    const isPrerelease = versions.isPrerelease(version) || !versions.isValid(version);
    if (isPrerelease && prerelease !== null) continue;
    const decision = decisions.release(version);
    if (decision === null || !permits(decision)) continue;
    if (!isPrerelease) return version;
    prerelease = version;
  }
  return prerelease;
}

/** A path segment that says it all: `held-by-minimumAge-until-2026-12-01`, `denied-by-yanked`; `[A-Za-z0-9-]` only. */
export function speakingSegment(decision: Decision): string {
  const reason = mainReason(decision);
  const verdict = speakingVerdict(decision);
  if (compareVerdicts(verdict, "warn") <= 0) return "allowed";
  const would = permits(decision) ? "would-be-" : "";
  const until = endOf(decision, null);
  const end = until === null ? "" : `-until-${formatDate(until)}`;
  return `${would}${verdict === "hold" ? "held" : "denied"}-by-${reason.rule}${end}`.replace(
    /[^A-Za-z0-9-]/g,
    "-",
  );
}

/** What is spoken of: what holds, or, where everything is let through, what would. */
function speakingVerdict(decision: Decision): Verdict {
  return permits(decision) ? decision.enforcedVerdict : decision.verdict;
}

function mainReason(decision: Decision): Reason {
  const standing = decision.reasons.filter(({ liftedBy }) => liftedBy === undefined);
  const refused = !permits(decision);
  const counting = standing.filter(({ observed }) => !refused || observed !== true);
  return counting.find(({ verdict }) => verdict === speakingVerdict(decision)) ?? standing[0] ??
    decision.reasons[0] ?? NOTHING;
}

/** When the last of what blocks it ends; null: never, or nothing does. */
function endOf(decision: Decision, now: EpochMs | null): EpochMs | null {
  const refused = !permits(decision);
  const blocking = decision.reasons.filter(({ liftedBy, observed, verdict }) =>
    liftedBy === undefined && (!refused || observed !== true) && compareVerdicts(verdict, "warn") > 0
  );
  const end = lastEnd(blocking.map(({ horizon }) => horizon));
  return end !== null && now !== null && end <= now ? null : end;
}

function whyOf(reason: Reason): string {
  const finding = `${ascii(reason.message, LONGEST_MESSAGE)} (${ascii(reason.rule, 40)})`;
  return reason.liftedBy === undefined ? finding : `${finding}, lifted by ${ascii(reason.liftedBy, 100)}`;
}

function verb(decision: Decision): string {
  const would = permits(decision) ? "would be" : "is";
  switch (speakingVerdict(decision)) {
    case "hold":
      return `${would} held`;
    case "deny":
      return `${would} denied`;
    case "warn":
      return "is allowed with a warning";
    case "allow":
      return "is allowed";
  }
}

function ending(until: EpochMs | null): string {
  return until === null ? "" : ` until ${formatInstantUp(until)}`;
}

/** Upstream's words and names: one line of printable ASCII, bounded. WARNING: it goes into headers and terminals. */
function ascii(text: string, longest: number): string {
  const plain = text.slice(0, 4 * longest).normalize("NFKD").replace(/\p{M}+/gu, "").replace(/\s+/g, " ")
    .replace(/[^\x20-\x7e]+/gu, "?").trim();
  return plain.length <= longest ? plain : `${plain.slice(0, longest - 3)}...`;
}
