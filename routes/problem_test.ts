import assert from "node:assert/strict";
import {
  IntegrityError,
  RestoringError,
  StorageError,
  TooLargeError,
  UpstreamError,
} from "../storage/errors.ts";
import { BodyTooLargeError, problemOf, RequestError } from "./problem.ts";

type Detail = UpstreamError["detail"];

function upstream(detail: Omit<Detail, "origin">): UpstreamError {
  return new UpstreamError("secret path and token", { origin: "https://registry.example", ...detail });
}

Deno.test("problemOf: each class has its status and its stable code, and shows nothing else of itself", () => {
  const table: readonly (readonly [unknown, number, string, number | null])[] = [
    [upstream({ kind: "timeout" }), 504, "upstream-timeout", null],
    [upstream({ kind: "connection" }), 502, "upstream-failed", null],
    [upstream({ kind: "content" }), 502, "upstream-failed", null],
    [upstream({ kind: "redirect" }), 502, "upstream-failed", null],
    [upstream({ kind: "forbidden-address" }), 502, "upstream-failed", null],
    [upstream({ kind: "status", status: 500 }), 502, "upstream-failed", null],
    [upstream({ kind: "status", status: 429, retryAfterSeconds: 7 }), 503, "upstream-busy", 7],
    [upstream({ kind: "status", status: 429 }), 503, "upstream-busy", 10],
    [upstream({ kind: "status", status: 503, retryAfterSeconds: 120 }), 502, "upstream-failed", 120],
    [upstream({ kind: "status", status: 401 }), 403, "upstream-refused", null],
    [upstream({ kind: "status", status: 403 }), 403, "upstream-refused", null],
    [upstream({ kind: "status", status: 451 }), 403, "upstream-refused", null],
    [upstream({ kind: "circuit", retryAfterSeconds: 30 }), 503, "upstream-circuit-open", 30],
    [upstream({ kind: "circuit" }), 503, "upstream-circuit-open", 10],
    [new IntegrityError("secret"), 502, "integrity", null],
    [new StorageError("secret"), 503, "storage-unavailable", 5],
    [new RestoringError("running"), 503, "restoring", 2],
    [new RestoringError("broken"), 503, "restoring", 60],
    [new StorageError("secret", { cause: new RestoringError("restored") }), 503, "restoring", 2],
    [new TooLargeError("secret", 10), 502, "upstream-too-large", null],
    [new TooLargeError("secret", 10, { setting: "largestDocument" }), 502, "upstream-too-large", null],
    [new BodyTooLargeError("secret", 10), 413, "body-too-large", null],
    [new RequestError(400, "odd", "It is odd."), 400, "odd", null],
    [new SyntaxError("secret"), 502, "upstream-unreadable", null],
    [new TypeError("secret"), 500, "internal", null],
    ["secret", 500, "internal", null],
    [undefined, 500, "internal", null],
  ];
  for (const [error, status, code, retryAfterSeconds] of table) {
    const problem = problemOf(error);
    assert.deepEqual([problem.status, problem.code, problem.retryAfterSeconds], [
      status,
      code,
      retryAfterSeconds,
    ]);
    assert.doesNotMatch(problem.message, /secret/);
    assert.match(problem.message, /^[A-Z][\x20-\x7e]+\.$/, problem.message);
  }
});
