/** An organisation's freezes: packages held at what they were. */
import type { Freeze } from "../../policy/types.ts";
import { boundedText, type EntryKind } from "./held_entries.ts";
import { keys } from "./keys.ts";

/** Of one organisation, ended ones aside. */
export const MAX_FREEZES = 5_000;

interface FreezeRecord {
  readonly v: 1;
  readonly freeze: Freeze;
}

export const FREEZES: EntryKind<Freeze, FreezeRecord> = {
  what: "freeze",
  max: MAX_FREEZES,
  all: ({ id, life }) => keys.freezes(id, life),
  one: ({ id, life }, freeze) => keys.freeze(id, life, freeze),
  count: ({ id, life }) => keys.freezeCount(id, life),
  toRecord: (freeze) => ({
    v: 1,
    freeze: {
      ...freeze,
      reason: freeze.reason === null ? null : boundedText(freeze.reason),
      owner: freeze.owner === null ? null : boundedText(freeze.owner),
    },
  }),
  fromRecord: ({ freeze }) => freeze,
};
