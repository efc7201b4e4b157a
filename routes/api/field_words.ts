/** What is wrong with a field, in our own words: what was expected there, and what was there instead. */
import type * as z from "zod";

/** For zod's `error`: asked wherever a schema has no words of its own. */
export function expectedWords(issue: z.core.$ZodRawIssue): string {
  const expected = expectedOf(issue);
  return issue.input === undefined ? `missing: expected ${expected}` : notWords(expected, issue);
}

/** A schema's own words (`at most 500 characters`), with the value beside them; of what is custom they are the whole. */
export function ownWords(issue: z.core.$ZodIssue): string {
  const { code, message, input } = issue;
  const isWhole = code === "custom" || /^(?:missing: )?expected /.test(message);
  if (isWhole || input === undefined || input === "") return message;
  return notWords(message, issue);
}

interface At {
  readonly path?: readonly PropertyKey[] | undefined;
  readonly input?: unknown;
}

function notWords(expected: string, { path = [], input }: At): string {
  return SECRET.test(String(path.at(-1) ?? ""))
    ? `expected ${expected}`
    : `expected ${expected}, not ${quoted(input)}`;
}

/** WARNING: whoever mistypes a secret does not want to read it in a log of their answers. */
const SECRET = /secret|token|password|credential/i;
const LONGEST = 60;

/** As JSON has it, cut; what has parts by its kind. */
export function quoted(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value);
  }
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};
const UNITS: Readonly<Record<string, string>> = { string: " characters", array: " entries" };

function expectedOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return KINDS[issue.expected as string] ?? String(issue.expected);
    case "invalid_value":
      return valuesOf(issue.values as readonly unknown[]);
    case "too_big":
      return `at most ${issue.maximum}${UNITS[issue.origin as string] ?? ""}`;
    case "too_small":
      return `at least ${issue.minimum}${UNITS[issue.origin as string] ?? ""}`;
    case "invalid_format":
      return `text of another form (${issue.format})`;
    case "invalid_union":
      return unionOf(issue.errors as readonly (readonly z.core.$ZodIssue[])[]);
    default:
      return "something else";
  }
}

/** zod has eleven spellings of what is yes or no. */
function valuesOf(values: readonly unknown[]): string {
  if (values.includes("true") && values.includes("false")) return "true or false";
  const all = values.map((value) => JSON.stringify(value));
  return all.length === 1 ? all[0]! : `one of ${all.join(", ")}`;
}

function unionOf(branches: readonly (readonly z.core.$ZodIssue[])[]): string {
  const each = branches.flatMap(([first]) =>
    /^(?:missing: )?expected (.*?)(?:, not .*)?$/.exec(first?.message ?? "")?.[1] ?? []
  );
  return each.length === 0 ? "something else" : [...new Set(each)].join(" or ");
}
