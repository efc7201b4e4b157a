/** The pieces that the policy's schema is made of; an issue's message is what was expected. */
import { z } from "zod";
import { DURATION_FORM, DURATION_PATTERN, parseDuration } from "./duration.ts";

/** An object that refuses keys it does not know. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => issue.code === "unrecognized_keys" ? `one of the keys ${keys.join(", ")}` : "an object",
  });
}

/** One of a few words. */
export function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `one of ${values.map((value) => `"${value}"`).join(", ")}` });
}

/** A text of at least one and at most `longest` UTF-16 units, without lone surrogates. */
export function text(longest: number, form: string) {
  return z.string({ error: form }).min(1, { error: form }).max(longest, { error: form })
    .refine((value) => value.isWellFormed(), { error: form });
}

export function listOf<Item extends z.ZodType>(item: Item, form: string) {
  return z.array(item, { error: form });
}

export function truth() {
  return z.boolean({ error: "true or false" });
}

/** A duration in milliseconds, written with its unit; the number 0 will do for none. */
export function duration() {
  const written = z.string({ error: DURATION_FORM }).regex(new RegExp(DURATION_PATTERN), {
    error: DURATION_FORM,
  });
  return z.union([written, z.literal(0)], { error: DURATION_FORM }).transform((value, context) => {
    const milliseconds = parseDuration(String(value));
    if (milliseconds === null) context.addIssue({ code: "custom", message: DURATION_FORM, input: value });
    return milliseconds ?? z.NEVER;
  });
}
