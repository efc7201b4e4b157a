/** Every document and every file of every protocol, in every way that an upstream can fail: a minute. */
import { loadSamples } from "../contract/samples.ts";
import { type FaultName, FAULTS } from "../fakes/upstream.ts";
import { assertFaults, assertNeverAbsent } from "../system/fault_asserts.ts";

for (const sampled of await loadSamples()) {
  const { title } = sampled.sample;

  Deno.test(`${title}: every document and file under every fault: told, logged once, nothing kept, the next succeeds`, async () => {
    await assertFaults(sampled, Object.keys(FAULTS) as FaultName[], ({ isFirst }) => isFirst);
  });

  Deno.test(`${title}: a source that fails never becomes absent, in any form of answer that needs it`, async () => {
    await assertNeverAbsent(sampled, ({ isFirst, isOwn }) => isFirst || isOwn);
  });
}
