import assert from "node:assert/strict";
import type { EpochMs } from "../policy/types.ts";
import { readAsOf } from "./as_of.ts";
import { createAdmission, createPlace } from "./target.ts";
import { sampleView } from "./testing.ts";

const NOW = Date.UTC(2026, 5, 1, 12) as EpochMs;

function admitting(hasRootMounts: boolean): (path: string) => string {
  const ecosystems = ["npm", "pypi", "cargo"];
  const place = createPlace({ base: new URL("http://s.test/x"), hosts: [], ecosystems, hasRootMounts });
  const admit = createAdmission(place);
  return (path) => {
    const target = admit({ method: "GET", url: `http://s.test${path}`, headers: new Headers() } as Request);
    if (target.kind === "rejection") return `${target.status} ${target.code}`;
    if (target.kind === "site") return `${target.organisation}@${target.at} ${target.path}`;
    const { organisation, pathToken, at, ecosystem, segments } = target;
    return `${organisation}${pathToken === null ? "" : " token"}@${at} ${ecosystem} ${segments.join(" ")}`;
  };
}

Deno.test("admit: /at/{instant}/ stands after organisation and token, before an ecosystem or a why page", () => {
  const admit = admitting(false);
  const rows: readonly (readonly [string, string])[] = [
    ["/at/2026-03-01/npm/left-pad", "null@2026-03-01 npm left-pad"],
    ["/x/at/2026-03-01/npm/left-pad", "null@2026-03-01 npm left-pad"],
    ["/o/acme/at/2026-03-01/npm/left-pad", "acme@2026-03-01 npm left-pad"],
    ["/o/acme/t/secret/at/2026-03-01/npm/left-pad", "acme token@2026-03-01 npm left-pad"],
    ["/at/2026-03-01T12:00:00+01:00/npm/x", "null@2026-03-01T12:00:00+01:00 npm x"],
    ["/at/2026-03-01T12%3A00%3A00%2B01%3A00/npm/x", "null@2026-03-01T12:00:00+01:00 npm x"],
    ["/at/spring/pypi/simple/foo/", "null@spring pypi simple foo "],
    ["/at/spring/-/why/pkg:npm/foo@1", "null@spring /-/why/pkg%3Anpm/foo%401"],
    ["/at/spring/-/health", "404 no-such-route"],
    ["/at/spring/-/api/v1/tokens", "404 no-such-route"],
    ["/at/spring", "404 no-such-route"],
    ["/at/spring/at/2026-03-01/npm/x", "404 no-such-route"],
    ["/at/spring/o/acme/npm/x", "404 no-such-route"],
    ["/at/2026-03-01/../npm/x", "400 malformed-path"],
    ["/at/", "404 no-such-route"],
    // What lost its prefix, of a package that is called so.
    ["/at/-/at-1.0.0.tgz", "null@null null at - at-1.0.0.tgz"],
    ["/npm/at/1.0.0", "null@null npm at 1.0.0"],
  ];
  for (const [path, expected] of rows) assert.equal(admit(path), expected, path);
});

Deno.test("admit: at the root of a host a package may be called at, and crates begin with it", () => {
  const admit = admitting(true);
  const rows: readonly (readonly [string, string])[] = [
    ["/at", "null@null null at"],
    ["/at/", "null@null null at "],
    ["/at/1.0.0", "null@null null at 1.0.0"],
    ["/at/-/at-1.0.0.tgz", "null@null null at - at-1.0.0.tgz"],
    ["/at/om/atomic", "null@null null at om atomic"],
    ["/at/np/atnpm", "null@null null at np atnpm"],
    ["/at/2026-03-01/npm/left-pad", "null@2026-03-01 npm left-pad"],
    ["/at/2026-03-01/-/why/pkg:npm/x", "null@2026-03-01 /-/why/pkg%3Anpm/x"],
  ];
  for (const [path, expected] of rows) assert.equal(admit(path), expected, path);
});

Deno.test("readAsOf: days, times and snapshots; nothing ahead, nothing malformed, nothing quoted that is neither", () => {
  const snapshots = [{
    id: "spring",
    at: 5 as EpochMs,
    createdAt: NOW,
    owner: "ada",
    description: "",
    until: null,
  }];
  const view = { ...sampleView("acme"), snapshots };
  const rows: readonly (readonly [string, number | string])[] = [
    ["2026-03-01", Date.UTC(2026, 2, 1)],
    ["2026-03-01T12:30:00Z", Date.UTC(2026, 2, 1, 12, 30)],
    ["2026-03-01T12:30:00.250+01:00", Date.UTC(2026, 2, 1, 11, 30) + 250],
    ["2026-06-01T12:00:00Z", NOW],
    ["spring", 5],
    ["2026-06-01T12:00:00.001Z", "400 future-instant"],
    ["9999-01-01", "400 future-instant"],
    ["2026-02-30", "400 malformed-instant"],
    ["2026-03-01 12:30:00Z", "400 malformed-instant"],
    ["2026-03-01T12:30:00", "400 malformed-instant"],
    ["20260301", "400 malformed-instant"],
    ["1969-12-31", "400 malformed-instant"],
    ["Spring", "404 no-such-snapshot"],
    ["<b>", "400 malformed-instant"],
    ["x".repeat(65), "400 malformed-instant"],
  ];
  for (const [text, expected] of rows) {
    const reading = readAsOf(text, view, NOW);
    const found = reading.ok ? reading.at?.instant : `${reading.problem.status} ${reading.problem.code}`;
    assert.equal(found, expected, text);
    if (!reading.ok) assert.ok(!reading.problem.message.includes("<"));
  }
  const named = readAsOf("spring", view, NOW);
  assert.equal(named.ok && named.at?.isNamed, true);
});
