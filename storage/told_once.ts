/** A failure that many wait for is one failure: its line is written once, by whoever tells it first. */
import type { Log, LogLevel } from "./runtime.ts";

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * Drops a line whose `error` field is an exception that was told already, at that level or a higher one. It goes by
 * the object, so whoever wants to be told apart throws another.
 */
export function toldOnce(log: Log): Log {
  const told = new WeakMap<Error, number>();
  return function once(level, message, fields) {
    const error = fields?.["error"];
    if (error instanceof Error) {
      if ((told.get(error) ?? -1) >= RANK[level]) return;
      told.set(error, RANK[level]);
    }
    log(level, message, fields);
  };
}
