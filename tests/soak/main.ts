/** `deno task soak [--kills N] [--store folder|s3|both] [--seed N]`: SIGKILL at random moments of a mixed load. */
import { parseArgs } from "node:util";
import { S3_MISSING } from "../fakes/s3_server.ts";
import { startFixtures } from "./fixtures.ts";
import { createRandom } from "./random.ts";
import { soak } from "./soak.ts";
import { createWorld, type StoreKind } from "./world.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    store: { type: "string", default: "both" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const kills = wholeNumber("kills", values.kills);
const seed = wholeNumber("seed", values.seed);
const stores = storesOf(values.store);

const outcomes: boolean[] = [];
for (const store of stores) {
  if (store === "s3" && S3_MISSING !== null) console.log(`soak on s3 ... ignored (${S3_MISSING})`);
  else outcomes.push(await run(store));
}
const passed = outcomes.filter((isWell) => isWell).length;
const failed = outcomes.length - passed;
const ignored = stores.length - outcomes.length;
const counts = `${passed} passed | ${failed} failed${ignored > 0 ? ` | ${ignored} ignored` : ""}`;
console.log(`\n${failed === 0 ? "ok" : "FAILED"} | ${counts}`);
Deno.exit(failed === 0 ? 0 : 1);

async function run(store: StoreKind): Promise<boolean> {
  const startedAt = performance.now();
  await using fixtures = await startFixtures();
  await using world = await createWorld(store, fixtures.env);
  console.log(`soak on ${store}: ${kills} kills, --seed ${seed}, in ${world.data}`);
  try {
    const summary = await soak({
      kills,
      world,
      fixtures,
      random: createRandom(seed),
      progress: (line) => console.log(`  ${store} ${line}`),
    });
    const { held, answers, compared, refetched, leftovers, last } = summary;
    console.log(
      `soak on ${store} ... ok: ${kills} kills in ${Math.round((performance.now() - startedAt) / 1000)} s, ` +
        `${answers} answers, ${held} whole or refused and each in the log once, ${compared} files compared ` +
        `afterwards, ${last.keys} keys that point at something, ${last.blobs} blobs that are what they are ` +
        `called, ${refetched} refetched, ${leftovers} leftovers seen and all cleaned after their lease, ` +
        `${last.orphanedChunks} chunks and ${last.orphanedBlobs} blobs without a record`,
    );
    return true;
  } catch (error) {
    world.keep();
    console.error(error);
    console.log(`soak on ${store} ... FAILED: look into ${world.data}, and try again with --seed ${seed}`);
    return false;
  }
}

function wholeNumber(name: string, given: string): number {
  if (/^\d{1,9}$/.test(given)) return Number(given);
  console.error(`Cannot use --${name} ${JSON.stringify(given)}: expected a whole number`);
  Deno.exit(2);
}

function storesOf(given: string): readonly StoreKind[] {
  if (given === "both") return ["folder", "s3"];
  if (given === "folder" || given === "s3") return [given];
  console.error(`Cannot use --store ${JSON.stringify(given)}: expected folder, s3 or both`);
  Deno.exit(2);
}
