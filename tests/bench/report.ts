/** The figures as a table and as JSON. */
import { median, spread } from "./stats.ts";

export interface Row {
  readonly title: string;
  /** Answers a second, a figure for each round, by server. */
  readonly rounds: Readonly<Record<string, readonly number[]>>;
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
  readonly connections: number;
  readonly deno: string;
  readonly rows: readonly Row[];
  /** Open loop, milliseconds. */
  readonly probes: readonly Probe[];
  readonly memory: readonly {
    readonly when: string;
    readonly rssMb: number;
    readonly peakMb: number;
  }[];
}

/** Sluice's median over the yardstick's; null where that was not measured. */
export function ratio(row: Row, yardstick: string): number | null {
  const [ours, theirs] = [row.rounds["sluice"], row.rounds[yardstick]];
  return ours === undefined || theirs === undefined ? null : median(ours) / median(theirs);
}

/** Medians, spreads and ratios beside the rounds themselves. */
export function reportJson(report: Report): string {
  const rows = report.rows.map((row) => ({
    ...row,
    medians: Object.fromEntries(Object.entries(row.rounds).map(([name, rounds]) => [name, median(rounds)])),
    spreads: Object.fromEntries(Object.entries(row.rounds).map(([name, rounds]) => [name, spread(rounds)])),
    ratios: { deno: ratio(row, "deno"), nginx: ratio(row, "nginx") },
  }));
  return `${JSON.stringify({ ...report, rows }, null, 2)}\n`;
}

export function reportText(report: Report): string {
  const names = Object.keys(report.rows[0]?.rounds ?? {});
  const yardsticks = names.filter((name) => name !== "sluice");
  const table = [
    ["answers a second", ...names, ...yardsticks.map((name) => `: ${name}`)],
    ...report.rows.map((row) => [
      row.title,
      ...names.map((name) =>
        `${Math.round(median(row.rounds[name]!))} ±${Math.round(spread(row.rounds[name]!) * 100)}%`
      ),
      ...yardsticks.map((name) => ratio(row, name)!.toFixed(2)),
    ]),
  ];
  return [
    `${report.load}, ${report.connections} connections, ${report.seconds} s a round, Deno ${report.deno}`,
    "",
    ...columns(table),
    "",
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

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)).join(
      "  ",
    )
  );
}
