/** Looking into parsed documents without trusting them: own keys only, and mistakes told by their place. */
import { Buffer } from "node:buffer";
import type { LockedPackage, SkippedEntry } from "./types.ts";

export type Table = Readonly<Record<string, unknown>>;

/** Of what a reader found, in its order. */
export interface Findings {
  readonly packages: LockedPackage[];
  readonly skipped: SkippedEntry[];
}

export function findings(): Findings {
  return { packages: [], skipped: [] };
}

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** undefined where there is no such key of its own. */
export function own(table: Table, key: string): unknown {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Throws SyntaxError for anything but a table. */
export function tableAt(value: unknown, where: string): Table {
  if (isTable(value)) return value;
  throw new SyntaxError(`${where}: expected a table of entries, found ${kindOf(value)}`);
}

/** Empty where there is nothing. Throws SyntaxError for anything but a table. */
export function optionalTable(table: Table, key: string): Table {
  const value = own(table, key);
  return value === undefined || value === null ? {} : tableAt(value, key);
}

/** Empty where there is nothing. Throws SyntaxError for anything but a list. */
export function optionalList(value: unknown, where: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new SyntaxError(`${where}: expected a list, found ${kindOf(value)}`);
}

/** Throws SyntaxError for anything but a text that is not empty. */
export function textAt(table: Table, key: string, where: string): string {
  const value = own(table, key);
  if (typeof value === "string" && value !== "") return value;
  throw new SyntaxError(`${where}: expected a ${key}, found ${kindOf(value)}`);
}

/** null for anything but a text that is not empty. */
export function optionalText(table: Table, key: string): string | null {
  const value = own(table, key);
  return typeof value === "string" && value !== "" ? value : null;
}

/** The last segment of an address, decoded; null where it has none. */
export function filenameIn(address: string): string | null {
  const path = address.split(/[?#]/, 1)[0]!;
  const last = path.slice(path.lastIndexOf("/") + 1);
  try {
    return last === "" ? null : decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** A message of another's parser, in one line without the source it quotes. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n", 1)[0]!;
}

/** Throws SyntaxError. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`expected JSON: ${firstLine(cause)}`, { cause });
  }
}

/** For a message: bounded, whatever it is. */
export function quoted(text: string): string {
  return JSON.stringify(Buffer.from(text.slice(0, 80)).toString());
}

function kindOf(value: unknown): string {
  if (value === undefined) return "none";
  if (typeof value === "string" || typeof value === "number") return quoted(String(value));
  return value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
