/** `deno task profile`: the ten hottest functions of Sluice, for each case that is named. README.md says how to read it. */
import { parseArgs } from "node:util";
import { CASES, createPackages, targetOf, writeAnswers } from "./cases.ts";
import { hottest, profiled } from "./cpu_profile.ts";
import { hasWrk, runLoop, runWrk } from "./load.ts";
import { serveFixtures, startMeasuredSluice } from "./servers.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "3" },
    connections: { type: "string", default: "16" },
    count: { type: "string", default: "10" },
    /** Cases whose title has this in it. */
    only: { type: "string", default: "" },
  },
});
const load = { seconds: Number(values.seconds), connections: Number(values.connections) };
const folder = await Deno.makeTempDir({ prefix: "sluice-profile-" });
try {
  await using upstream = serveFixtures(createPackages());
  await using sluice = await startMeasuredSluice(upstream.url, { inspected: true });
  await writeAnswers(sluice, folder);
  const run = await hasWrk() ? runWrk : runLoop;
  for (
    const each of CASES.filter(({ title, servers }) => servers[1] === "deno" && title.includes(values.only))
  ) {
    const target = await targetOf(sluice, each, folder);
    // What the optimising compiler does comes first.
    await run(target, { ...load, seconds: 1 });
    let perSecond = 0;
    const profile = await profiled(sluice.inspector!, async () => {
      perSecond = await run(target, load);
    });
    const { idleShare, functions } = hottest(profile, Number(values.count));
    const busy = (1 - idleShare) * 1e6 / perSecond;
    console.log(`${each.title}: ${Math.round(perSecond)}/s, ${busy.toFixed(1)} µs each in JavaScript`);
    for (const { where, share } of functions) {
      console.log(
        `${(share * busy).toFixed(2).padStart(8)} µs  ${(share * 100).toFixed(1).padStart(5)} %  ${where}`,
      );
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
