/** Waivers as the API has them, and what their forms say to it. */
import type { CallProblem, PageContext } from "../page.ts";

export interface Outlook {
  readonly covered: number;
  readonly refused: number;
  readonly named: readonly {
    readonly version: string;
    readonly verdict: "allow" | "warn" | "hold" | "deny";
    readonly sentence: string;
    readonly until: string | null;
  }[];
  readonly maturesAt: string | null;
  readonly lifts: readonly string[] | null;
  readonly isLiftable: boolean;
}

export interface Request {
  readonly id: string;
  readonly purl: string;
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string | null;
  readonly range: string | null;
  readonly reason: string;
  readonly ticket: string | null;
  readonly until: string | null;
  readonly askedBy: string | null;
  readonly isVerified: boolean;
  readonly address: string;
  readonly askedAt: string;
  readonly lapsesAt: string;
  readonly decisionId: string | null;
  readonly answer: {
    readonly granted: boolean;
    readonly by: string;
    readonly at: string;
    readonly word: string | null;
    readonly waiver: { readonly id: string; readonly until: string } | null;
  } | null;
  readonly outlook: Outlook | null;
}

export interface Waiver {
  readonly id: string;
  readonly purl: string;
  readonly name: string;
  readonly ecosystem: string;
  readonly version: string | null;
  readonly range: string | null;
  readonly lifts: readonly string[] | null;
  readonly reason: string;
  readonly ticket: string | null;
  readonly owner: string;
  readonly askedBy: string | null;
  readonly createdAt: string;
  readonly until: string;
  readonly endsMature: boolean;
  readonly kind: "audit-fix" | "granted";
  readonly uses: number;
  readonly lastUsedAt: string | null;
}

export interface PastWaiver extends Waiver {
  readonly endedAt: string;
  readonly revokedBy: string | null;
}

export interface WaiverList<W> {
  readonly waivers: readonly W[];
  readonly next: string | null;
}

export interface RequestList {
  readonly requests: readonly Request[];
  readonly next: string | null;
}

/** What was sent and did not do. */
export interface Sent {
  readonly form: URLSearchParams;
  readonly problem: CallProblem;
}

export const LENGTHS = [
  { value: "mature", label: "Until it matures" },
  { value: "1", label: "A day" },
  { value: "7", label: "A week" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "date", label: "Until the day below" },
] as const;

const DAY_MS = 86_400_000;

/** The API's `until`, of the fields `for` and `until`; `asked` leaves it to the request. */
export function untilOf(form: URLSearchParams, { now }: Pick<PageContext, "now">): string | undefined {
  const length = form.get("for") ?? "mature";
  if (length === "asked") return undefined;
  if (length === "mature") return length;
  if (length === "date") return form.get("until") ?? "";
  return new Date(now + Number(length) * DAY_MS).toISOString();
}

/** undefined: it was left empty. */
export function textOf(form: URLSearchParams, field: string): string | undefined {
  const text = form.get(field)?.trim() ?? "";
  return text === "" ? undefined : text;
}

/** undefined: holds alone. */
export function liftsOf(form: URLSearchParams): readonly string[] | undefined {
  const all = form.getAll("lifts");
  return all.length === 0 ? undefined : all;
}
