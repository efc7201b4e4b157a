/** How old what is served may be, for every ecosystem: fresh, revalidated, stale, absent, gone, refreshed by schedule. */
import assert from "node:assert/strict";
import type { SampleAsk } from "./sample.ts";
import { loadSamples, type Sampled } from "./samples.ts";
import { type Answered, eachOf, send, startWorld, type World, type WorldOptions } from "./world.ts";

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
  for (let turn = 0; turn < 4_000; turn++) {
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
    // The second of two documents waits for the first one's probe, a second at most: a busy machine may need more.
    const renewed = /^sluice; fwd=stale; fwd-status=(?:200; stored; ttl=600$|304)/;
    await eventually(async () => renewed.test((await status(index))[0]));
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
    const first = await get(never!);
    assert.equal(first.status, 404);
    assert.equal(first.headers.get("cache-status"), "sluice; fwd=miss; ttl=300; detail=no-such-package");
    const asked = asking.asked();
    sluice.advance(4 * MINUTE);
    const absent = await get(never!);
    assert.equal(absent.status, 404);
    assert.equal(absent.headers.get("cache-status"), "sluice; hit; ttl=60; detail=no-such-package");
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
    const ended = await get(index);
    assert.equal(ended.status, 404);
    assert.equal(ended.headers.get("cache-status"), "sluice; fwd=stale; ttl=300; detail=no-such-package");
    assert.equal((await get(file)).status, 404);
  });

  Deno.test(`${sample.title}: after artifactTtl a file is served if upstream still has it, stale if upstream fails, and ends if it is gone`, async () => {
    const env = { SLUICE_ARTIFACT_TTL: "24h", SLUICE_METADATA_TTL: "30d", SLUICE_STALE_IF_ERROR: "1h" };
    await using asking = await startAsking(sampled, { env });
    const { world: { sluice, upstream, answers }, file, status, get } = asking;
    const { body, target } = answers.find((answer) => answer.file?.filename === file.filename)!;
    assert.equal((await status(file))[0], "sluice; fwd=miss; fwd-status=200; stored");
    sluice.advance(24 * HOUR - SECOND);
    const before = asking.asked();
    assert.deepEqual(await status(file), ["sluice; hit; ttl=1", 86_399]);
    assert.equal(asking.asked(), before);

    sluice.advance(SECOND);
    const confirmed = await get(file);
    assert.equal(
      confirmed.headers.get("cache-status"),
      "sluice; fwd=stale; fwd-status=200; stored; ttl=86400",
    );
    assert.deepEqual(confirmed.bytes, body);
    assert.equal(asking.asked(), before + 1);
    assert.deepEqual(await status(file), ["sluice; hit; ttl=86400", 0]);

    sluice.advance(24 * HOUR);
    upstream.answer(target, { status: 500 });
    for (const _ of ["asked", "held back"]) {
      const stale = await get(file);
      assert.match(stale.headers.get("cache-status") ?? "", /; ttl=0; detail=stale-if-error$/);
      assert.match(stale.headers.get("warning") ?? "", /^110 /);
      assert.deepEqual(stale.bytes, body);
    }
    sluice.advance(HOUR);
    assert.equal((await get(file)).status, 502);
    upstream.answer(target, { status: 404 });
    sluice.advance(MINUTE);
    assert.equal((await get(file)).status, 404);
    assert.equal((await get(file)).status, 404, "and it is not served from what was kept");
  });

  Deno.test(`${sample.title}: switched off, it is 404 in words, whatever is asked, and is listed nowhere`, async () => {
    const { id, title } = sampled.ecosystem;
    const file = (url: string) =>
      `ecosystems: { ${id}: { enabled: false } }\nupstreams: { ${id}: [{ url: "${url}" }] }\n`;
    await using asking = await startAsking(sampled, { file });
    for (const ask of asking.world.asks) {
      const { status, text, headers } = await asking.get(ask);
      assert.equal(status, 404, ask.title);
      assert.ok(text.includes(`${title} is switched off here (ecosystems.${id}.enabled)`), text);
      assert.equal(headers.get("cache-status"), "sluice; detail=ecosystem-off");
    }
    assert.equal(asking.asked(), 0);
    const page = await send(`${asking.world.sluice.url}/`, { headers: { accept: "application/json" } });
    const listed = JSON.parse(page.text).ecosystems.map((mount: { readonly id: string }) => mount.id);
    assert.ok(listed.length > 0 && !listed.includes(id), page.text);
  });

  Deno.test(`${sample.title}: an upstream's own lifetime counts over its ecosystem's, that over the instance's`, async () => {
    const { id } = sampled.ecosystem;
    for (const [own, seconds] of [["", 1_200], ["metadataTtl: 30min, ", 1_800]] as const) {
      const file = (url: string) =>
        `ecosystems: { ${id}: { metadataTtl: 20min } }\nupstreams: { ${id}: [{ ${own}url: "${url}" }] }\n`;
      await using asking = await startAsking(sampled, { file });
      assert.deepEqual(
        await asking.status(asking.index),
        [`sluice; fwd=miss; fwd-status=200; stored; ttl=${seconds}`, 0],
      );
    }
  });

  Deno.test(`${sample.title}: packages in use are refreshed before they expire, and nobody's install waits for it`, async () => {
    await using asking = await startAsking(sampled);
    const { world: { sluice, upstream, published }, index, get, status } = asking;
    const { plain } = published;
    const first = await get(index);
    const last = plain.releases.at(-1)!.version;
    assert.ok(first.text.includes(last));
    await sluice.maintain();
    sluice.advance(5 * MINUTE);
    const early = asking.asked();
    await sluice.maintain();
    assert.equal(asking.asked(), early, "it is fresh for long yet");

    // Upstream takes a release back.
    const { name, releases } = plain;
    const now = [{ name, releases: releases.slice(0, -1) }];
    for (const { target, method, contentType, body } of sample.publish(now, upstream.url)) {
      upstream.answer(target, { body, headers: { "content-type": contentType }, ...(method && { method }) });
    }
    sluice.advance(4 * MINUTE);
    await sluice.maintain();
    const asked = asking.asked();
    assert.ok(asked > early, "nobody asked, and yet upstream was");
    const known = await get(index);
    assert.equal(asking.asked(), asked, "who asks now does not wait for upstream");
    assert.equal(known.headers.get("cache-status"), "sluice; hit; ttl=600");
    assert.ok(!known.text.includes(last), "what was taken back is gone");

    // In use it stays for a week.
    sluice.advance(6 * 24 * HOUR);
    await sluice.maintain();
    assert.match((await status(index))[0], /^sluice; hit; ttl=600$/);
    await sluice.maintain();
    const used = asking.asked();
    sluice.advance(8 * 24 * HOUR);
    await sluice.maintain();
    assert.equal(asking.asked(), used, "nobody asked for it for a week");
  });

  Deno.test(`${sample.title}: every answer says what the cache's part in it was, as RFC 9211 has it`, async () => {
    await using asking = await startAsking(sampled);
    const { world: { sluice, asks, upstream }, mount, get } = asking;
    await sluice.setPolicy({ callers: "named" });
    assert.equal((await get(asks[0]!)).headers.get("cache-status"), "sluice; detail=name-required");
    const seen = new Set<number>();
    const each = new Map(asks.map((ask) => [ask.title, ask]));
    const wanted = [...each.values(), { ...asking.index, path: "no/such/path/at/all" }];
    for (
      const policy of [{ minimumAge: "95d", unknownAge: "strict" }, { ...LAX, artifacts: "upstream" }, LAX]
    ) {
      await sluice.setPolicy(policy);
      await eachOf(wanted, async (ask) => {
        const answer = await get(ask);
        const etag = answer.headers.get("etag");
        const more = policy === LAX ? [await get({ ...ask, method: "HEAD" as SampleAsk["method"] })] : [];
        if (etag !== null) more.push(await get(ask, { "if-none-match": etag }));
        for (const { status, headers } of [answer, ...more]) {
          seen.add(status);
          const said = headers.get("cache-status") ?? "";
          assert.match(said, FORM, `${ask.title}: ${status} ${said}`);
          assert.equal(/; hit/.test(said), !/; fwd=/.test(said) && headers.has("age"), said);
        }
      });
    }
    await upstream.stop();
    sluice.advance(HOUR * 2);
    assert.match((await send(`${mount}/${asking.index.path}`)).headers.get("cache-status") ?? "", FORM);
    for (const status of [200, 304, 404]) assert.ok(seen.has(status), `${status} among ${[...seen]}`);
    assert.ok(seen.has(403) || seen.has(302), `refusals among ${[...seen]}`);
  });
}

/** Parameters are tokens and integers; `hit` and `fwd` exclude each other (RFC 9211, 2). */
const FORM =
  /^sluice(?:; hit|; fwd=(?:miss|stale|bypass)(?:; fwd-status=\d{3})?(?:; stored)?)?(?:; ttl=-?\d+)?(?:; detail=[a-z][a-z0-9-]*)?$/;
