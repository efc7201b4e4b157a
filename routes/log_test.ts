import assert from "node:assert/strict";
import type { LogLevel } from "../storage/runtime.ts";
import { createTestClock } from "../tests/fakes/clock.ts";
import { createLog, isLogged } from "./log.ts";
import { PLAIN_TRACE, run } from "./testing.ts";

function logged(format: "text" | "json", level: LogLevel = "debug") {
  const lines: string[] = [];
  const log = createLog({ format, level, write: (line) => lines.push(line), clock: createTestClock().clock });
  return { lines, log };
}

Deno.test("createLog: JSON lines keep their message, level and time whatever the fields say", () => {
  const { lines, log } = logged("json");
  log("warn", "Disk is\nfull", {
    "free.bytes": 0,
    level: "lie",
    message: "lie",
    time: "lie",
    none: undefined,
  });
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [
    { "free.bytes": 0, level: "warn", message: "Disk is full", time: "2026-11-21T08:00:00.000Z" },
  ]);
  assert.ok(lines[0]?.endsWith("}\n"));
});

Deno.test("createLog: text is one line for a person, and hostile values stay on it", () => {
  const { lines, log } = logged("text");
  log("info", "Ready", { address: "http://127.0.0.1:8080", user: "a b\x1b[31m\r\nfake line" });
  assert.deepEqual(lines, [
    '2026-11-21T08:00:00.000Z info  Ready address=http://127.0.0.1:8080 user="a b [31m fake line"\n',
  ]);
});

Deno.test("createLog: levels below the threshold are not written", () => {
  const { lines, log } = logged("text", "warn");
  for (const level of ["debug", "info", "warn", "error"] as const) log(level, level);
  assert.deepEqual(lines.map((line) => line.split(" ")[1]), ["warn", "error"]);
  assert.equal(isLogged("info", "info"), true);
  assert.equal(isLogged("debug", "info"), false);
});

Deno.test("createLog: errors with their causes, numbers that are none, and what cannot be written never throw", () => {
  const { lines, log } = logged("json");
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const error = new TypeError("outer", { cause: new RangeError("inner") });
  log("error", "x", { error, circular, big: 1n, nan: NaN, list: [1, "a"], long: "x".repeat(10_000) });
  const line = JSON.parse(lines[0]!);
  assert.equal(line.error, "TypeError: outer; caused by RangeError: inner");
  assert.deepEqual([line.circular, line.big], ["(cannot be written down)", "(cannot be written down)"]);
  assert.deepEqual([line.nan, line.list], ["NaN", '[1,"a"]']);
  assert.equal(line.long.length, 2_000);
});

Deno.test("access log: a refusal at info, the rest at debug, never a query string or credentials", async () => {
  await using running = run({
    serve: ({ request }) => ({
      kind: "refused",
      trace: { ...PLAIN_TRACE, decisionId: request.segments[0]! },
      refusal: { kind: "body", status: 403, contentType: "text/plain", body: "no", headers: {} },
    }),
  });
  const authorization = `Basic ${btoa("jane:hunter2")}`;
  await running.ask("/sample/foo?token=hunter2", { headers: { authorization, "user-agent": "npm/11.19.1" } });
  await running.ask("/-/health?token=hunter2");
  await running.ask("/sample/%00?token=hunter2");
  assert.deepEqual(running.lines.map(({ level, message }) => `${level} ${message}`), [
    "info GET /sample/foo refused with 403",
    "debug GET /-/health answered with 200",
    "debug GET (unreadable) answered with 400",
  ]);
  assert.doesNotMatch(JSON.stringify(running.lines), /hunter2|amFuZT/);
  assert.match(
    JSON.stringify(running.lines[0]?.fields),
    /"user":"jane".*"client.name":"npm".*"decision.id":"foo"/,
  );
});

Deno.test("createLog: a token that somebody put where none belongs is in no line", () => {
  const token = `slu_abcdefghijkl_${"x".repeat(43)}`;
  for (const format of ["text", "json"] as const) {
    const { lines, log } = logged(format);
    log("info", `GET /npm/${token}`, { path: `/${token}/x`, error: new Error(token) });
    assert.doesNotMatch(lines.join(""), /xxx/);
    assert.match(lines.join(""), /slu_\(hidden\)/);
  }
});
