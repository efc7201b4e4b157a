/** Two Sluices over one database and one bucket, behind nginx: for tests, one Sluice. */
import { NGINX_MISSING, startBalancer } from "./nginx.ts";
import { freePort } from "./program.ts";
import { SHARED_MISSING, type SharedStorage, startSharedStorage } from "./shared_storage.ts";
import { startSluice, type TestSluice, type TestSluiceOptions } from "./sluice.ts";

/** Why a test that needs it cannot run; null: it can. */
export const PAIR_MISSING = SHARED_MISSING ?? NGINX_MISSING;

/** The suites of real clients run before a pair, too: `deno task e2e:pair`. */
const ASKED_FOR = Deno.env.get("SLUICE_E2E_PAIR") === "1";

/** Why a test before whatever is asked for cannot run; null: it can. */
export const ONE_OR_PAIR_MISSING = ASKED_FOR ? PAIR_MISSING : null;

export interface TestPair extends TestSluice {
  /** Each with its own address; `url` is nginx's. */
  readonly each: readonly [TestSluice, TestSluice];
  readonly storage: SharedStorage;
}

/** One Sluice, or where it is asked for a pair of them. */
export async function startOneOrPair(options: TestSluiceOptions): Promise<TestSluice> {
  return await (ASKED_FOR ? startPair(options) : startSluice(options));
}

/** Both have one clock of their own, moved together. */
export async function startPair(options: TestSluiceOptions): Promise<TestPair> {
  const storage = await startSharedStorage();
  const port = freePort();
  const env = { ...options.env, ...storage.env, SLUICE_BASE_URL: `http://127.0.0.1:${port}` };
  const start = () => startSluice({ ...options, env, data: "none" });
  const each: readonly [TestSluice, TestSluice] = [await start(), await start()];
  const [first, second] = each;
  const balancer = await startBalancer(each.map((sluice) => sluice.port), port);
  return {
    ...first,
    each,
    storage,
    folders: storage.folders,
    url: balancer.url,
    port,
    get lines() {
      return each.flatMap(({ lines }) => lines);
    },
    advance: (ms) => each.forEach((sluice) => sluice.advance(ms)),
    inFlight: async () => await each[0].inFlight() + await each[1].inFlight(),
    async setPolicy(...given) {
      await first.setPolicy(...given);
      second.advance(1_001);
    },
    async setFloor(floor) {
      await first.setFloor(floor);
      second.advance(1_001);
    },
    async restart(changed) {
      for (const sluice of each) await sluice.restart(changed === undefined ? env : { ...env, ...changed });
    },
    async [Symbol.asyncDispose]() {
      await balancer[Symbol.asyncDispose]();
      for (const sluice of each) await sluice[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
    },
  };
}
