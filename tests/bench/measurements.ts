/** What is measured by itself, and not in a race: `--only` takes these names. */
import { findingsText } from "./bounds.ts";
import { measureCold } from "./cold.ts";
import { measureInstall } from "./install.ts";
import { measureLatency } from "./latency.ts";
import { measureMemory } from "./memory.ts";
import { measureStart } from "./start.ts";

const MEASUREMENTS = {
  cold: measureCold,
  install: () => measureInstall(),
  latency: measureLatency,
  memory: measureMemory,
  start: measureStart,
} as const;

/** The findings, as text or JSON; null: no measurement has this name. */
export async function runMeasurement(name: string, json: boolean): Promise<string | null> {
  if (!Object.hasOwn(MEASUREMENTS, name)) return null;
  const findings = await MEASUREMENTS[name as keyof typeof MEASUREMENTS]();
  return json ? JSON.stringify(findings, null, 2) : findingsText(findings);
}
