/** What the endpoints of waivers and of requests for them share: what they work with, and fields. */
import * as z from "zod";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import type { OutlookQuery, WaiverOutlook } from "../../ecosystems/why.ts";
import { formatPurl } from "../../ecosystems/_shared/purl.ts";
import type { EpochMs, Waiver } from "../../policy/types.ts";
import type { Organisations } from "../../storage/kv/organisation_types.ts";
import type { WaiverUses } from "../../storage/kv/waiver_uses.ts";
import type { Clock } from "../../storage/runtime.ts";
import type { WaiverRequests } from "../../storage/waivers.ts";
import type { WaiverDesk, WaiverSubject } from "../waivers/types.ts";
import { wrongField } from "./error.ts";
import { namedPackage } from "./purl_field.ts";
import { cursor, fromCursor, givenInstant, limit } from "./schemas.ts";

export const AREA = "Waivers";

export interface WaiverApiDeps {
  readonly desk: WaiverDesk;
  readonly requests: WaiverRequests;
  readonly organisations: Pick<Organisations, "pastWaivers">;
  readonly uses: Pick<WaiverUses, "read">;
  readonly ecosystems: readonly Ecosystem[];
  readonly outlook: (query: OutlookQuery) => Promise<WaiverOutlook | null>;
  readonly clock: Clock;
}

const VISIBLE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u;
/** Which releases. */
export const purl = z.string().max(1_024, "at most 1,024 characters").meta({
  description: "pkg:npm/left-pad@1.3.1; without a version where range says which",
});
/** Instead of a version in the purl. */
export const range = z.string().max(4_096, "at most 4,096 characters").optional().meta({
  description: "A VERS range instead of a version: vers:npm/>=1.3.0|<2.0.0",
});
/** Why, in a person's words. */
export const reason = z.string().trim().min(1, "say why").max(1_000, "at most 1,000 characters");
/** Where the work is described. */
export const ticket = z.string().trim().max(200, "at most 200 characters").regex(VISIBLE, "one line of text")
  .optional();
/** What is said to the asker with an answer. */
export const word = z.string().trim().max(1_000, "at most 1,000 characters").optional().meta({
  description: "For the asker",
});
/** An instant, or until it matures. */
export const until = z.union([z.literal("mature"), givenInstant]).optional();
/** Of what is listed in pages. */
export const page = { limit: limit(100, 50), cursor };

/** Throws ApiError, which names the field. */
export function subjectOf(
  { ecosystems }: WaiverApiDeps,
  body: { readonly purl: string; readonly range?: string | undefined },
): WaiverSubject {
  const named = namedPackage(ecosystems, body.purl, "body.purl");
  if (named.version === null && body.range === undefined) {
    throw wrongField("body.purl", "Name a version (pkg:npm/left-pad@1.3.1), or say range");
  }
  if (named.version !== null && body.range !== undefined) {
    throw wrongField("body.range", "The purl names a version already: leave one of them away");
  }
  return { ...named, range: body.range ?? null };
}

/** null: until it matures. */
export function endOf(until: "mature" | EpochMs | undefined): EpochMs | null {
  return until === undefined || until === "mature" ? null : until;
}

/** What a page's `next` said; throws ApiError. */
export function afterOf(text: string | undefined): string | undefined {
  const after = text === undefined ? undefined : fromCursor(text);
  if (after === undefined || typeof after === "string") return after;
  throw wrongField("query.cursor", "This is no cursor of ours");
}

/** As people write it; without a version where it is a range. */
export function purlOf(
  { ecosystems }: WaiverApiDeps,
  of: Pick<Waiver, "ecosystem" | "name" | "version">,
): string {
  const type = ecosystems.find(({ id }) => id === of.ecosystem)?.purlType ?? of.ecosystem;
  return formatPurl({ type, name: of.name, version: of.version });
}
