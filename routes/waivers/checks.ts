/** What may be asked for and granted; each throws ApiError, which names the field. */
import type { WaiverOutlook } from "../../ecosystems/why.ts";
import type { Liftable } from "../../policy/documents.ts";
import type { EpochMs } from "../../policy/types.ts";
import { waiverRangeProblem } from "../../policy/waivers.ts";
import { holds, type Principal } from "../../storage/tokens.ts";
import { ApiError, wrongField } from "../api/error.ts";
import type { Granting, WaiverSubject } from "./types.ts";

/** An exception ends. */
export const LONGEST_MS = 366 * 86_400_000;
/** What an editor wrote down is lifted by those who may change it. */
const POLICYS_OWN: readonly Liftable[] = ["override", "freeze", "malware"];

/** Exactly one of version and range, and a range that this ecosystem's versions can be read in. */
export function mustBeReadable({ ecosystem, version, range }: WaiverSubject): void {
  if ((version === null) === (range === null)) {
    throw wrongField("body.range", "Name one version, or a range of them");
  }
  const problem = range === null ? null : waiverRangeProblem(range, ecosystem);
  if (problem !== null) throw wrongField("body.range", problem);
}

/** In the future, and within a year. */
export function mustEnd(until: EpochMs | null, now: EpochMs): void {
  if (until === null) return;
  if (until <= now) throw wrongField("body.until", "This end has passed");
  if (until - now > LONGEST_MS) throw wrongField("body.until", "An exception ends within a year");
}

/** There is something to ask for, and somebody who can grant it. */
export function mustBeRefused({ name, version, range }: WaiverSubject, outlook: WaiverOutlook): void {
  if (outlook.covered === 0 && version !== null) {
    throw wrongField("body.purl", `${name} has no release ${JSON.stringify(version)}`, "unknown-release");
  }
  if (outlook.refused === 0) {
    const what = version ?? range ?? "";
    throw new ApiError(
      409,
      "nothing-refused",
      `Nothing of ${name} ${what} is refused: there is nothing to ask for`,
    );
  }
  if (!outlook.isLiftable) throw NOT_LIFTABLE;
}

const NOT_LIFTABLE = new ApiError(
  409,
  "not-liftable",
  "This is denied on the whole instance, or by a rule that failed, and no exception lifts that: ask whoever runs it",
);

/** When the last of it matures. */
export function maturing({ maturesAt }: WaiverOutlook): EpochMs {
  if (maturesAt !== null) return maturesAt;
  throw wrongField("body.until", "Time alone does not lift this: say until when the exception shall hold");
}

/** Where it would lift nothing of what stands. */
export function mustHelp({ name }: WaiverSubject, outlook: WaiverOutlook, lifts: Granting["lifts"]): void {
  const { refused, named, lifts: needed } = outlook;
  const isAllDenied = refused > 0 && named.every(({ verdict }) => verdict === "deny");
  if (lifts !== null || needed === null || !isAllDenied) return;
  throw wrongField(
    "body.lifts",
    `A waiver lifts holds, and ${name} is denied: name what else it shall lift (${needed.join(", ")})`,
  );
}

/** What an editor wrote down is theirs to lift. */
export function mustBeTheirs(principal: Principal, lifts: Granting["lifts"]): void {
  const own = lifts?.find((each) => POLICYS_OWN.includes(each));
  if (own === undefined || holds(principal, "policy")) return;
  throw new ApiError(403, "scope-missing", `To lift "${own}" needs the scope "policy"`, {
    errors: [{ field: "body.lifts", message: `To lift "${own}" needs the scope "policy"` }],
  });
}
