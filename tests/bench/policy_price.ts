/** What a policy costs where everything is hot: the same answers for an organisation with every rule and for one with none. */
import type { Finding } from "./bounds.ts";
import { type Case, SMALL_FILE } from "./cases.ts";
import { askRaw, medianLatency } from "./load.ts";
import type { Measured } from "./servers.ts";
import { median } from "./stats.ts";

/** The bound: milliseconds that the median may be longer. */
const BOUND_MS = 0.1;

/** One connection, one request after another; the organisations take turns. */
export async function measurePolicyPrice(
  sluice: Measured,
  options: { readonly rounds: number; readonly seconds: number; readonly index: Case },
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const each of [options.index, SMALL_FILE]) {
    const medians = { ruled: [] as number[], unruled: [] as number[] };
    for (let round = 0; round < options.rounds; round++) {
      for (const organisation of ["ruled", "unruled"] as const) {
        const target = { url: `${sluice.url}/o/${organisation}/npm${each.path}`, headers: each.headers };
        const { status } = await askRaw(target);
        if (status !== 200) throw new Error(`${status} from ${target.url}`);
        medians[organisation].push(await medianLatency(target, options.seconds));
      }
    }
    const found = median(medians.ruled) - median(medians.unruled);
    findings.push({
      what: `the policy's price at the median, ${each.title}`,
      found,
      bound: BOUND_MS,
      unit: "ms",
    });
  }
  return findings;
}
