/**
 * Every document and every file of every protocol, in every way that an upstream can fail: a minute. An ecosystem's
 * further samples (other forms of its upstream) with `SLUICE_FAULTS=all`.
 */
import { loadSamples } from "../contract/samples.ts";
import { type FaultName, FAULTS } from "../fakes/upstream.ts";
import { assertFaults, assertNeverAbsent } from "../system/fault_asserts.ts";

const IS_THOROUGH = Deno.env.get("SLUICE_FAULTS") === "all";
const all = await loadSamples();

for (const sampled of all) {
  const { title } = sampled.sample;
  const isFirstOfItsKind = all.find(({ ecosystem }) => ecosystem === sampled.ecosystem) === sampled;
  if (!isFirstOfItsKind && !IS_THOROUGH) continue;

  Deno.test(`${title}: every document and file under every fault: told, logged once, nothing kept, the next succeeds`, async () => {
    await assertFaults(sampled, Object.keys(FAULTS) as FaultName[], ({ isFirst }) => isFirst);
  });

  Deno.test(`${title}: a source that fails never becomes absent, in any form of answer that needs it`, async () => {
    await assertNeverAbsent(sampled, ({ isFirst, isOwn }) => isFirst || isOwn);
  });
}
