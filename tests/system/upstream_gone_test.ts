import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ask } from "./ask.ts";
import { assertTold, createWorld, failuresSince, HOUR_MS, MINUTE_MS } from "./faults_world.ts";

Deno.test("an authoritative 404 or 410 ends the cached document at once, in every form; the file goes with it", async () => {
  for (const status of [404, 410]) {
    await using world = await createWorld();
    const { registry, sluice } = world;
    world.publish("ended");
    const file = `${sluice.url}/npm/ended/-/ended-1.0.0.tgz`;
    assert.equal((await ask(`${sluice.url}/npm/ended`)).status, 200);
    assert.equal((await ask(file)).status, 200);
    registry.upstream.answer("/ended", { status, body: JSON.stringify({ error: "gone" }) });
    sluice.advance(HOUR_MS + 6 * MINUTE_MS);
    for (const abbreviated of [false, true]) {
      const answer = await ask(`${sluice.url}/npm/ended`, { abbreviated });
      assertTold(answer, 404, `${status}`);
    }
    assert.equal((await ask(file)).status, 404);
    assert.equal((await ask(`${sluice.url}/-/why/pkg:npm/ended`)).status, 404);
  }
});

Deno.test("upstream gone: what is cached is served stale and says so, files install; what is not is 502 and no empty index", async () => {
  await using world = await createWorld();
  const { registry, sluice } = world;
  const { tarball } = world.publish("cached");
  world.publish("unfetched");
  world.publish("never");
  const npm = `${sluice.url}/npm`;
  const first = await ask(`${npm}/cached`);
  await ask(`${npm}/cached/-/cached-1.0.0.tgz`);
  await ask(`${npm}/unfetched`);
  await registry.upstream.stop();
  sluice.advance(HOUR_MS + 6 * MINUTE_MS);

  for (const abbreviated of [false, true]) {
    const stale = await ask(`${npm}/cached`, { abbreviated });
    assert.equal(stale.status, 200);
    assert.match(stale.headers.get("warning") ?? "", /^110 /);
    assert.match(stale.headers.get("cache-status") ?? "", /stale/);
    assert.ok(Number(stale.headers.get("age")) >= 3_600);
    assert.deepEqual(Object.keys(stale.json().versions), ["1.0.0"]);
    if (!abbreviated) assert.equal(stale.text, first.text);
  }
  const file = await ask(`${npm}/cached/-/cached-1.0.0.tgz`);
  assert.ok(Buffer.from(file.bytes).equals(tarball));
  assertTold(await ask(`${npm}/unfetched/-/unfetched-1.0.0.tgz`), 502, "a file that was never here");
  assertTold(await ask(`${npm}/never`), 502, "a package that was never here");

  await sluice.restart();
  assert.equal((await ask(`${npm}/cached`)).status, 200, "it is on disk");
  assert.ok(Buffer.from((await ask(`${npm}/cached/-/cached-1.0.0.tgz`)).bytes).equals(tarball));

  sluice.advance(7 * 24 * HOUR_MS);
  const tooOld = await ask(`${npm}/cached`);
  assert.ok(
    tooOld.status >= 502 && typeof tooOld.json().error === "string",
    "stale for so long and no longer",
  );
  registry.upstream.start();
  sluice.advance(MINUTE_MS);
  const back = await ask(`${npm}/cached`);
  assert.equal(back.status, 200);
  assert.equal(back.headers.get("warning"), null);
});

Deno.test("a sign-in page with status 200 ends nothing that is cached, and becomes no package", async () => {
  await using world = await createWorld();
  const { sluice } = world;
  const { give } = world.publish("behind");
  assert.equal((await ask(`${sluice.url}/npm/behind`)).status, 200);
  for (const fault of ["html-with-200", "html-as-json"] as const) {
    give(fault);
    sluice.advance(HOUR_MS + 6 * MINUTE_MS);
    const stale = await ask(`${sluice.url}/npm/behind`);
    assert.equal(stale.status, 200, fault);
    assert.match(stale.headers.get("warning") ?? "", /^110 /);
    assert.deepEqual(Object.keys(stale.json().versions), ["1.0.0"]);
  }
});

Deno.test("absent is remembered for a minute, then asked again; a package published meanwhile is there", async () => {
  await using world = await createWorld();
  const { registry, sluice } = world;
  registry.upstream.answer("/later", { status: 404, body: "{}" });
  for (let again = 0; again < 5; again++) assertTold(await ask(`${sluice.url}/npm/later`), 404, "absent");
  assert.equal(registry.upstream.asked("/later").length, 1);
  world.publish("later");
  assert.equal((await ask(`${sluice.url}/npm/later`)).status, 404);
  sluice.advance(MINUTE_MS + 1);
  assert.equal((await ask(`${sluice.url}/npm/later`)).status, 200);
  assert.equal(registry.upstream.asked("/later").length, 2);
});

Deno.test("upstream failing: a copy is served stale to all who ask, upstream is asked once in five seconds, and it is told once", async () => {
  await using world = await createWorld();
  const { registry, sluice } = world;
  const { give } = world.publish("asked");
  await ask(`${sluice.url}/npm/asked`);
  sluice.advance(HOUR_MS + 6 * MINUTE_MS);
  for (const fault of ["html-with-200", "server-error", "too-many-requests"] as const) {
    give(fault);
    const [asked, lines] = [registry.upstream.asked("/asked").length, sluice.lines.length];
    const crowd = Array.from({ length: 40 }, () => ask(`${sluice.url}/npm/asked`));
    for (const answer of await Promise.all(crowd)) {
      assert.equal(answer.status, 200, fault);
      assert.match(answer.headers.get("warning") ?? "", /^110 /);
    }
    for (let later = 0; later < 40; later++) await ask(`${sluice.url}/npm/asked`);
    const tries = fault === "server-error" ? 3 : 1;
    assert.equal(registry.upstream.asked("/asked").length - asked, tries, fault);
    assert.equal(failuresSince(sluice, lines).length, 1, fault);
    sluice.advance(5_000);
  }
  give();
  assert.equal((await ask(`${sluice.url}/npm/asked`)).status, 200, "it asked for seven seconds");
  sluice.advance(5_000);
  assert.equal((await ask(`${sluice.url}/npm/asked`)).headers.get("warning"), null);
});
