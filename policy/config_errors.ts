/** From a schema's issues to mistakes a person can act upon: where, what stood there, what was expected. */
import type { z } from "zod";

/** One mistake in a document. */
export interface PolicyError {
  /** `overrides[3].purl`; `""` is the document itself. */
  readonly path: string;
  /** What stood there, as JSON, at most 120 characters; `nothing`; or `(secret)`. */
  readonly value: string;
  readonly expected: string;
}

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

const LONGEST_VALUE = 120;

/** Every mistake that the issues speak of, in the order of the document, each once. */
export function toPolicyErrors(issues: readonly Issue[], input: unknown): PolicyError[] {
  const errors = issues.flatMap((issue) => readIssue(issue, [], input));
  const seen = new Map(errors.map((error) => [`${error.path}\n${error.expected}`, error]));
  return [...seen.values()];
}

/** `overrides[3].until: "tomorrow": expected a date …`. */
export function formatPolicyError(error: PolicyError): string {
  return `${error.path === "" ? "document" : error.path}: ${error.value}: expected ${error.expected}`;
}

/** A mistake at a place of the document; its value is looked up and quoted. */
export function errorAt(path: Path, expected: string, input: unknown): PolicyError {
  return { path: writePath(path), value: quote(valueAt(input, path), path), expected };
}

function readIssue(issue: Issue, prefix: Path, input: unknown): PolicyError[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => errorAt([...path, key], issue.message, input));
  }
  if (issue.code !== "invalid_union") return [errorAt(path, issue.message, input)];
  const branch = chooseBranch(issue.errors, valueAt(input, path));
  if (branch === null) return [errorAt(path, issue.message, input)];
  return branch.flatMap((inner) => readIssue(inner, path, input));
}

/** The alternative that was meant: the one whose kind of value this is, and that has the least wrong with it. */
function chooseBranch(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] | null {
  const meant = branches.filter((branch) =>
    branch.length > 0 && !branch.some((issue) => issue.path.length === 0 && isWrongKind(issue))
  );
  const isObject = typeof value === "object" && value !== null;
  const candidates = isObject || meant.length === 1 ? meant : [];
  return candidates.reduce<readonly Issue[] | null>(
    (best, branch) => best === null || weigh(branch) < weigh(best) ? branch : best,
    null,
  );
}

function isWrongKind(issue: Issue): boolean {
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

/** An unknown key weighs as much as each mistake in a value: `{ "npm/axios": 3 }` is a pair, not an object. */
function weigh(branch: readonly Issue[]): number {
  return branch.reduce(
    (sum, issue) => sum + (issue.code === "unrecognized_keys" ? 1 + issue.keys.length : 1),
    0,
  );
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function quote(value: unknown, path: Path): string {
  if (value === undefined) return "nothing";
  if (isSecret(value, path)) return "(secret)";
  if (path.length === 0) {
    return `a value of type ${value === null ? "null" : Array.isArray(value) ? "list" : typeof value}`;
  }
  const json = JSON.stringify(value) ?? String(value);
  return json.length <= LONGEST_VALUE ? json : `${json.slice(0, LONGEST_VALUE - 1).toWellFormed()}…`;
}

/** A webhook's address, wherever it was put: under a mistyped key too. */
function isSecret(value: unknown, path: Path): boolean {
  const shown = path[0] !== "webhooks" || ["format", "events", "id"].includes(String(path[2]));
  return !shown || (JSON.stringify(value) ?? "").includes("://");
}

function writePath(path: Path): string {
  return path.reduce<string>((written, key) => {
    if (typeof key === "number") return `${written}[${key}]`;
    const name = String(key);
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)) return `${written}[${JSON.stringify(name)}]`;
    return written === "" ? name : `${written}.${name}`;
  }, "");
}
