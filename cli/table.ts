/** Rows as a person reads them, as JSON, and as CSV. What others chose (names of users, packages) is hostile text. */
import Table from "cli-table3";
import { stringify } from "csv-stringify/sync";

/** One column: the member of a row that it shows, and its heading. */
export interface Column<R> {
  readonly key: keyof R & string;
  readonly title: string;
  /** Default: by the value, numbers right. */
  readonly align?: "left" | "right";
  /** Default: `plainText`. */
  readonly show?: (row: R) => string;
}

/** How a value is written where it is text: nothing for null, UTC for times. */
export type Cell = string | number | null | undefined | readonly string[];

const NO_LINES = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "", mid: "", "left-mid": "", "mid-mid": "" },
  ...{
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
    left: "",
    right: "",
    middle: "  ",
  },
  "right-mid": "",
};

/** Aligned columns under their headings, which are bold where `colour` is set; each line with its line feed. */
export function printTable<R extends object>(
  rows: readonly R[],
  columns: readonly Column<R>[],
  options: { readonly colour: boolean },
): string {
  const table = new Table({
    head: columns.map(({ title }) => options.colour ? `\x1b[1m${title}\x1b[22m` : title),
    colAligns: columns.map((column) => column.align ?? alignOf(rows, column.key)),
    chars: NO_LINES,
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 0 },
  });
  for (const row of rows) {
    table.push(columns.map((column) => safeText(column.show?.(row) ?? plainText(valueOf(row, column.key)))));
  }
  return table.toString().split("\n").map((line) => `${line.trimEnd()}\n`).join("");
}

function alignOf<R extends object>(rows: readonly R[], key: keyof R & string): "left" | "right" {
  return typeof rows[0]?.[key] === "number" ? "right" : "left";
}

function valueOf<R extends object>(row: R, key: keyof R & string): Cell {
  return row[key] as Cell;
}

/** A cell without the help of a column. */
export function plainText(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return value.toLocaleString("en-GB");
  return typeof value === "string" ? value : value.join(" ");
}

/** Text without what steers a terminal or turns its direction. */
export function safeText(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}

/** `2026-11-21 09:30:00Z` */
export function timeText(at: number): string {
  return new Date(at).toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");
}

/** An array, one row a line. Members named in `times` become RFC 3339. */
export function toJson<R extends object>(rows: readonly R[], times: readonly (keyof R & string)[]): string {
  if (rows.length === 0) return "[]\n";
  return `[\n${rows.map((row) => `  ${jsonRow(row, times)}`).join(",\n")}\n]\n`;
}

/** One row as JSON on one line, without a line feed. */
export function jsonRow<R extends object>(row: R, times: readonly (keyof R & string)[]): string {
  return JSON.stringify(withTimes(row, times));
}

function withTimes<R extends object>(row: R, times: readonly (keyof R & string)[]): Record<string, unknown> {
  const dated = times.filter((key) => key in row).map((
    key,
  ) => [key, new Date(Number(row[key])).toISOString()]);
  return { ...row, ...Object.fromEntries(dated) };
}

/**
 * RFC 4180 with the members' names as the header (`header: false`: none). A text that a spreadsheet would take for
 * a formula (`=`, `+`, `-`, `@` in front) is written behind an apostrophe.
 */
export function toCsv<R extends object>(
  rows: readonly R[],
  keys: readonly (keyof R & string)[],
  options: { readonly times: readonly (keyof R & string)[]; readonly header: boolean },
): string {
  const cells = rows.map((row) => {
    const dated = withTimes(row, options.times);
    return keys.map((key) => csvCell(dated[key] as Cell));
  });
  return stringify(cells, { header: options.header, columns: [...keys], escape_formulas: true });
}

function csvCell(value: Cell): string {
  return typeof value === "number" ? String(value) : plainText(value);
}
