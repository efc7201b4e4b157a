/** Appends until it is killed, and says on standard output which records were acknowledged. For storage/installs/journal_kill_test.ts. */
import type { EpochMs } from "../../policy/types.ts";
import { sampleRecord } from "./install_log.ts";
import { openJournal } from "../../storage/installs/journal.ts";
import { createRecordIds } from "../../storage/installs/record.ts";

const [path = "", instance = ""] = Deno.args;
const clock = () => Date.now() as EpochMs;
const journal = openJournal({ path, instance, clock, log: () => {}, maxFileBytes: 100_000 });
const nextId = createRecordIds(clock, instance, Math.random);
const encoder = new TextEncoder();

async function appendForEver(): Promise<never> {
  while (true) {
    const id = nextId();
    await journal.append({ record: sampleRecord({ id }), cutOffAt: null });
    // At once and whole, as the last byte of an answer would go.
    Deno.stdout.writeSync(encoder.encode(`${id}\n`));
  }
}

await Promise.all(Array.from({ length: 16 }, appendForEver));
