/** What main.ts hands to everything below it. */
import type { EpochMs } from "../policy/types.ts";

export type Clock = () => EpochMs;

export type LogLevel = "debug" | "info" | "warn" | "error";

/** JSON lines (or text): the message is readable alone, fields are dotted with units; never tokens, bodies, query strings. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Work that outlives its request. A rejection is logged once, never unhandled. */
export interface Background {
  run(name: string, work: () => Promise<void>): void;
  /** Resolves when nothing runs any more, or after `withinMs`. */
  drain(withinMs: number): Promise<void>;
}

/** Timers as a dependency: tests use none but those they are given. */
export interface Timers {
  /** Resolves after `ms`; rejects with the signal's reason if it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** How many requests have come so far: while none comes, long work takes longer slices. Not given: one always may. */
  readonly arrivals?: () => number;
}

/** Why a sleep is ended that nobody needs: given none, AbortController makes an exception with its stack each time. */
export const UNNEEDED = "unneeded";
