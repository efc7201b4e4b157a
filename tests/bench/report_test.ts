import assert from "node:assert/strict";
import { isFar } from "./bounds.ts";
import { hottest } from "./cpu_profile.ts";
import { farFromGoal, outcomeOf, ratio, type Report, reportJson, reportText, type Row } from "./report.ts";

function row(sluice: readonly number[], nginx: readonly number[] | null, atLeast = 0.8): Row {
  const figures = (server: "sluice" | "nginx", rounds: readonly number[]) => {
    return { server, rounds, cpuMicros: 12.3, peakMb: 200 };
  };
  return {
    title: `row ${sluice[0]}`,
    figures: [figures("sluice", sluice), ...(nginx === null ? [] : [figures("nginx", nginx)])],
    goal: { against: "nginx", atLeast },
  };
}

function report(rows: readonly Row[], found = 0.05): Report {
  const findings = [{ what: "a price", found, bound: 0.1, unit: "×" }] as const;
  return {
    load: "wrk",
    seconds: 1,
    rounds: 3,
    connections: 16,
    deno: "2",
    rows,
    findings,
    probes: [],
    memory: [],
  };
}

Deno.test("outcomeOf: a goal is met, missed, missed by more than half, or its yardstick is not here", () => {
  assert.equal(ratio(row([10, 80, 90], [100, 100, 100]), "nginx"), 0.8);
  assert.equal(outcomeOf(row([80], [100])), "met");
  assert.equal(outcomeOf(row([79], [100])), "missed");
  assert.equal(outcomeOf(row([40], [100])), "missed");
  assert.equal(outcomeOf(row([39], [100])), "far");
  assert.equal(outcomeOf(row([80], null)), "unknown");
  assert.equal(outcomeOf(row([80], [0])), "unknown");
  const hard = { against: "nginx", atLeast: 1, attained: 0.4 } as const;
  assert.equal(outcomeOf({ ...row([21], [100]), goal: hard }), "missed");
  assert.equal(outcomeOf({ ...row([19], [100]), goal: hard }), "far");
  assert.equal(outcomeOf({ ...row([80], [100]), goal: null }), null);
});

Deno.test("farFromGoal: names what is below half of its goal, and nothing that noise may have done", () => {
  assert.deepEqual(farFromGoal(report([row([41], [100]), row([39], [100]), row([1], null)])), ["row 39"]);
  assert.deepEqual(farFromGoal(report([], 0.19)), []);
  assert.deepEqual(farFromGoal(report([], 0.21)), ["a price"]);
});

Deno.test("isFar: a ratio or size above twice the bound, or above twice what was attained of it", () => {
  const finding = { what: "a size", bound: 10, unit: "MB" } as const;
  assert.equal(isFar({ ...finding, found: 20 }), false);
  assert.equal(isFar({ ...finding, found: 21 }), true);
  assert.equal(isFar({ ...finding, found: 60, attained: 30 }), false);
  assert.equal(isFar({ ...finding, found: 61, attained: 30 }), true);
  assert.equal(isFar({ ...finding, found: 21, attained: 5 }), true);
  assert.equal(isFar({ ...finding, found: 9_999, bound: null }), false);
  assert.equal(isFar({ ...finding, found: 9_999, unit: "ms" }), false, "times are the machine's");
});

Deno.test("reportText, reportJson: ratio, goal and outcome stand beside the figures", () => {
  const text = reportText(report([row([79, 80, 81], [100])]));
  assert.match(text, /row 79 +80 ±1% +100 ±0% +0\.80 +0\.80 × nginx +met +12 : – +200/);
  const { rows } = JSON.parse(reportJson(report([row([40], [100])])));
  assert.deepEqual([rows[0].ratios, rows[0].outcome, rows[0].figures[0].median], [
    { nginx: 0.4 },
    "missed",
    40,
  ]);
});

Deno.test("hottest: own time by function, the largest first, idle time apart", () => {
  const frame = (functionName: string, url = "") => ({ functionName, url, lineNumber: 6 });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame("(idle)") },
      { id: 2, callFrame: frame("f", "file:///work/routes/a.ts") },
      { id: 3, callFrame: frame("g", "ext:deno_http/00_serve.ts") },
      { id: 4, callFrame: frame("f", "file:///work/routes/a.ts") },
    ],
    samples: [1, 2, 3, 4],
    timeDeltas: [600, 100, 150, 150],
  };
  assert.deepEqual(hottest(profile, 1), {
    idleShare: 0.6,
    functions: [{ where: "f routes/a.ts:7", share: 0.625 }],
  });
  assert.equal(hottest(profile, 9).functions[1]!.where, "g ext:deno_http/00_serve.ts:7");
});
