/** Pieces that the API's schemas share: instants, durations, cursors, names. */
import * as z from "zod";
import type { EpochMs } from "../../policy/types.ts";

/** RFC 3339 in an answer, UTC. */
export const instant = z.iso.datetime({ offset: true }).meta({ description: "RFC 3339" });

/** RFC 3339, or a day, of which the start in UTC is meant; becomes EpochMs. */
export const givenInstant = z.string().meta({
  description: "RFC 3339, or a day in UTC",
  pattern: "^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}(:\\d{2}(\\.\\d+)?)?(Z|[+-]\\d{2}:\\d{2}))?$",
  examples: ["2026-11-01", "2026-11-01T12:00:00Z"],
}).transform(
  (text, context): EpochMs => {
    const day = /^\d{4}-\d\d-\d\d$/.test(text);
    const full = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i.test(text);
    const at = day || full ? Date.parse(text) : NaN;
    // Date.parse turns the 31st of February into March.
    if (Number.isFinite(at) && (!day || new Date(at).toISOString().startsWith(text))) return at as EpochMs;
    context.addIssue({
      code: "custom",
      message: `${JSON.stringify(text)} is neither a date (2026-11-01) nor an instant (2026-11-01T12:00:00Z)`,
    });
    return z.NEVER;
  },
);

/** For an answer: RFC 3339 to the millisecond; null stays null. */
export function instantText(at: number): string;
export function instantText(at: number | null): string | null;
export function instantText(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** Rows at most, of a page. */
export function limit(most: number, usual: number, least: 0 | 1 = 1) {
  return z.string().regex(/^\d{1,6}$/, "a whole number").transform(Number).pipe(
    z.number().int().min(least, `${least} or more`).max(most, `at most ${most}`),
  ).default(usual).meta({ description: `Rows at most: ${least} to ${most}` });
}

/** What a page's `next` said; opaque. */
export const cursor = z.string().regex(/^[A-Za-z0-9_-]{1,1024}$/, "what an answer's next said").optional();

/** Where the next page begins; null: this was the last. */
export const next = z.string().nullable().meta({
  description: "The next page's cursor; null: there is none",
});

export function toCursor(value: unknown): string {
  return new TextEncoder().encode(JSON.stringify(value)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}

/** null: nobody of ours wrote it. */
export function fromCursor(text: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(text, { alphabet: "base64url" })));
  } catch {
    return null;
  }
}
