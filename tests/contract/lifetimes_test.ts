/** How old what is served may be, for every ecosystem: fresh, revalidated, stale, absent, gone, refreshed by schedule. */
import assert from "node:assert/strict";
import type { SampleAsk } from "./sample.ts";
import { loadSamples, type Sampled } from "./samples.ts";
import {
  type Answered,
  askAll,
  OF_A_PACKAGE,
  send,
  startWorld,
  type World,
  type WorldOptions,
} from "./world.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const LIFETIMES = {
  SLUICE_METADATA_TTL: "10min",
  SLUICE_STALE_WHILE_REVALIDATE: "2min",
  SLUICE_STALE_IF_ERROR: "1h",
  SLUICE_ABSENT_TTL: "5min",
};
/** Everything is old enough. */
const LAX = { minimumAge: "0d", unknownAge: "allow", publisherDowngrade: { verdict: "allow" } };

interface Asking extends AsyncDisposable {
  readonly world: World;
  readonly mount: string;
  /** The package's own index, as its first form. */
  readonly index: SampleAsk;
  /** One of its files. */
  readonly file: SampleAsk;
  get(ask: SampleAsk, headers?: Readonly<Record<string, string>>): Promise<Answered>;
  /** `[cache-status, age]`. */
  status(ask: SampleAsk): Promise<readonly [string, number]>;
  /** How many requests upstream had. */
  asked(): number;
}

async function startAsking(sampled: Sampled, options: WorldOptions = {}): Promise<Asking> {
  const world = await startWorld(sampled, { ...options, env: { ...LIFETIMES, ...options.env } });
  await world.sluice.setPolicy(LAX);
  const mount = `${world.sluice.url}/${sampled.ecosystem.id}`;
  const { name } = world.published.plain;
  const about = (kind: string) => world.asks.find((ask) => ask.kind === kind && ask.package === name)!;
  const get = (ask: SampleAsk, headers = {}) =>
    send(`${mount}/${ask.path}`, { ...ask, headers: { ...ask.headers, ...headers } });
  return {
    world,
    mount,
    index: about("index"),
    file: about("artifact"),
    get,
    async status(ask) {
      const { headers } = await get(ask);
      return [headers.get("cache-status") ?? "", Number(headers.get("age") ?? NaN)];
    },
    asked: () => world.upstream.requests.length,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** Asks until what goes on behind the answers has come to its end. */
async function eventually(look: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    if (await look()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail("it never happened");
}

/** From now on upstream has an entity tag of everything, and says 304 to who has it. */
function tagEverything({ world }: Asking): void {
  for (const { target, method, contentType, body } of world.answers) {
    if ((method ?? "GET") !== "GET") continue;
    world.upstream.answer(
      target,
      ({ headers }) =>
        headers.get("if-none-match") === '"same"'
          ? { status: 304 }
          : { body, headers: { "content-type": contentType, etag: '"same"' } },
    );
  }
}

for (const sampled of await loadSamples()) {
  const { sample } = sampled;

  Deno.test(`${sample.title}: fresh, then stale while revalidated, then stale if upstream fails, then an error: each says so`, async () => {
    await using asking = await startAsking(sampled);
    const { world: { sluice, upstream }, index, status, get } = asking;
    assert.deepEqual(await status(index), ["sluice; fwd=miss; fwd-status=200; stored; ttl=600", 0]);
    assert.deepEqual(await status(index), ["sluice; hit; ttl=600", 0]);
    sluice.advance(590 * SECOND);
    const before = asking.asked();
    assert.deepEqual(await status(index), ["sluice; hit; ttl=10", 590]);
    assert.equal((await get(index)).headers.get("warning"), null);
    assert.equal(asking.asked(), before);

    sluice.advance(30 * SECOND);
    const stale = await get(index);
    assert.equal(stale.headers.get("cache-status"), "sluice; hit; ttl=-20; detail=stale-while-revalidate");
    assert.equal(stale.headers.get("age"), "620");
    assert.match(stale.headers.get("warning") ?? "", /^110 /);
    await eventually(async () => (await status(index))[0] === "sluice; hit; ttl=600");

    await upstream.stop();
    sluice.advance(13 * MINUTE);
    assert.deepEqual(await status(index), ["sluice; fwd=stale; ttl=-180; detail=stale-if-error", 780]);
    const held = await get(index);
    assert.equal(held.headers.get("cache-status"), "sluice; hit; ttl=-180; detail=stale-if-error");
    assert.equal(held.status, 200);

    sluice.advance(HOUR);
    const tooOld = await get(index);
    assert.ok(tooOld.status >= 502, `${tooOld.status}`);
    assert.match(tooOld.headers.get("cache-status") ?? "", /^sluice; fwd=miss; detail=upstream-[a-z-]+$/);
    upstream.start();
    sluice.advance(2 * MINUTE);
    assert.match(
      (await status(index))[0],
      /^sluice; fwd=stale; fwd-status=200; stored; ttl=600$|fwd-status=304/,
    );
  });

  Deno.test(`${sample.title}: a 304 renews what it confirms for its whole lifetime`, async () => {
    await using asking = await startAsking(sampled);
    const { world: { sluice }, index, status, get } = asking;
    tagEverything(asking);
    const first = await get(index);
    sluice.advance(13 * MINUTE);
    const renewed = await get(index);
    assert.equal(renewed.headers.get("cache-status"), "sluice; fwd=stale; fwd-status=304; stored; ttl=600");
    assert.equal(renewed.headers.get("age"), "0");
    assert.equal(renewed.text, first.text);
    sluice.advance(9 * MINUTE);
    assert.deepEqual(await status(index), ["sluice; hit; ttl=60", 540]);
  });

  Deno.test(`${sample.title}: what upstream does not have is remembered for absentTtl; a 410 ends what was there, files too`, async () => {
    await using asking = await startAsking(sampled);
    const { world: { sluice, upstream, published }, index, file, get } = asking;
    const [never] = sample.asks([{ name: "sluiceabsent", releases: published.plain.releases }])
      .filter(({ kind }) => kind === "index");
    assert.equal((await get(never!)).status, 404);
    const asked = asking.asked();
    sluice.advance(4 * MINUTE);
    const absent = await get(never!);
    assert.equal(absent.status, 404);
    assert.match(absent.headers.get("cache-status") ?? "", /^sluice; detail=no-such-package$/);
    assert.equal(asking.asked(), asked);
    sluice.advance(61 * SECOND);
    assert.equal((await get(never!)).status, 404);
    assert.ok(asking.asked() > asked);

    assert.equal((await get(index)).status, 200);
    assert.equal((await get(file)).status, 200);
    const own = asking.world.answers.filter(({ target }) =>
      decodeURIComponent(target).toLowerCase().includes(published.plain.name.toLowerCase())
    );
    for (const { target } of own) upstream.answer(target, { status: 410 });
    sluice.advance(13 * MINUTE);
    assert.equal((await get(index)).status, 404);
    assert.equal((await get(file)).status, 404);
  });
}
