/** A Sluice on the real KV Connect server, which is stopped, killed, and there again. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DENOKV_MISSING, type DenokvServer, startDenokv } from "../fakes/denokv_server.ts";
import { createTarball, startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo } from "../fakes/sluice.ts";
import { ask, type Asked } from "../system/ask.ts";
import { runOurs, spawnServer } from "./server.ts";

const OLD = { publishedAt: daysAgo(100) };
/** Seven seconds for a call that was under way, and some for a machine that is busy. */
const ANSWER_MS = 20_000;
const WAYS: readonly (readonly [string, (kv: DenokvServer) => unknown, (kv: DenokvServer) => unknown])[] = [
  ["SIGSTOP", (kv) => Deno.kill(kv.pid, "SIGSTOP"), (kv) => Deno.kill(kv.pid, "SIGCONT")],
  ["SIGKILL", (kv) => kv.stop(), (kv) => kv.start()],
];

Deno.test({
  name:
    "KV Connect: without its server every answer is 503 in a plain sentence after five seconds, whatever is cached; " +
    `with it, all is well again${DENOKV_MISSING === null ? "" : ` (skipped: ${DENOKV_MISSING})`}`,
  ignore: DENOKV_MISSING !== null,
  fn: async () => {
    await using kv = await startDenokv();
    await using registry = await startNpmRegistry();
    for (const name of ["warm", "cold"]) registry.publish({ name, releases: { "1.0.0": OLD, "1.1.0": OLD } });
    const data = await Deno.makeTempDir({ prefix: "sluice-kv-gone-" });
    const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_KV: kv.url, SLUICE_KV_TOKEN: kv.token };
    await using server = await spawnServer({ data, env });
    const paths = ["warm", "warm/-/warm-1.0.0.tgz", "warm/1.0.0", "cold", "cold/-/cold-1.0.0.tgz"];
    const asked = async (path: string): Promise<Asked> => {
      const began = performance.now();
      const answer = await ask(`${server.url}/npm/${path}`, { user: "ada" });
      assert.ok(performance.now() - began < ANSWER_MS, `${path} took ${performance.now() - began} ms`);
      return answer;
    };
    let served = 0;
    const file = async () => {
      const answer = await asked("warm/-/warm-1.0.0.tgz");
      if (answer.status !== 200) return answer.status;
      served++;
      assert.ok(Buffer.from(answer.bytes).equals(createTarball("warm", "1.0.0", OLD)));
      return 200;
    };
    try {
      for (const path of paths.slice(0, 3)) assert.equal((await asked(path)).status, 200);
      served++;
      for (const [way, stop, start] of WAYS) {
        await stop(kv);
        const gone = performance.now();
        // What was confirmed less than five seconds ago may be used.
        while (await file() === 200) await pause(200);
        const tookMs = performance.now() - gone;
        assert.ok(tookMs < ANSWER_MS, `${way}: served for ${tookMs} ms`);
        for (const answer of await Promise.all(paths.map(asked))) {
          assert.equal(answer.status, 503, `${way}: ${answer.text}`);
          assert.equal(answer.json().error, "Sluice's own storage does not answer.", way);
          assert.equal(answer.headers.get("cache-control"), "no-store", way);
        }
        await start(kv);
        const back = performance.now();
        while (await file() !== 200) {
          assert.ok(performance.now() - back < 60_000, `${way}: not back\n${server.output()}`);
          await pause(200);
        }
        console.log(
          `      ${way}: 503 after ${Math.round(tookMs)} ms, back after ${
            Math.round(performance.now() - back)
          } ms`,
        );
        for (const path of paths) assert.equal((await asked(path)).status, 200, `${way}: ${path}`);
        served++;
      }
      // Two of each round were asked for by path.
      const { stdout, stderr } = await runOurs("cli/query.ts", ["export", "--json", "--data", data], { env });
      const records = JSON.parse(stdout || "[]").filter((each: { package: string }) =>
        each.package === "warm"
      );
      assert.ok(records.length >= served, `${records.length} of ${served} are in the log: ${stderr}`);
      assert.equal((await runOurs("cli/cache.ts", ["verify", "--data", data], { env })).code, 0);
      assert.equal(await server.end("SIGTERM"), 0, server.output());
    } finally {
      await Deno.remove(data, { recursive: true });
    }
  },
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
