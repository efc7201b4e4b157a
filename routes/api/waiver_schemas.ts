/** Waivers and requests for them, as the API shows them. */
import * as z from "zod";
import type { WaiverOutlook } from "../../ecosystems/why.ts";
import { LIFTABLE } from "../../policy/documents.ts";
import type { Waiver } from "../../policy/types.ts";
import type { PastWaiver, WaiverRequest, WaiverUse } from "../../storage/waivers.ts";
import { instant, instantText } from "./schemas.ts";

export const lifts = z.array(z.enum(LIFTABLE));

export const waiver = z.object({
  id: z.string(),
  ecosystem: z.string(),
  name: z.string(),
  version: z.string().nullable().meta({ description: "null: those in range" }),
  range: z.string().nullable().meta({ description: "A VERS range" }),
  lifts: lifts.nullable().meta({ description: "null: holds alone" }),
  reason: z.string(),
  ticket: z.string().nullable(),
  owner: z.string().meta({ description: "Who granted it" }),
  askedBy: z.string().nullable(),
  createdAt: instant,
  until: instant,
  endsMature: z.boolean().meta({ description: "until is when what it was granted for matures" }),
  kind: z.enum(["audit-fix", "granted"]),
}).meta({ id: "Waiver" });

export const usedWaiver = waiver.extend({
  purl: z.string(),
  uses: z.number().int().meta({ description: "Files that were served thanks to it" }),
  lastUsedAt: instant.nullable(),
}).meta({ id: "UsedWaiver" });

export const pastWaiver = usedWaiver.extend({
  endedAt: instant,
  revokedBy: z.string().nullable().meta({ description: "null: it ended by itself" }),
}).meta({ id: "PastWaiver" });

const outlook = z.object({
  covered: z.number().int().meta({ description: "Releases that there are of it now" }),
  refused: z.number().int(),
  named: z.array(z.object({
    version: z.string(),
    verdict: z.enum(["allow", "warn", "hold", "deny"]),
    sentence: z.string(),
    until: instant.nullable(),
  })).meta({ description: "The newest that are refused, at most 20" }),
  maturesAt: instant.nullable().meta({ description: "When the last hold lifts by itself; null: none does" }),
  lifts: lifts.nullable().meta({ description: "What a waiver must name to lift all of it; null: nothing" }),
  isLiftable: z.boolean(),
});

export const waiverRequest = z.object({
  id: z.string(),
  purl: z.string(),
  ecosystem: z.string(),
  name: z.string(),
  version: z.string().nullable(),
  range: z.string().nullable(),
  reason: z.string(),
  ticket: z.string().nullable(),
  until: instant.nullable().meta({ description: "null: until it matures" }),
  askedBy: z.string().nullable(),
  isVerified: z.boolean().meta({ description: "false: the name is what they said" }),
  address: z.string(),
  askedAt: instant,
  lapsesAt: instant,
  decisionId: z.string().nullable(),
  answer: z.object({
    granted: z.boolean(),
    by: z.string(),
    at: instant,
    word: z.string().nullable(),
    waiver: z.object({ id: z.string(), until: instant }).nullable(),
  }).nullable().meta({ description: "null: it is open" }),
  outlook: outlook.nullable().meta({
    description: "What stands against it now, of an open one; null: nothing is known",
  }),
}).meta({ id: "WaiverRequest" });

export function shownWaiver(each: Waiver): z.input<typeof waiver> {
  const { range = null, lifts = null, ticket = null, askedBy = null, endsMature = false } = each;
  return {
    ...each,
    range,
    lifts: lifts === null ? null : [...lifts],
    ticket,
    askedBy,
    endsMature,
    createdAt: instantText(each.createdAt),
    until: instantText(each.until),
  };
}

/** What the audit trail says of a waiver; who granted it and when stands beside it there. */
export function toldWaiver({ id, range, reason, ticket, lifts, askedBy, until, endsMature }: Waiver) {
  return {
    id,
    reason,
    ticket,
    range,
    lifts,
    "asked for by": askedBy,
    ends: `${instantText(until)}${endsMature === true ? ", as the release matures" : ""}`,
  };
}

export function shownUse({ count, lastAt }: WaiverUse) {
  return { uses: count, lastUsedAt: instantText(lastAt) };
}

export function shownPast({ waiver, endedAt, revokedBy }: PastWaiver) {
  return { ...shownWaiver(waiver), endedAt: instantText(endedAt), revokedBy };
}

export function shownRequest(
  request: WaiverRequest,
  also: { readonly purl: string; readonly outlook: WaiverOutlook | null },
): z.input<typeof waiverRequest> {
  const { asker, answer } = request;
  return {
    ...request,
    purl: also.purl,
    until: instantText(request.until),
    askedBy: asker.user,
    isVerified: asker.isVerified,
    address: asker.address,
    askedAt: instantText(request.askedAt),
    lapsesAt: instantText(request.lapsesAt),
    answer: answer === null ? null : {
      ...answer,
      at: instantText(answer.at),
      waiver: answer.waiver === null
        ? null
        : { id: answer.waiver.id, until: instantText(answer.waiver.until) },
    },
    outlook: shownOutlook(also.outlook),
  };
}

function shownOutlook(outlook: WaiverOutlook | null): z.input<typeof waiverRequest>["outlook"] {
  if (outlook === null) return null;
  const { named, maturesAt, lifts } = outlook;
  return {
    ...outlook,
    named: named.map((each) => ({ ...each, until: instantText(each.until) })),
    maturesAt: instantText(maturesAt),
    lifts: lifts === null ? null : [...lifts],
  };
}
