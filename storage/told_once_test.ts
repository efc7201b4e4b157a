import assert from "node:assert/strict";
import type { LogLevel } from "./runtime.ts";
import { toldOnce } from "./told_once.ts";

Deno.test("toldOnce: an exception is written once, again only at a higher level; another one, and no exception, always", () => {
  const lines: string[] = [];
  const log = toldOnce((level: LogLevel, message: string) => void lines.push(`${level} ${message}`));
  const error = new Error("cut");
  log("debug", "left alone", { error });
  for (let waiting = 0; waiting < 500; waiting++) log("warn", "failed", { error });
  log("debug", "failed", { error });
  log("warn", "another", { error: new Error("cut") });
  log("warn", "words", { error: "cut" });
  log("warn", "words", { error: "cut" });
  log("info", "plain");
  log("info", "plain");
  assert.deepEqual(lines, [
    "debug left alone",
    "warn failed",
    "warn another",
    "warn words",
    "warn words",
    "info plain",
    "info plain",
  ]);
});
