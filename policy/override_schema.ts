/** How overrides and the short forms of block and allow lists are written; each is read into Override. */
import { z } from "zod";
import { LIFTABLE, type Liftable, type Override } from "./documents.ts";
import { INSTANT_FORM, parseInstant } from "./instant.ts";
import {
  ENTRY_FORM,
  parsePair,
  parsePurlPattern,
  parseShortForm,
  type Pattern,
  PURL_FORM,
} from "./pattern.ts";
import { parseRangeSyntax } from "./range.ts";
import { choice, listOf, strict, text } from "./schema_parts.ts";
import type { EpochMs } from "./types.ts";

/** Says what is wrong with a purl type, or null: it is known. */
export type TypeCheck = (type: string) => string | null;

/** An override before its effect is known. */
export type Entry = Omit<Override, "effect" | "id"> & { readonly id: string | null };

/** An override's fields, as the schema hands them on. */
interface Written {
  readonly purl: string;
  readonly range?: string | undefined;
  readonly reason?: string | undefined;
  readonly owner?: string | undefined;
  readonly until?: EpochMs | undefined;
  readonly id?: string | undefined;
  readonly lifts?: readonly Liftable[] | undefined;
}

function entryFields(check: TypeCheck) {
  return {
    // Here, so that it is told beside what is wrong with the other fields.
    purl: text(512, PURL_FORM).superRefine((written, context) => {
      const problem = purlProblem(written, check);
      if (problem !== null) context.addIssue({ code: "custom", message: problem, input: written });
    }),
    range: text(4_096, "a VERS range").optional(),
    reason: text(1_000, "a reason, at most 1000 characters").optional(),
    owner: text(200, "an owner, at most 200 characters").optional(),
    until: text(40, INSTANT_FORM).transform((written, context) => {
      const instant = parseInstant(written);
      if (instant === null) context.addIssue({ code: "custom", message: INSTANT_FORM, input: written });
      return instant ?? z.NEVER;
    }).optional(),
    id: text(100, "an id, at most 100 characters").optional(),
  };
}

function liftsField() {
  return listOf(choice(LIFTABLE), "a list of what it lifts").optional();
}

/** One element of `overrides`. */
export function overrideSchema(check: TypeCheck) {
  return strict({ effect: choice(["allow", "deny"]), ...entryFields(check), lifts: liftsField() })
    .transform((written, context): Override => {
      const entry = readEntry(written, context);
      return entry === null ? z.NEVER : withEffect(entry, written.effect);
    });
}

/** `block`, `allow` and the floor's `deny`: a list of short forms and objects, or a map from name to versions. */
export function entryListSchema(check: TypeCheck, effect: "allow" | "deny") {
  const form = `a list of ${ENTRY_FORM}`;
  const fields = effect === "allow" ? { ...entryFields(check), lifts: liftsField() } : entryFields(check);
  const whole = strict(fields).transform((written, context): Entry[] => {
    const entry = readEntry(written, context);
    return entry === null ? [] : [entry];
  });
  const entry = z.union([shortForm(check), whole, pairs(check)], { error: ENTRY_FORM });
  const list = listOf(entry, form).transform((entries) => entries.flat());
  return z.union([list, pairs(check)], { error: form })
    .transform((entries) => entries.map((each) => withEffect(each, effect)));
}

function shortForm(check: TypeCheck) {
  return text(512, ENTRY_FORM).transform((written, context) =>
    finish({ pattern: parseShortForm(written), written, check, context, path: [] })
  );
}

/** `{ "npm/axios": ["0.30.4"], "pypi/base-x-64": "ALL" }`; as an element of a list it names at least one. */
function pairs(check: TypeCheck) {
  const versions = z.union([text(4_096, "a version, or ALL"), listOf(text(4_096, "a version"), "versions")], {
    error: 'a version, a list of versions, or "ALL"',
  });
  return z.record(z.string().regex(/\//), versions, { error: ENTRY_FORM }).transform((written, context) =>
    Object.entries(written).flatMap(([name, value]) =>
      [value].flat().flatMap((version) =>
        finish({ pattern: parsePair(name, version), written: version, check, context, path: [name] })
      )
    )
  );
}

function finish(
  options: {
    readonly pattern: Pattern | null;
    readonly written: string;
    readonly check: TypeCheck;
    readonly context: z.RefinementCtx;
    readonly path: readonly string[];
  },
): Entry[] {
  const { pattern, written, check, context, path } = options;
  const problem = pattern === null ? ENTRY_FORM : check(pattern.type) ?? rangeProblem(pattern);
  if (problem === null && pattern !== null) return [toEntry(pattern, {})];
  context.addIssue({ code: "custom", message: problem ?? ENTRY_FORM, input: written, path: [...path] });
  return [];
}

function purlProblem(written: string, check: TypeCheck): string | null {
  const pattern = patternOf(written);
  return pattern === null ? PURL_FORM : check(pattern.type);
}

function patternOf(purl: string): Pattern | null {
  return parsePurlPattern(purl) ?? parseShortForm(purl);
}

function readEntry(written: Written, context: z.RefinementCtx): Entry | null {
  const pattern = patternOf(written.purl);
  const complain = (field: "purl" | "range", message: string) => {
    context.addIssue({ code: "custom", message, input: written[field], path: [field] });
    return null;
  };
  // Its own field has said so.
  if (pattern === null) return null;
  if (written.range === undefined) {
    const problem = rangeProblem(pattern);
    return problem === null ? toEntry(pattern, written) : complain("purl", problem);
  }
  if (pattern.version !== null || pattern.range !== null) {
    return complain("range", "a purl without version where a range is given");
  }
  const ranged = { ...pattern, range: written.range };
  const problem = rangeProblem(ranged);
  return problem === null ? toEntry(ranged, written) : complain("range", problem);
}

/** Whether its versions are sorted is seen when the policy is resolved for the ecosystem. */
function rangeProblem(pattern: Pattern): string | null {
  if (pattern.range === null) return null;
  try {
    const { type } = parseRangeSyntax(pattern.range);
    return type === pattern.type ? null : `a range of the purl's own type, "vers:${pattern.type}/…"`;
  } catch (error) {
    if (error instanceof SyntaxError) return `a VERS range (${error.message})`;
    throw error;
  }
}

function toEntry(pattern: Pattern, written: Partial<Written>): Entry {
  return {
    id: written.id ?? null,
    ...pattern,
    lifts: written.lifts ?? null,
    reason: written.reason ?? null,
    owner: written.owner ?? null,
    until: written.until ?? null,
  };
}

function withEffect(entry: Entry, effect: "allow" | "deny"): Override {
  const which = entry.range ?? entry.version;
  const id = entry.id ?? `${effect} ${entry.type}/${entry.name}${which === null ? "" : `==${which}`}`;
  return { ...entry, id, effect };
}
