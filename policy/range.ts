/** VERS ranges (`vers:npm/>=1.2.3|<2.0.0`), read strictly: the package-url project's VERS specification. */
import type { VersionScheme } from "./types.ts";

export type Comparator = "=" | "!=" | "<" | "<=" | ">" | ">=";

export interface Constraint {
  readonly comparator: Comparator;
  readonly version: string;
}

/** A range whose form was checked; that its versions are sorted and unique only a version scheme can tell. */
export interface RangeSyntax {
  /** The purl type whose versions it compares. */
  readonly type: string;
  /** Empty: `*`, every version. */
  readonly constraints: readonly Constraint[];
}

/** A range over one ecosystem's versions. */
export interface Range {
  contains(version: string): boolean;
}

/** What a range must look like, for messages. */
export const RANGE_FORM = 'a VERS range such as "vers:npm/>=1.0.0|<2.0.0" or "vers:npm/*"';

const FORM = /^vers:([a-z][a-z0-9.+-]*)\/(.+)$/;
const CONSTRAINT = /^(>=|<=|!=|>|<|=)?([^<>=!|*\s]+)$/;

/** Checks a range's form; throws SyntaxError that quotes it. */
export function parseRangeSyntax(text: string): RangeSyntax {
  const match = FORM.exec(text);
  if (match === null) throw new SyntaxError(`Cannot read range "${text}": expected ${RANGE_FORM}`);
  const [, type = "", list = ""] = match;
  if (list === "*") return { type, constraints: [] };
  const constraints = list.split("|").map((part) => parseConstraint(part, text));
  refuseRepeatedDirections(constraints, text);
  return { type, constraints };
}

function parseConstraint(part: string, text: string): Constraint {
  const match = CONSTRAINT.exec(part);
  if (match === null) {
    throw new SyntaxError(`Cannot read range "${text}": "${part}" is not a comparator and a version`);
  }
  const version = decode(match[2] ?? "");
  if (version === null) {
    throw new SyntaxError(`Cannot read range "${text}": "${part}" is not well percent-encoded`);
  }
  return { comparator: (match[1] ?? "=") as Comparator, version };
}

/** Two lower (or two upper) bounds in a row mean different things to different readers. */
function refuseRepeatedDirections(constraints: readonly Constraint[], text: string): void {
  const bounds = constraints.filter(isBound);
  for (const [index, bound] of bounds.entries()) {
    const previous = bounds[index - 1];
    if (previous === undefined || previous.comparator[0] !== bound.comparator[0]) continue;
    throw new SyntaxError(
      `Cannot read range "${text}": "${write(previous)}" and "${write(bound)}" bound the same side twice`,
    );
  }
}

/** Binds a range to its ecosystem's order; throws SyntaxError where versions are unreadable, unsorted or repeated. */
export function compileRange(text: string, scheme: VersionScheme): Range {
  const { constraints } = parseRangeSyntax(text);
  for (const [index, constraint] of constraints.entries()) {
    if (!scheme.isValid(constraint.version)) {
      throw new SyntaxError(`Cannot read range "${text}": "${constraint.version}" is not a version here`);
    }
    const previous = constraints[index - 1];
    if (previous === undefined || scheme.compare(previous.version, constraint.version) < 0) continue;
    throw new SyntaxError(
      `Cannot read range "${text}": "${previous.version}" must sort before "${constraint.version}"`,
    );
  }
  return { contains: containment(constraints, scheme) };
}

/** VERS, "Checking if a version is contained within a range". Constraints are sorted: whoever asks may have written thousands. */
function containment(constraints: readonly Constraint[], scheme: VersionScheme): Range["contains"] {
  if (constraints.length === 0) return () => true;
  const bounds = constraints.filter(isBound);
  // Nothing but exclusions: all that is not excluded is in.
  const isExcluding = constraints.every(({ comparator }) => comparator === "!=");
  return function contains(version) {
    const same = constraints[placeOf(version, constraints, scheme)];
    if (same !== undefined && scheme.compare(version, same.version) === 0) {
      return same.comparator.endsWith("=") && same.comparator !== "!=";
    }
    if (bounds.length === 0) return isExcluding;
    const next = bounds[placeOf(version, bounds, scheme)];
    // Bounds alternate, so the nearest one on either side tells.
    return next === undefined
      ? bounds.at(-1)?.comparator.startsWith(">") ?? false
      : next.comparator.startsWith("<");
  };
}

/** The index of the first that does not sort before the version; their number where there is none. */
function placeOf(version: string, sorted: readonly Constraint[], scheme: VersionScheme): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (scheme.compare(sorted[middle]!.version, version) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBound(constraint: Constraint): boolean {
  return constraint.comparator.startsWith("<") || constraint.comparator.startsWith(">");
}

function write(constraint: Constraint): string {
  return `${constraint.comparator}${constraint.version}`;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
