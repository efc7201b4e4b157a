/** Where log lines go: JSON for programs, text for people. */
import type { Clock, Log, LogLevel } from "../storage/runtime.ts";
import { withoutTokens } from "../storage/tokens.ts";
import { oneLine } from "./text.ts";

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const MAX_FIELD_LENGTH = 2_000;
const MAX_CAUSES = 5;

/** True where a line of this level is written at that threshold. */
export function isLogged(level: LogLevel, threshold: LogLevel): boolean {
  return RANK[level] >= RANK[threshold];
}

/** `write` gets whole lines with their newline. A log line never throws: what cannot be written down is said instead. */
export function createLog(options: {
  readonly format: "text" | "json";
  readonly level: LogLevel;
  readonly write: (line: string) => void;
  readonly clock: Clock;
}): Log {
  const line = options.format === "json" ? jsonLine : textLine;
  return function log(level, message, fields = {}) {
    if (!isLogged(level, options.level)) return;
    const time = new Date(options.clock()).toISOString();
    // No line is meant to hold a token: this is for those that somebody put where none belongs.
    options.write(`${withoutTokens(line({ time, level, message, fields: plainFields(fields) }))}\n`);
  };
}

interface Line {
  readonly time: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, Plain>>;
}

type Plain = string | number | boolean | null;

function jsonLine({ time, level, message, fields }: Line): string {
  return JSON.stringify({ ...fields, time, level, message: oneLine(message, MAX_FIELD_LENGTH) });
}

function textLine({ time, level, message, fields }: Line): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${textValue(value)}`);
  return `${time} ${level.padEnd(5)} ${oneLine(message, MAX_FIELD_LENGTH)}${pairs.join("")}`;
}

function textValue(value: Plain): string {
  if (typeof value !== "string") return String(value);
  return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
}

function plainFields(fields: Readonly<Record<string, unknown>>): Record<string, Plain> {
  const plain: Record<string, Plain> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) plain[key] = plainValue(value);
  }
  return plain;
}

function plainValue(value: unknown): Plain {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "string") return oneLine(value, MAX_FIELD_LENGTH);
  if (value instanceof Error) return oneLine(errorText(value), MAX_FIELD_LENGTH);
  try {
    return oneLine(JSON.stringify(value) ?? String(value), MAX_FIELD_LENGTH);
  } catch {
    // Circular, or a bigint: the line matters more than this field.
    return "(cannot be written down)";
  }
}

/** The error and what caused it, each with its class. */
function errorText(error: Error): string {
  const parts: string[] = [];
  let current: unknown = error;
  while (current instanceof Error && parts.length < MAX_CAUSES) {
    parts.push(`${current.name}: ${current.message}`);
    current = current.cause;
  }
  return parts.join("; caused by ");
}
