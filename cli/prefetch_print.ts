/** How a prefetch is told: a line while it runs, and what it came to. */
import { countText, sizeText } from "./cache_print.ts";
import { safeText } from "./table.ts";

interface Totals {
  readonly kept: number;
  readonly filled: number;
  readonly wanted: number;
  readonly refused: number;
  readonly failed: number;
  readonly bytes: number;
}

interface FileEvent {
  readonly purl: string;
  readonly filename: string | null;
  readonly outcome: "kept" | "filled" | "wanted" | "refused" | "failed";
  readonly bytes: number;
  readonly message: string | null;
  readonly rule: string | null;
  readonly where: string;
}

interface Skipped {
  readonly where: string;
  readonly why: string;
}

/** As the API has it, a line each. */
export type PrefetchEvent =
  | { readonly kind: "plan"; readonly releases: number; readonly skipped: readonly Skipped[] }
  | { readonly kind: "progress" }
  | ({ readonly kind: "file" } & FileEvent)
  | ({ readonly kind: "end" } & Totals)
  | ({ readonly kind: "failed"; readonly message: string } & Totals);

/** All that was told. */
export interface Report {
  readonly startedAt: number;
  readonly isDryRun: boolean;
  releases: number;
  releasesDone: number;
  kept: number;
  filled: number;
  wanted: number;
  bytes: number;
  skipped: readonly Skipped[];
  readonly refused: FileEvent[];
  readonly failed: FileEvent[];
  /** Why it broke off; null: it did not. */
  broken: string | null;
  isWhole: boolean;
}

export function newReport(startedAt: number, isDryRun: boolean): Report {
  return {
    startedAt,
    isDryRun,
    releases: 0,
    releasesDone: 0,
    kept: 0,
    filled: 0,
    wanted: 0,
    bytes: 0,
    skipped: [],
    refused: [],
    failed: [],
    broken: null,
    isWhole: false,
  };
}

export function note(report: Report, event: PrefetchEvent): void {
  switch (event.kind) {
    case "plan":
      report.releases = event.releases;
      report.skipped = event.skipped;
      return;
    case "progress":
      report.releasesDone++;
      return;
    case "file":
      return noteFile(report, event);
    case "end":
      report.isWhole = true;
      return;
    case "failed":
      report.broken = event.message;
      return;
  }
}

function noteFile(report: Report, event: FileEvent): void {
  const { outcome, bytes } = event;
  if (outcome === "refused" || outcome === "failed") return void report[outcome].push(event);
  report[outcome]++;
  if (outcome !== "kept") report.bytes += bytes;
}

const BAR_WIDTH = 24;

/** `[######········] 12 of 48 releases · 31 MB · 4.2 MB/s · about 20 s left` */
export function progressText(report: Report, now: number): string {
  const { releases, releasesDone, bytes, startedAt, isDryRun } = report;
  const share = releases === 0 ? 0 : releasesDone / releases;
  const filled = Math.round(share * BAR_WIDTH);
  const seconds = Math.max(0.001, (now - startedAt) / 1000);
  const parts = [
    `[${"#".repeat(filled)}${"·".repeat(BAR_WIDTH - filled)}] ${releasesDone} of ${
      countText(releases, "release")
    }`,
    ...(isDryRun || bytes === 0 ? [] : [sizeText(bytes), `${sizeText(Math.round(bytes / seconds))}/s`]),
    ...(releasesDone === 0 || share === 1 ? [] : [`about ${timeText(seconds * (1 - share) / share)} left`]),
    ...(report.refused.length === 0 ? [] : [`${report.refused.length} refused`]),
    ...(report.failed.length === 0 ? [] : [`${report.failed.length} failed`]),
  ];
  return parts.join(" · ");
}

function timeText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export function jsonOf(report: Report): string {
  const { kept, filled, wanted, bytes, refused, failed, skipped, releases, releasesDone, isDryRun } = report;
  const complete = report.isWhole;
  const counts = { kept, filled, wanted, refused: refused.length, failed: failed.length, bytes };
  const whole = { dryRun: isDryRun, complete, releases, releasesDone, ...counts };
  return `${JSON.stringify({ ...whole, refusals: refused, failures: failed, skipped }, null, 2)}\n`;
}

export function textOf(report: Report): string {
  const { kept, filled, wanted, bytes, isDryRun, releases, releasesDone, isWhole } = report;
  const fetched = isDryRun
    ? `would fetch ${countText(wanted, "file")}${bytes === 0 ? "" : `, ${sizeText(bytes)} or more`}`
    : `fetched ${countText(filled, "file")}, ${sizeText(bytes)}`;
  const lines = [
    ...(isWhole
      ? []
      : [`Broken off after ${releasesDone} of ${countText(releases, "release")}; what is here stays.`]),
    `${countText(releases, "release")}: ${fetched}; ${countText(kept, "file")} ${
      kept === 1 ? "was" : "were"
    } here already.`,
    ...listed(report.refused, (count) => `${count} refused by the policy:`),
    ...listed(report.failed, (count) => `${count} failed:`),
    ...(report.skipped.length === 0
      ? []
      : [`${report.skipped.length} skipped, which come from no registry here:`]),
    ...report.skipped.map(({ where, why }) => `  ${safeText(where)}: ${safeText(why)}`),
  ];
  return `${lines.join("\n")}\n`;
}

function listed(events: readonly FileEvent[], title: (count: number) => string): readonly string[] {
  if (events.length === 0) return [];
  return [title(events.length), ...events.map(lineOf)];
}

function lineOf({ purl, filename, message, where }: FileEvent): string {
  const what = filename === null ? purl : `${purl} ${filename}`;
  const place = where.startsWith("pkg:") ? "" : ` (${where})`;
  return `  ${safeText(`${what}: ${message ?? ""}${place}`)}`;
}
