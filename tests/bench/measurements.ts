/** What is measured by itself, and not in a race: `--only` takes these names. */
import { type Finding, findingsText } from "./bounds.ts";
import { measureCold } from "./cold.ts";
import { measureInstall } from "./install.ts";
import { measureLatency } from "./latency.ts";
import { measureIdle, measureMemory } from "./memory.ts";
import { measureStart } from "./start.ts";

const MEASUREMENTS = {
  cold: () => measureCold(),
  install: () => measureInstall(),
  latency: () => measureLatency(),
  memory: measureMemory,
  start: () => measureStart(),
} as const;

/** The same in half a minute, for CI: fewer of everything. */
const SHORT = {
  install: () => measureInstall({ rounds: 2, packages: 30 }),
  memory: () => measureIdle({ packages: 150, restMs: 2_000 }),
  start: () => measureStart({ packages: 5_000, starts: 3 }),
} as const;

/** The findings, as text or JSON; null: no measurement has this name. */
export async function runMeasurement(name: string, json: boolean): Promise<string | null> {
  if (!Object.hasOwn(MEASUREMENTS, name)) return null;
  const findings = await MEASUREMENTS[name as keyof typeof MEASUREMENTS]();
  return json ? JSON.stringify(findings, null, 2) : findingsText(findings);
}

/** All of them, one after the other; `said` is told of each that has ended. */
export async function runAllMeasurements(
  isShort: boolean,
  said: (name: string) => void,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [name, measure] of Object.entries(isShort ? SHORT : MEASUREMENTS)) {
    findings.push(...await measure());
    said(name);
  }
  return findings;
}
