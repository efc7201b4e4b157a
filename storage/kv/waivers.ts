/** An organisation's waivers: exceptions that end by themselves. */
import type { Waiver } from "../../policy/types.ts";
import { boundedText, type EntryKind } from "./held_entries.ts";
import { keys } from "./keys.ts";

/** Of one organisation, ended ones aside. */
export const MAX_WAIVERS = 10_000;

interface WaiverRecord {
  readonly v: 1;
  readonly waiver: Waiver;
}

export const WAIVERS: EntryKind<Waiver, WaiverRecord> = {
  what: "waiver",
  max: MAX_WAIVERS,
  all: ({ id, life }) => keys.waivers(id, life),
  one: ({ id, life }, waiver) => keys.waiver(id, life, waiver),
  count: ({ id, life }) => keys.waiverCount(id, life),
  toRecord: (waiver) => ({
    v: 1,
    waiver: { ...waiver, reason: boundedText(waiver.reason), owner: boundedText(waiver.owner) },
  }),
  fromRecord: ({ waiver }) => waiver,
};
