/** design.md section 4, a row for each combination. */
import assert from "node:assert/strict";
import { LIFTABLE } from "./documents.ts";
import { epochMs } from "./instant.ts";
import {
  ago,
  at,
  DAY,
  decided,
  type DecideWords,
  HOUR,
  MINUTE,
  NOW,
  packageOf,
  type ReleaseWords,
  waiverOf,
} from "./testing.ts";
import type { Decision, EpochMs, FirstSeen, Freeze, Reason, Verdict } from "./types.ts";

interface Row extends Omit<DecideWords, "facts"> {
  readonly name: string;
  /** Of the package `pkg`; default: 1.0.0, a hundred days old. */
  readonly release?: ReleaseWords;
  readonly releases?: Readonly<Record<string, ReleaseWords>>;
  readonly package?: string;
  /** Default: 1.0.0. */
  readonly version?: string;
  readonly verdict: Verdict;
  /** Default: the verdict. */
  readonly enforced?: Verdict;
  /** `rule verdict`, then `lifted by ID` or `observed`. */
  readonly reasons?: readonly string[];
  readonly horizon?: EpochMs | null;
}

const YOUNG = { published: ago(DAY) };
const OLD_ENOUGH_AT = epochMs(ago(DAY) + 10 * DAY);
const TOMORROW = epochMs(NOW + DAY);
const FILE = "pkg-1.0.0.tgz";

function seen(since: EpochMs, original: boolean): Readonly<Record<string, FirstSeen>> {
  return { [FILE]: { at: since, original } };
}

const AGES: readonly Row[] = [
  { name: "old enough", verdict: "allow", reasons: [], horizon: null },
  {
    name: "too young",
    release: YOUNG,
    verdict: "hold",
    reasons: ["minimumAge hold"],
    horizon: OLD_ENOUGH_AT,
  },
  { name: "exactly old enough", release: { published: ago(10 * DAY) }, verdict: "allow" },
  { name: "a millisecond too young", release: { published: epochMs(ago(10 * DAY) + 1) }, verdict: "hold" },
  { name: "own minimumAge", policy: { minimumAge: "12h" }, release: YOUNG, verdict: "allow" },
  { name: "no minimumAge", policy: { minimumAge: "0" }, release: { published: NOW }, verdict: "allow" },
  {
    name: "ecosystem's minimumAge",
    policy: { ecosystems: { npm: { minimumAge: "12h" } } },
    release: YOUNG,
    verdict: "allow",
  },
  {
    name: "another ecosystem's minimumAge",
    policy: { ecosystems: { pypi: { minimumAge: 0 } } },
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "five minutes ahead is still a date",
    release: { published: epochMs(NOW + 5 * MINUTE) },
    verdict: "hold",
    reasons: ["minimumAge hold"],
    horizon: epochMs(NOW + 5 * MINUTE + 10 * DAY),
  },
  {
    name: "further ahead is malformed: seen now",
    release: { published: epochMs(NOW + 5 * MINUTE + 1) },
    verdict: "hold",
    reasons: ["unknownAge hold"],
    horizon: epochMs(NOW + 1),
  },
  {
    name: "further ahead, original: a warning that ends when the date can be read",
    release: { published: epochMs(NOW + DAY) },
    seen: seen(ago(50 * DAY), true),
    verdict: "warn",
    reasons: ["unknownAge warn"],
    horizon: epochMs(NOW + DAY - 5 * MINUTE),
  },
  {
    name: "further ahead under allow is allowed until the date can be read",
    policy: { unknownAge: "allow" },
    release: { published: epochMs(NOW + DAY) },
    verdict: "allow",
    reasons: ["unknownAge allow"],
    horizon: epochMs(NOW + DAY - 5 * MINUTE),
  },
];

const CLOCKS: readonly Row[] = [
  { name: "registry's clock, first seen later", release: {}, seen: seen(ago(DAY), false), verdict: "allow" },
  {
    name: "publisher's clock, appeared later than it claims",
    release: { clock: "publisher" },
    seen: seen(ago(DAY), false),
    verdict: "hold",
    reasons: ["minimumAge hold"],
    horizon: OLD_ENOUGH_AT,
  },
  {
    name: "publisher's clock, appeared long ago",
    release: { clock: "publisher" },
    seen: seen(ago(20 * DAY), false),
    verdict: "allow",
  },
  {
    name: "publisher's clock, claims to be younger than its appearance",
    release: { clock: "publisher", published: ago(DAY) },
    seen: seen(ago(20 * DAY), false),
    verdict: "hold",
    horizon: OLD_ENOUGH_AT,
  },
  {
    name: "publisher's clock, never seen",
    release: { clock: "publisher" },
    verdict: "hold",
    horizon: epochMs(NOW + 10 * DAY),
  },
  {
    name: "publisher's clock, original: undated",
    release: { clock: "publisher" },
    seen: seen(ago(DAY), true),
    verdict: "warn",
    reasons: ["unknownAge warn"],
  },
  {
    name: "publisher's clock, original, strict",
    policy: { unknownAge: "strict" },
    release: { clock: "publisher" },
    seen: seen(ago(DAY), true),
    verdict: "hold",
    horizon: OLD_ENOUGH_AT,
  },
  {
    name: "publisher's clock, original, deny",
    policy: { unknownAge: "deny" },
    release: { clock: "publisher" },
    seen: seen(ago(DAY), true),
    verdict: "deny",
    reasons: ["unknownAge deny"],
    horizon: null,
  },
  {
    name: "publisher's clock, original, allow",
    policy: { unknownAge: "allow" },
    release: { clock: "publisher" },
    seen: seen(ago(DAY), true),
    verdict: "allow",
    reasons: [],
  },
];

const UNDATED: readonly Row[] = [
  {
    name: "undated first-seen: appeared yesterday",
    verdict: "hold",
    seen: seen(ago(DAY), false),
    reasons: ["unknownAge hold"],
    horizon: OLD_ENOUGH_AT,
  },
  {
    name: "undated first-seen: appeared long ago",
    verdict: "allow",
    seen: seen(ago(11 * DAY), false),
    reasons: [],
  },
  {
    name: "undated first-seen: original",
    verdict: "warn",
    seen: seen(ago(DAY), true),
    reasons: ["unknownAge warn"],
    horizon: null,
  },
  {
    name: "undated first-seen: never seen",
    verdict: "hold",
    reasons: ["unknownAge hold"],
    horizon: epochMs(NOW + 10 * DAY),
  },
  {
    name: "undated first-seen: original, no minimumAge",
    verdict: "allow",
    policy: { minimumAge: 0 },
    seen: seen(ago(DAY), true),
    reasons: [],
  },
  {
    name: "undated strict: appeared yesterday",
    policy: { unknownAge: "strict" },
    verdict: "hold",
    seen: seen(ago(DAY), false),
    horizon: OLD_ENOUGH_AT,
  },
  {
    name: "undated strict: original",
    policy: { unknownAge: "strict" },
    verdict: "hold",
    seen: seen(ago(DAY), true),
    horizon: OLD_ENOUGH_AT,
  },
  {
    name: "undated strict: original long ago",
    policy: { unknownAge: "strict" },
    verdict: "allow",
    seen: seen(ago(11 * DAY), true),
  },
  {
    name: "undated strict: never seen",
    policy: { unknownAge: "strict" },
    verdict: "hold",
    horizon: epochMs(NOW + 10 * DAY),
  },
  {
    name: "undated deny: appeared",
    policy: { unknownAge: "deny" },
    verdict: "deny",
    seen: seen(ago(99 * DAY), false),
    reasons: ["unknownAge deny"],
  },
  {
    name: "undated deny: original",
    policy: { unknownAge: "deny" },
    verdict: "deny",
    seen: seen(ago(99 * DAY), true),
  },
  {
    name: "undated allow: appeared",
    policy: { unknownAge: "allow" },
    verdict: "allow",
    seen: seen(ago(DAY), false),
    reasons: [],
  },
  {
    name: "undated allow: original",
    policy: { unknownAge: "allow" },
    verdict: "allow",
    seen: seen(ago(DAY), true),
    reasons: [],
  },
].map((row): Row => ({ release: { published: null }, ...row } as Row));

const MARKS: readonly Row[] = [
  { name: "yanked", release: { yanked: true }, verdict: "deny", reasons: ["yanked deny"], horizon: null },
  {
    name: "yanked warn",
    policy: { yanked: "warn" },
    release: { yanked: true },
    verdict: "warn",
    reasons: ["yanked warn"],
  },
  {
    name: "yanked allow",
    policy: { yanked: "allow" },
    release: { yanked: true },
    verdict: "allow",
    reasons: [],
  },
  { name: "not yanked", release: { yanked: false }, verdict: "allow" },
  {
    name: "a yank mark that cannot be read",
    release: { yanked: "malformed" },
    verdict: "deny",
    reasons: ["yanked deny"],
  },
  { name: "deprecated, as by default", release: { deprecated: "use other" }, verdict: "allow", reasons: [] },
  {
    name: "deprecated warn",
    policy: { deprecated: "warn" },
    release: { deprecated: "use other" },
    verdict: "warn",
    reasons: ["deprecated warn"],
  },
  {
    name: "deprecated deny",
    policy: { deprecated: "deny" },
    release: { deprecated: "use other" },
    verdict: "deny",
  },
  {
    name: "deprecation taken back with an empty text",
    policy: { deprecated: "deny" },
    release: { deprecated: "" },
    verdict: "allow",
  },
  {
    name: "deprecation false",
    policy: { deprecated: "deny" },
    release: { deprecated: false },
    verdict: "allow",
  },
  {
    name: "yanked and young: the most severe wins",
    release: { ...YOUNG, yanked: true },
    verdict: "deny",
    reasons: ["yanked deny", "minimumAge hold"],
    horizon: null,
  },
];

const ORDER: readonly Row[] = [
  { name: "floor", floor: { deny: ["npm/pkg"] }, verdict: "deny", reasons: ["floor deny"], horizon: null },
  {
    name: "floor over an exact allow",
    floor: { deny: ["npm/pkg"] },
    policy: { allow: ["npm/pkg==1.0.0"] },
    verdict: "deny",
    reasons: ["floor deny", "override allow"],
  },
  {
    name: "floor over an allow that names all it can",
    floor: { deny: ["npm/*"] },
    policy: {
      overrides: [{
        effect: "allow",
        purl: "pkg:npm/pkg@1.0.0",
        lifts: ["override", "freeze", "malware", "minimumAge"],
      }],
    },
    verdict: "deny",
  },
  { name: "floor over a waiver", floor: { deny: ["npm/pkg"] }, waivers: [waiverOf()], verdict: "deny" },
  {
    name: "floor in observe holds all the same",
    floor: { deny: ["npm/pkg"] },
    policy: { enforcement: "observe" },
    verdict: "deny",
    reasons: ["floor deny"],
  },
  {
    name: "floor with an end",
    floor: { deny: [{ purl: "pkg:npm/pkg", until: "2026-11-22T09:00Z" }] },
    verdict: "deny",
    horizon: TOMORROW,
  },
  {
    name: "floor that ended",
    floor: { deny: [{ purl: "pkg:npm/pkg", until: "2026-11-21T09:00Z" }] },
    verdict: "allow",
    reasons: [],
  },
  { name: "block", policy: { block: ["npm/pkg"] }, verdict: "deny", reasons: ["override deny"] },
  {
    name: "exact allow over range block",
    policy: { allow: ["npm/pkg==1.0.0"], block: [{ purl: "pkg:npm/pkg", range: "vers:npm/<2.0.0" }] },
    verdict: "allow",
    reasons: ["override allow", "override deny lifted by allow npm/pkg==1.0.0"],
  },
  {
    name: "exact block over range allow",
    policy: { block: ["npm/pkg==1.0.0"], allow: ["npm/pkg==vers:npm/<2.0.0"] },
    verdict: "deny",
  },
  {
    name: "exact tie: deny wins",
    policy: { allow: ["npm/pkg==1.0.0"], block: ["npm/pkg==1.0.0"] },
    verdict: "deny",
    reasons: ["override deny", "override allow"],
  },
  {
    name: "range allow over package block",
    policy: { allow: ["npm/pkg==vers:npm/>=1.0.0"], block: ["npm/pkg"] },
    verdict: "allow",
  },
  {
    name: "range block over package allow",
    policy: { block: ["npm/pkg==vers:npm/>=1.0.0"], allow: ["npm/pkg"] },
    verdict: "deny",
  },
  {
    name: "range tie: deny wins",
    policy: { block: ["npm/pkg==vers:npm/>=1.0.0"], allow: ["npm/pkg==vers:npm/1.0.0"] },
    verdict: "deny",
  },
  {
    name: "glob of versions ranks with ranges",
    policy: { allow: ["npm/pkg==1.*"], block: ["npm/pkg"] },
    verdict: "allow",
  },
  {
    name: "package allow over glob block",
    policy: { allow: ["npm/pkg"], block: ["npm/*"] },
    verdict: "allow",
  },
  {
    name: "package block over glob allow",
    policy: { block: ["npm/pkg"], allow: ["npm/*"] },
    verdict: "deny",
  },
  { name: "package tie: deny wins", policy: { block: ["npm/pkg"], allow: ["npm/pkg"] }, verdict: "deny" },
  { name: "glob tie: deny wins", policy: { block: ["npm/*"], allow: ["npm/p*"] }, verdict: "deny" },
  {
    name: "glob of names with an exact version is still a glob",
    policy: { allow: [{ purl: "pkg:npm/p*@1.0.0" }], block: ["npm/pkg"] },
    verdict: "deny",
  },
  {
    name: "ecosystem's overrides are added",
    policy: { block: ["npm/other"], ecosystems: { npm: { block: ["npm/pkg"] } } },
    verdict: "deny",
  },
  {
    name: "another ecosystem's overrides do not count",
    policy: { block: ["pypi/pkg"] },
    verdict: "allow",
    reasons: [],
  },
  {
    name: "block that ended",
    policy: { block: [{ purl: "pkg:npm/pkg", until: "2026-11-21" }] },
    verdict: "allow",
  },
  {
    name: "block with an end",
    policy: { block: [{ purl: "pkg:npm/pkg", until: "2026-11-22T09:00Z" }] },
    verdict: "deny",
    horizon: TOMORROW,
  },
  {
    name: "block with an end on what is held longer",
    policy: { block: [{ purl: "pkg:npm/pkg", until: "2026-11-22T09:00Z" }] },
    release: YOUNG,
    verdict: "deny",
    reasons: ["override deny", "minimumAge hold"],
    horizon: TOMORROW,
  },
  {
    name: "allow over block, with an end",
    policy: {
      allow: [{ purl: "pkg:npm/pkg@1.0.0", until: "2026-11-22T09:00Z", id: "a" }],
      block: ["npm/pkg"],
    },
    verdict: "allow",
    horizon: TOMORROW,
  },
];

const LIFTING: readonly Row[] = [
  {
    name: "allow lifts a hold",
    policy: { allow: ["npm/pkg"] },
    release: YOUNG,
    verdict: "allow",
    reasons: ["override allow", "minimumAge hold lifted by allow npm/pkg"],
    horizon: null,
  },
  {
    name: "allow lifts yanked, deprecated and publisherDowngrade",
    policy: { allow: ["npm/pkg"], deprecated: "deny" },
    releases: {
      "1.0.0": { trust: "provenance", published: ago(20 * DAY) },
      "1.0.1": { trust: "none", yanked: true, deprecated: "old", published: ago(15 * DAY) },
    },
    version: "1.0.1",
    verdict: "allow",
    reasons: [
      "override allow",
      "yanked deny lifted by allow npm/pkg",
      "publisherDowngrade deny lifted by allow npm/pkg",
      "deprecated deny lifted by allow npm/pkg",
    ],
  },
  {
    name: "allow does not lift unknownAge by itself",
    policy: { allow: ["npm/pkg"], unknownAge: "deny" },
    release: { published: null },
    verdict: "deny",
  },
  {
    name: "allow that names unknownAge lifts it",
    policy: { allow: [{ purl: "pkg:npm/pkg", lifts: ["unknownAge"] }], unknownAge: "deny" },
    release: { published: null },
    verdict: "allow",
  },
  {
    name: "allow that names yanked lifts no hold",
    policy: { allow: [{ purl: "pkg:npm/pkg", lifts: ["yanked"], id: "a" }] },
    release: { ...YOUNG, yanked: true },
    verdict: "hold",
    reasons: ["minimumAge hold", "override allow", "yanked deny lifted by a"],
  },
  {
    name: "allow that names minimumAge leaves yanked",
    policy: { allow: [{ purl: "pkg:npm/pkg", lifts: ["minimumAge"] }] },
    release: { ...YOUNG, yanked: true },
    verdict: "deny",
  },
  {
    name: "allow with lifts leaves a broader block",
    policy: { allow: [{ purl: "pkg:npm/pkg@1.0.0", lifts: ["minimumAge"] }], block: ["npm/pkg"] },
    verdict: "deny",
  },
  {
    name: "allow that names override lifts a broader block",
    policy: { allow: [{ purl: "pkg:npm/pkg@1.0.0", lifts: ["override"] }], block: ["npm/pkg"] },
    verdict: "allow",
  },
  {
    name: "allow that names override does not lift an equal block",
    policy: { allow: [{ purl: "pkg:npm/pkg", lifts: ["override"] }], block: ["npm/pkg"] },
    verdict: "deny",
  },
  {
    name: "the most specific allow says what is lifted",
    policy: { allow: ["npm/pkg", { purl: "pkg:npm/pkg@1.0.0", lifts: ["yanked"] }] },
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "allow that lifts nothing",
    policy: { allow: [{ purl: "pkg:npm/pkg", lifts: [] }] },
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "allow with an end that comes first",
    policy: { allow: [{ purl: "pkg:npm/pkg", until: "2026-11-22T09:00Z" }] },
    release: YOUNG,
    verdict: "allow",
    horizon: TOMORROW,
  },
  {
    name: "allow with an end that comes after the hold's",
    policy: { allow: [{ purl: "pkg:npm/pkg", until: "2027-11-22" }] },
    release: YOUNG,
    verdict: "allow",
    horizon: null,
  },
  {
    name: "allow that ended",
    policy: { allow: [{ purl: "pkg:npm/pkg", until: "2026-11-20" }] },
    release: YOUNG,
    verdict: "hold",
    reasons: ["minimumAge hold"],
  },
  {
    name: "of two allows the one that lasts lifts",
    policy: {
      allow: [{ purl: "pkg:npm/pkg", until: "2026-11-22T09:00Z", id: "short" }, {
        purl: "pkg:npm/pkg",
        id: "long",
      }],
    },
    release: YOUNG,
    verdict: "allow",
    reasons: ["override allow", "override allow", "minimumAge hold lifted by long"],
    horizon: null,
  },
];

const SHADOWS: readonly Row[] = [
  {
    name: "a more specific allow that ends hides a broader one until then",
    policy: {
      allow: [{ purl: "pkg:npm/pkg@1.0.0", lifts: ["yanked"], until: "2026-11-22T09:00Z" }, "npm/pkg"],
    },
    release: YOUNG,
    verdict: "hold",
    horizon: TOMORROW,
  },
  {
    name: "allow lifts the hold of what nothing dates",
    policy: { allow: ["npm/pkg"] },
    release: { published: null },
    verdict: "allow",
  },
  {
    name: "allow that names minimumAge leaves what nothing dates",
    policy: { allow: [{ purl: "pkg:npm/pkg", lifts: ["minimumAge"] }] },
    release: { published: null },
    verdict: "hold",
  },
  {
    name: "observing unknownAge lets what nothing dates through",
    policy: { observe: ["unknownAge"] },
    release: { published: null },
    verdict: "warn",
    enforced: "hold",
  },
  {
    name: "observing minimumAge leaves what nothing dates",
    policy: { observe: ["minimumAge"] },
    release: { published: null },
    verdict: "hold",
  },
];

const WAIVERS: readonly Row[] = [
  {
    name: "waiver lifts a hold",
    waivers: [waiverOf()],
    release: YOUNG,
    verdict: "allow",
    reasons: ["minimumAge hold lifted by w1"],
    horizon: TOMORROW,
  },
  {
    name: "waiver does not lift yanked",
    waivers: [waiverOf()],
    release: { ...YOUNG, yanked: true },
    verdict: "deny",
    reasons: ["yanked deny", "minimumAge hold lifted by w1"],
  },
  {
    name: "waiver does not lift a block",
    waivers: [waiverOf()],
    policy: { block: ["npm/*"] },
    verdict: "deny",
  },
  {
    name: "waiver does not lift unknownAge",
    waivers: [waiverOf()],
    policy: { unknownAge: "deny" },
    release: { published: null },
    verdict: "deny",
  },
  {
    name: "waiver lifts the hold of strict",
    waivers: [waiverOf()],
    policy: { unknownAge: "strict" },
    release: { published: null },
    verdict: "allow",
  },
  {
    name: "waiver of another version",
    waivers: [waiverOf({ version: "1.0.1" })],
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "waiver of an equal version that is written differently",
    waivers: [waiverOf({ version: "v1.0.0" })],
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "waiver of another package",
    waivers: [waiverOf({ name: "Pkg" })],
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "waiver of another ecosystem",
    waivers: [waiverOf({ ecosystem: "pypi" })],
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "waiver that ended this moment",
    waivers: [waiverOf({ until: NOW })],
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "waiver of a range that the version is in",
    waivers: [waiverOf({ version: null, range: "vers:npm/>=1.0.0|<2.0.0" })],
    release: YOUNG,
    verdict: "allow",
    reasons: ["minimumAge hold lifted by w1"],
    horizon: TOMORROW,
  },
  {
    name: "waiver of a range that the version is not in",
    waivers: [waiverOf({ version: null, range: "vers:npm/>1.0.0|<2.0.0" })],
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "waiver of a range of another ecosystem's versions",
    waivers: [waiverOf({ version: null, range: "vers:pypi/*" })],
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "waiver of a range that cannot be read covers nothing, and is in the way of nothing",
    waivers: [
      waiverOf({ id: "broken", version: null, range: "vers:npm/>=2.0.0|<1.0.0" }),
      waiverOf({ id: "w1" }),
    ],
    release: YOUNG,
    verdict: "allow",
    reasons: ["minimumAge hold lifted by w1"],
  },
  {
    name: "waiver of neither version nor range",
    waivers: [waiverOf({ version: null })],
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "waiver of a range that ended this moment",
    waivers: [waiverOf({ version: null, range: "vers:npm/*", until: NOW })],
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "waiver that names yanked lifts it, and no hold",
    waivers: [waiverOf({ lifts: ["yanked"] })],
    release: { ...YOUNG, yanked: true },
    verdict: "hold",
    reasons: ["minimumAge hold", "yanked deny lifted by w1"],
  },
  {
    name: "waiver that names what is found and the hold",
    waivers: [waiverOf({ lifts: ["yanked", "minimumAge"] })],
    release: { ...YOUNG, yanked: true },
    verdict: "allow",
    horizon: TOMORROW,
  },
  {
    name: "waiver that names override lifts the organisation's denial of this very version",
    waivers: [waiverOf({ lifts: ["override"] })],
    policy: { block: ["npm/pkg==1.0.0"] },
    verdict: "allow",
    reasons: ["override deny lifted by w1"],
    horizon: TOMORROW,
  },
  {
    name: "waiver that names everything, and the floor",
    waivers: [waiverOf({ lifts: [...LIFTABLE] })],
    floor: { deny: ["npm/pkg==1.0.0"] },
    release: { ...YOUNG, yanked: true },
    verdict: "deny",
    reasons: ["floor deny", "yanked deny lifted by w1", "minimumAge hold lifted by w1"],
  },
  {
    name: "waiver that names nothing lifts nothing",
    waivers: [waiverOf({ lifts: [] })],
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "waiver that outlives the hold",
    waivers: [waiverOf({ until: epochMs(NOW + 90 * DAY) })],
    release: YOUNG,
    verdict: "allow",
    horizon: null,
  },
];

const GRANTS: readonly Row[] = [
  {
    name: "grant lifts the hold of what is older than a day",
    grants: ["1.0.0"],
    release: { published: ago(DAY) },
    verdict: "allow",
    reasons: ["minimumAge hold lifted by auditFixes"],
    horizon: null,
  },
  {
    name: "grant for what is younger: held until then",
    grants: ["1.0.0"],
    release: { published: ago(HOUR) },
    verdict: "hold",
    reasons: ["minimumAge hold"],
    horizon: epochMs(NOW + 23 * HOUR),
  },
  {
    name: "grant with an own minimumAge",
    policy: { auditFixes: { minimumAge: "2h" } },
    grants: ["1.0.0"],
    release: { published: ago(HOUR) },
    verdict: "hold",
    horizon: epochMs(NOW + HOUR),
  },
  {
    name: "grant where auditFixes is off",
    policy: { auditFixes: false },
    grants: ["1.0.0"],
    release: YOUNG,
    verdict: "hold",
    horizon: OLD_ENOUGH_AT,
  },
  {
    name: "grant where auditFixes asks for more than minimumAge",
    policy: { auditFixes: { minimumAge: "90d" } },
    grants: ["1.0.0"],
    release: YOUNG,
    verdict: "hold",
    horizon: OLD_ENOUGH_AT,
  },
  { name: "grant of another version", grants: ["1.0.1"], release: YOUNG, verdict: "hold" },
  {
    name: "grant lifts nothing else",
    grants: ["1.0.0"],
    release: { ...YOUNG, yanked: true },
    verdict: "deny",
    reasons: ["yanked deny", "minimumAge hold lifted by auditFixes"],
  },
  {
    name: "grant for an undated release",
    grants: ["1.0.0"],
    release: { published: null },
    seen: seen(ago(DAY), false),
    verdict: "allow",
  },
];

function freeze(words: Partial<Freeze> = {}): Freeze {
  return {
    id: "f1",
    ecosystem: "npm",
    name: "pkg",
    at: ago(50 * DAY),
    reason: "audit",
    owner: "ann",
    until: null,
    ...words,
  };
}

const FREEZES: readonly Row[] = [
  {
    name: "freeze withholds what came later",
    freezes: [freeze()],
    release: { published: ago(20 * DAY) },
    verdict: "deny",
    reasons: ["freeze deny"],
  },
  { name: "freeze leaves what was there", freezes: [freeze()], verdict: "allow", reasons: [] },
  {
    name: "freeze leaves another package",
    freezes: [freeze({ name: "other" })],
    release: { published: ago(20 * DAY) },
    verdict: "allow",
  },
  {
    name: "freeze over an allow",
    freezes: [freeze()],
    policy: { allow: ["npm/pkg==1.0.0"] },
    release: { published: ago(20 * DAY) },
    verdict: "deny",
  },
  {
    name: "freeze under an allow that names it",
    freezes: [freeze()],
    policy: { allow: [{ purl: "pkg:npm/pkg@1.0.0", lifts: ["freeze"] }] },
    release: { published: ago(20 * DAY) },
    verdict: "allow",
  },
  {
    name: "freeze over a waiver",
    freezes: [freeze()],
    waivers: [waiverOf()],
    release: { published: ago(20 * DAY) },
    verdict: "deny",
  },
  {
    name: "waiver that names freeze over a freeze",
    freezes: [freeze()],
    waivers: [waiverOf({ lifts: ["freeze", "minimumAge"] })],
    release: { published: ago(20 * DAY) },
    verdict: "allow",
  },
  {
    name: "freeze with an end",
    freezes: [freeze({ until: TOMORROW })],
    release: { published: ago(20 * DAY) },
    verdict: "deny",
    horizon: TOMORROW,
  },
  {
    name: "freeze that ended",
    freezes: [freeze({ until: NOW })],
    release: { published: ago(20 * DAY) },
    verdict: "allow",
  },
  {
    name: "freeze and an undated release that appeared later",
    freezes: [freeze()],
    release: { published: null },
    seen: seen(ago(20 * DAY), false),
    verdict: "deny",
  },
];

const OBSERVE: readonly Row[] = [
  {
    name: "observe lets a hold through and says so",
    policy: { enforcement: "observe" },
    release: YOUNG,
    verdict: "warn",
    enforced: "hold",
    reasons: ["minimumAge hold observed"],
    horizon: OLD_ENOUGH_AT,
  },
  {
    name: "observe lets a denial through",
    policy: { enforcement: "observe", block: ["npm/pkg"] },
    verdict: "warn",
    enforced: "deny",
    reasons: ["override deny observed"],
  },
  {
    name: "observe where nothing is found",
    policy: { enforcement: "observe" },
    verdict: "allow",
    reasons: [],
  },
  {
    name: "observe for one ecosystem",
    policy: { ecosystems: { npm: { enforcement: "observe" } } },
    release: YOUNG,
    verdict: "warn",
    enforced: "hold",
  },
  {
    name: "enforce for one ecosystem of an observing organisation",
    policy: { enforcement: "observe", ecosystems: { npm: { enforcement: "enforce" } } },
    release: YOUNG,
    verdict: "hold",
  },
  {
    name: "observe one rule",
    policy: { observe: ["minimumAge"] },
    release: YOUNG,
    verdict: "warn",
    enforced: "hold",
    reasons: ["minimumAge hold observed"],
    horizon: OLD_ENOUGH_AT,
  },
  {
    name: "observe one rule, another enforced",
    policy: { observe: ["minimumAge"] },
    release: { ...YOUNG, yanked: true },
    verdict: "deny",
    reasons: ["yanked deny", "minimumAge hold observed"],
    horizon: null,
  },
  {
    name: "observe the severe rule, a milder enforced",
    policy: { observe: ["yanked"] },
    release: { ...YOUNG, yanked: true },
    verdict: "hold",
    enforced: "deny",
    reasons: ["minimumAge hold", "yanked deny observed"],
    horizon: OLD_ENOUGH_AT,
  },
  {
    name: "observe one rule for one ecosystem",
    policy: { ecosystems: { npm: { observe: ["yanked"] } } },
    release: { yanked: true },
    verdict: "warn",
    enforced: "deny",
  },
  {
    name: "what was lifted is not observed",
    policy: { enforcement: "observe", allow: ["npm/pkg"] },
    release: YOUNG,
    verdict: "allow",
    reasons: ["override allow", "minimumAge hold lifted by allow npm/pkg"],
  },
];

const NAMES: readonly Row[] = [
  { name: "denial: case", policy: { block: ["npm/PKG"] }, verdict: "deny" },
  {
    name: "denial: runs of -_. are one",
    policy: { block: ["npm/my__pkg"] },
    package: "My.-Pkg",
    verdict: "deny",
  },
  {
    name: "denial: percent-encoding",
    policy: { block: ["pkg:npm/%40acme/p%6Bg"] },
    package: "@acme/pkg",
    verdict: "deny",
  },
  {
    name: "denial: twice encoded",
    policy: { block: ["npm/%2540acme/pkg"] },
    package: "@acme/pkg",
    verdict: "deny",
  },
  {
    name: "denial: a name that is encoded in the registry",
    policy: { block: ["npm/@acme/pkg"] },
    package: "%40acme/pkg",
    verdict: "deny",
  },
  { name: "denial: another name", policy: { block: ["npm/pkg2"] }, verdict: "allow", reasons: [] },
  { name: "denial: version written differently", policy: { block: ["npm/pkg==v1.0.0"] }, verdict: "deny" },
  {
    name: "denial: build metadata",
    policy: { block: ["npm/pkg==1.0.0"] },
    releases: { "1.0.0+linux": {} },
    version: "1.0.0+linux",
    verdict: "deny",
  },
  {
    name: "denial: version no scheme reads",
    policy: { block: ["npm/pkg==Latest"] },
    releases: { latest: {} },
    version: "latest",
    verdict: "deny",
  },
  {
    name: "denial: a range holds what no scheme reads",
    policy: { block: ["npm/pkg==vers:npm/>=5.0.0"] },
    releases: { odd: {} },
    version: "odd",
    verdict: "deny",
  },
  {
    name: "denial: glob over names",
    policy: { block: ["npm/@ACME/*"] },
    package: "@acme/any",
    verdict: "deny",
  },
  {
    name: "denial: glob crosses the scope",
    policy: { block: ["npm/*left*"] },
    package: "@acme/left-pad",
    verdict: "deny",
  },
  { name: "allow: exact name", policy: { allow: ["npm/pkg"], minimumAge: "400d" }, verdict: "allow" },
  { name: "allow: other case", policy: { allow: ["npm/Pkg"], minimumAge: "400d" }, verdict: "hold" },
  {
    name: "allow: other separator",
    policy: { allow: ["npm/my_pkg"], minimumAge: "400d" },
    package: "my-pkg",
    verdict: "hold",
  },
  {
    name: "allow: version written differently",
    policy: { allow: ["npm/pkg==v1.0.0"], minimumAge: "400d" },
    verdict: "hold",
  },
  {
    name: "allow: build metadata",
    policy: { allow: ["npm/pkg==1.0.0"], minimumAge: "400d" },
    releases: { "1.0.0+linux": {} },
    version: "1.0.0+linux",
    verdict: "hold",
  },
  {
    name: "allow: a range does not hold what no scheme reads",
    policy: { allow: ["npm/pkg==vers:npm/<5.0.0"], minimumAge: "400d" },
    releases: { odd: {} },
    version: "odd",
    verdict: "hold",
  },
  {
    name: "allow: glob keeps to its segment",
    policy: { allow: ["npm/*pad"], minimumAge: "400d" },
    package: "@evil/left-pad",
    verdict: "hold",
  },
  {
    name: "allow: ** crosses",
    policy: { allow: ["npm/**pad"], minimumAge: "400d" },
    package: "@good/left-pad",
    verdict: "allow",
  },
  {
    name: "allow: glob is case-sensitive",
    policy: { allow: ["npm/@Acme/*"], minimumAge: "400d" },
    package: "@acme/any",
    verdict: "hold",
  },
  {
    name: "allow: purl with an encoded scope",
    policy: { allow: ["pkg:npm/%40acme/any@1.0.0"], minimumAge: "400d" },
    package: "@acme/any",
    verdict: "allow",
  },
];

for (
  const row of [
    ...AGES,
    ...CLOCKS,
    ...UNDATED,
    ...MARKS,
    ...ORDER,
    ...LIFTING,
    ...SHADOWS,
    ...WAIVERS,
    ...GRANTS,
    ...FREEZES,
    ...OBSERVE,
    ...NAMES,
  ]
) {
  Deno.test(`decide: ${row.name}`, () => {
    const version = row.version ?? "1.0.0";
    const facts = packageOf(row.releases ?? { [version]: row.release ?? {} }, row.package ?? "pkg");
    const decisions = decided({ ...row, facts });
    const decision = decisions.artifact(`pkg-${version}.tgz`);
    assert.ok(decision !== null);
    assert.deepEqual([decision.verdict, decision.enforcedVerdict], [
      row.verdict,
      row.enforced ?? row.verdict,
    ]);
    if (row.reasons !== undefined) assert.deepEqual(decision.reasons.map(inWords), row.reasons);
    if (row.horizon !== undefined) assert.equal(decision.horizon, row.horizon);
    assert.deepEqual(decisions.release(version), decision, "a release with one file is decided as its file");
  });
}

function inWords({ rule, verdict, liftedBy, observed }: Reason): string {
  return `${rule} ${verdict}${liftedBy === undefined ? "" : ` lifted by ${liftedBy}`}${
    observed ? " observed" : ""
  }`;
}

Deno.test("decide: an unknown file or version is null", () => {
  const decisions = decided({ facts: packageOf({ "1.0.0": {} }) });
  assert.equal(decisions.artifact("other.tgz"), null);
  assert.equal(decisions.artifact("constructor"), null);
  assert.equal(decisions.release("2.0.0"), null);
});

Deno.test("decide: a release is as good as the best of its files", () => {
  const files = [{ filename: "a.whl", published: ago(DAY) }, { filename: "b.whl" }];
  const decisions = decided({ facts: packageOf({ "1.0.0": { files } }) });
  assert.deepEqual(
    [
      decisions.artifact("a.whl")?.verdict,
      decisions.artifact("b.whl")?.verdict,
      decisions.release("1.0.0")?.verdict,
    ],
    ["hold", "allow", "allow"],
  );
});

Deno.test("decide: a wheel that joins an old release is young by itself", () => {
  const files = [{ filename: "a.tar.gz" }, { filename: "b.whl", published: ago(HOUR) }];
  const decisions = decided({ facts: packageOf({ "1.0.0": { files } }) });
  assert.equal(decisions.artifact("b.whl")?.verdict, "hold");
});

Deno.test("decide: a file named twice has the worse decision", () => {
  const releases = {
    "1.0.0": { files: [{ filename: "x.tgz" }] },
    "1.0.1": { files: [{ filename: "x.tgz", yanked: true }] },
  };
  const decisions = decided({ facts: packageOf(releases) });
  assert.equal(decisions.artifact("x.tgz")?.verdict, "deny");
  assert.equal(decisions.release("1.0.0")?.verdict, "deny");
});

Deno.test("decide: a release without files is decided as one of which nothing is known", () => {
  const verdict = (policy: unknown) =>
    decided({ policy, facts: packageOf({ "1.0.0": { files: [] } }) }).release("1.0.0")?.verdict;
  assert.deepEqual(
    [
      verdict({}),
      verdict({ unknownAge: "strict" }),
      verdict({ unknownAge: "deny" }),
      verdict({ unknownAge: "allow" }),
    ],
    ["hold", "hold", "deny", "allow"],
  );
  assert.equal(verdict({ unknownAge: "allow", block: ["npm/pkg"] }), "deny");
});

Deno.test("decide: a rule that throws denies, says so, and nothing lifts it", () => {
  const broken = {
    id: "yanked" as const,
    evaluate: () => {
      throw new TypeError("boom");
    },
  };
  const facts = packageOf({ "1.0.0": {} });
  const words = { facts, rules: [broken], policy: { allow: ["npm/pkg==1.0.0"] }, waivers: [waiverOf()] };
  const decision = decided(words).artifact(FILE) as Decision;
  assert.equal(decision.verdict, "deny");
  assert.match(decision.reasons[0]?.message ?? "", /the rule yanked failed.*boom/);
});

Deno.test("Decisions.horizon and allowedUntil are the earliest over all files", () => {
  const facts = packageOf({
    "1.0.0": { published: ago(2 * DAY) },
    "1.0.1": { published: ago(DAY) },
    "1.0.2": { published: ago(HOUR) },
  });
  const untouched = decided({ facts });
  assert.deepEqual([untouched.horizon, untouched.allowedUntil], [epochMs(ago(2 * DAY) + 10 * DAY), null]);
  const waived = decided({
    facts,
    waivers: [
      waiverOf({ until: TOMORROW }),
      waiverOf({ id: "w2", version: "1.0.2", until: epochMs(NOW + 90 * DAY) }),
    ],
  });
  assert.deepEqual([waived.horizon, waived.allowedUntil], [TOMORROW, TOMORROW]);
  const unused = decided({ facts: packageOf({ "1.0.0": {} }), waivers: [waiverOf()] });
  assert.deepEqual([unused.horizon, unused.allowedUntil], [null, null]);
});

Deno.test("decide: one reason carries since, and override its owner", () => {
  const decision = decided({
    facts: packageOf({ "1.0.0": YOUNG }),
    policy: { block: [{ purl: "pkg:npm/pkg", owner: "ann", reason: "CVE" }] },
  }).artifact(FILE);
  assert.equal(decision?.reasons.find(({ rule }) => rule === "minimumAge")?.since, ago(DAY));
  const blocked = decision?.reasons[0];
  assert.deepEqual([blocked?.owner, blocked?.message], [
    "ann",
    "blocked by the organisation (deny npm/pkg): CVE",
  ]);
});

Deno.test("decide: the time a policy is decided at is its only clock", () => {
  const facts = packageOf({ "1.0.0": { published: at("2026-11-20") } });
  assert.equal(decided({ facts, now: at("2026-11-29T23:59Z") }).release("1.0.0")?.verdict, "hold");
  assert.equal(decided({ facts, now: at("2026-11-30") }).release("1.0.0")?.verdict, "allow");
});
