/** The figures as a table and as JSON, beside the goals. */
import { type Finding, findingsText, isFar } from "./bounds.ts";
import type { Goal } from "./cases.ts";
import type { ServerName } from "./servers.ts";
import { median, spread } from "./stats.ts";

/** One server's figures for one case. */
export interface Figures {
  readonly server: ServerName;
  /** Answers a second, a figure for each round. */
  readonly rounds: readonly number[];
  /** Of both cores, for one answer; null where the system does not tell. */
  readonly cpuMicros: number | null;
  /** The most memory during the case. */
  readonly peakMb: number | null;
}

export interface Row {
  readonly title: string;
  /** The first is the one that the goal is for. */
  readonly figures: readonly Figures[];
  readonly goal: Goal | null;
}

export interface Probe {
  readonly server: string;
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
}

export interface Report {
  readonly load: string;
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
  readonly deno: string;
  readonly rows: readonly Row[];
  readonly findings: readonly Finding[];
  /** Open loop, milliseconds. */
  readonly probes: readonly Probe[];
  readonly memory: readonly { readonly when: string; readonly rssMb: number; readonly peakMb: number }[];
}

/** The first server's median over the yardstick's; null where that was not measured. */
export function ratio({ figures }: Row, yardstick: ServerName): number | null {
  const theirs = figures.find(({ server }) => server === yardstick);
  const ours = figures[0];
  if (ours === undefined || theirs === undefined) return null;
  const yardstickRate = median(theirs.rounds);
  // So slow that none of its answers came within a round: it says nothing.
  return yardstickRate === 0 ? null : median(ours.rounds) / yardstickRate;
}

/** `unknown`: its yardstick is not on this machine. `far`: below half of the goal, or of what was attained of it. */
export type Outcome = "met" | "missed" | "far" | "unknown";

/** How a row stands to its goal; null: it has none. */
export function outcomeOf(row: Row): Outcome | null {
  if (row.goal === null) return null;
  const found = ratio(row, row.goal.against);
  if (found === null) return "unknown";
  const { atLeast, attained = atLeast } = row.goal;
  if (found >= atLeast) return "met";
  return found < attained / 2 ? "far" : "missed";
}

/** What a short run fails on: noise does not halve a ratio, a real loss does. */
export function farFromGoal(report: Report): readonly string[] {
  const findings = report.findings.filter(isFar);
  return [
    ...report.rows.filter((row) => outcomeOf(row) === "far").map(({ title }) => title),
    ...findings.map(({ what }) => what),
  ];
}

/** Medians, spreads, ratios and goals beside the rounds themselves. */
export function reportJson(report: Report): string {
  const rows = report.rows.map((row) => ({
    ...row,
    figures: row.figures.map((figures) => ({
      ...figures,
      median: median(figures.rounds),
      spread: spread(figures.rounds),
    })),
    ratios: Object.fromEntries(row.figures.slice(1).map(({ server }) => [server, ratio(row, server)])),
    outcome: outcomeOf(row),
  }));
  return `${JSON.stringify({ ...report, rows }, null, 2)}\n`;
}

export function reportText(report: Report): string {
  const { load, connections, rounds, seconds } = report;
  const others: readonly ServerName[] = ["deno", "nginx", "verdaccio", "unlogged"];
  const shown = others.filter((name) => report.rows.some((row) => ratio(row, name) !== null));
  const table = [
    ["answers a second", "sluice", ...shown, ...shown.map((name) => `: ${name}`), "goal", "", "µs", "MB"],
    ...report.rows.map((row) => lineOf(row, shown)),
  ];
  return [
    `${load}, ${connections} connections, ${rounds} rounds of ${seconds} s, Deno ${report.deno}; µs: Sluice's CPU time for ` +
    `an answer, and Deno's alone; MB: the most memory`,
    "",
    ...columns(table),
    "",
    ...(report.findings.length === 0 ? [] : [findingsText(report.findings), ""]),
    ...report.probes.map(({ server, p50, p99, count }) =>
      `open loop, 3 kB tarball, ${server}: p50 ${p50.toFixed(1)} ms, p99 ${
        p99.toFixed(1)
      } ms (${count} requests)`
    ),
    ...report.memory.map(({ when, rssMb, peakMb }) =>
      `memory of Sluice ${when}: ${Math.round(rssMb)} MB (at most ${Math.round(peakMb)} MB so far)`
    ),
    "",
  ].join("\n");
}

const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  met: "met",
  missed: "missed",
  far: "FAR",
  unknown: "not here",
};

function lineOf(row: Row, shown: readonly ServerName[]): readonly string[] {
  const ours = row.figures[0]!;
  const of = (name: ServerName) => row.figures.find(({ server }) => server === name);
  const outcome = outcomeOf(row);
  const micros = [ours, of("deno") ?? of("unlogged")].map((figures) => figures?.cpuMicros?.toFixed(0) ?? "–");
  return [
    row.title,
    rate(ours),
    ...shown.map((name) => rate(of(name))),
    ...shown.map((name) => ratio(row, name)?.toFixed(2) ?? ""),
    row.goal === null ? "" : `${row.goal.atLeast.toFixed(2)} × ${row.goal.against}`,
    outcome === null ? "" : OUTCOME_WORDS[outcome],
    micros.join(" : "),
    ours.peakMb?.toFixed(0) ?? "–",
  ];
}

function rate(figures: Figures | undefined): string {
  if (figures === undefined) return "";
  if (median(figures.rounds) === 0) return "none";
  return `${Math.round(median(figures.rounds))} ±${Math.round(spread(figures.rounds) * 100)}%`;
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)).join(
      "  ",
    )
  );
}
