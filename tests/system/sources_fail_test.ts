/** A few of the ways in which every document and file of every protocol can fail; tests/e2e has all of them. */
import { loadSamples } from "../contract/samples.ts";
import { assertFaults } from "./fault_asserts.ts";

for (const sampled of await loadSamples()) {
  Deno.test(`${sampled.sample.title}: every document and file that is cut, or a sign-in page: told, logged once, nothing kept, the next succeeds`, async () => {
    await assertFaults(sampled, ["cut-mid-body", "html-with-200"], ({ isFirst }) => isFirst);
  });
}
