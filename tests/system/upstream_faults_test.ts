/** Every way in which an upstream goes wrong, through a whole Sluice: what the client gets, and what is kept of it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createTarball, startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { type Answer, type FaultName, FAULTS } from "../fakes/upstream.ts";
import { ask, type Asked } from "./ask.ts";

/** `whole`: the fault is none. `cut`: the connection breaks before the file is whole. */
type Told = 502 | 504 | "whole" | "cut";

const BROKEN = { packument: 502, tarball: 502 } as const;
const TOLD: Readonly<Record<FaultName, { readonly packument: Told; readonly tarball: Told }>> = {
  "cut-before-headers": BROKEN,
  "cut-in-headers": BROKEN,
  "cut-after-headers": BROKEN,
  "cut-mid-body": { packument: 502, tarball: "cut" },
  "one-byte-short": { packument: 502, tarball: "cut" },
  "no-final-chunk": { packument: 502, tarball: "cut" },
  "stall-before-headers": { packument: 504, tarball: 504 },
  "stall-after-headers": { packument: 504, tarball: 504 },
  "stall-mid-body": { packument: 504, tarball: "cut" },
  "drip": { packument: "whole", tarball: "whole" },
  "length-too-long": { packument: 502, tarball: "cut" },
  "length-too-short": { packument: 502, tarball: "cut" },
  "two-lengths": BROKEN,
  "no-length": { packument: "whole", tarball: "whole" },
  "no-length-cut": { packument: 502, tarball: "cut" },
  "wrong-digest": { packument: 502, tarball: "cut" },
  // The file under a wrong label is the file: its digest says so.
  "gzip-that-is-plain": { packument: 502, tarball: "whole" },
  "gzip-cut": { packument: 502, tarball: "cut" },
  "gzip-twice": { packument: 502, tarball: "cut" },
  "gzip-bomb": { packument: 502, tarball: "cut" },
  "unknown-encoding": { packument: 502, tarball: "whole" },
  "not-modified-unasked": BROKEN,
  "html-with-200": { packument: 502, tarball: "cut" },
  "html-as-json": { packument: 502, tarball: "cut" },
  "too-many-requests": BROKEN,
  "server-error": BROKEN,
  "unavailable": BROKEN,
  "redirect-private": BROKEN,
  "redirect-metadata": BROKEN,
  "redirect-loopback": BROKEN,
  "redirect-file": BROKEN,
  "redirect-nowhere": BROKEN,
  "redirect-endless": BROKEN,
  "redirect-loop": BROKEN,
  "not-http": BROKEN,
  "control-byte-in-header": BROKEN,
};

const RELEASE = { publishedAt: daysAgo(100) };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const JSON_TYPE = { "content-type": "application/json" };
const IMPATIENT = {
  SLUICE_CONNECT_TIMEOUT: "200ms",
  SLUICE_FIRST_BYTE_TIMEOUT: "200ms",
  SLUICE_IDLE_TIMEOUT: "300ms",
};

/** One package for each fault, as short as it can be: some faults send a byte at a time. */
async function createWorld(env: Readonly<Record<string, string>> = IMPATIENT) {
  const registry = await startNpmRegistry();
  const { upstream } = registry;
  const sluice = await startSluice({ env: { SLUICE_UPSTREAM_NPM: upstream.url, ...env } });

  function publish(name: string) {
    const tarball = createTarball(name, "1.0.0", RELEASE);
    const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
    const path = registry.tarballPath(name, "1.0.0");
    const dist = { integrity, tarball: new URL(path, upstream.url).href };
    const packument = JSON.stringify({
      name,
      "dist-tags": { latest: "1.0.0" },
      versions: { "1.0.0": { name, version: "1.0.0", dist } },
      time: { "1.0.0": RELEASE.publishedAt },
    });
    const give = (fault?: FaultName) => {
      const how = fault === undefined ? {} : { fault };
      upstream.answer(`/${name}`, { body: packument, headers: JSON_TYPE, ...how });
    };
    const giveFile = (fault?: FaultName) =>
      upstream.answer(path, { body: tarball, ...(fault === undefined ? {} : { fault }) });
    give();
    giveFile();
    return { tarball, give, giveFile, path };
  }

  return {
    registry,
    sluice,
    publish,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Lines that tell of a failure, since the count given. */
function failuresSince(sluice: TestSluice, before: number) {
  return sluice.lines.slice(before).filter(({ level }) => level === "warn" || level === "error");
}

function assertTold(answer: Asked, status: number, what: string): void {
  assert.equal(answer.status, status, `${what}: ${answer.text}`);
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json/, what);
  const body = answer.json();
  assert.equal(typeof body.error, "string", what);
  assert.ok(!("versions" in body) && !("dist-tags" in body), `${what}: an error is no empty index`);
  assert.equal(answer.headers.get("cache-control"), "no-store", what);
}

/** Pieces with a pause before all but the first. */
async function* slowly(pieces: readonly Uint8Array[], pauseMs = 100): AsyncGenerator<Uint8Array> {
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    yield piece;
  }
}

/** One after another, since log lines are counted; the one that is slow and says nothing runs beside them. */
async function forEachFault(test: (fault: FaultName, name: string) => Promise<void>): Promise<void> {
  const slow = test("drip", "drip");
  for (const fault of Object.keys(TOLD) as FaultName[]) {
    if (fault !== "drip") await test(fault, fault);
  }
  await slow;
}

Deno.test("upstream faults: the table names every one", () => {
  assert.deepEqual(Object.keys(TOLD).sort(), Object.keys(FAULTS).sort());
});

Deno.test("packument under every fault: told with what failed, logged once, nothing kept, the next request succeeds", async () => {
  await using world = await createWorld();
  const { sluice } = world;
  await forEachFault(async (fault, name) => {
    const { give } = world.publish(name);
    give(fault);
    const before = sluice.lines.length;
    const answer = await ask(`${sluice.url}/npm/${name}`);
    const told = TOLD[fault].packument;
    if (told === "whole") assert.deepEqual(Object.keys(answer.json().versions), ["1.0.0"], fault);
    else {
      assertTold(answer, told as number, fault);
      const logged = failuresSince(sluice, before);
      assert.equal(logged.length, 1, `${fault}: ${JSON.stringify(logged)}`);
      assert.equal(
        (await ask(`${sluice.url}/-/why/pkg:npm/${name}`)).status,
        404,
        `${fault}: nothing is kept`,
      );
    }
    give();
    const next = await ask(`${sluice.url}/npm/${name}`, { abbreviated: true });
    assert.equal(next.status, 200, `${fault}: ${next.text}`);
    assert.deepEqual(Object.keys(next.json().versions), ["1.0.0"], fault);
  });
});

Deno.test("tarball under every fault: never a wrong file as a whole one, logged once, nothing kept, the next succeeds", async () => {
  await using world = await createWorld();
  const { sluice } = world;
  await forEachFault(async (fault, name) => {
    const { giveFile, tarball } = world.publish(name);
    await ask(`${sluice.url}/npm/${name}`);
    giveFile(fault);
    const before = sluice.lines.length;
    const url = `${sluice.url}/npm/${name}/-/${name}-1.0.0.tgz`;
    const answer = await ask(url).catch(() => null);
    const told = TOLD[fault].tarball;
    if (told === "whole") assert.ok(Buffer.from(answer!.bytes).equals(tarball), fault);
    else {
      if (told === "cut") assert.ok(answer === null || answer.status >= 500, `${fault}: ${answer?.status}`);
      else assertTold(answer!, told, fault);
      const logged = failuresSince(sluice, before);
      assert.equal(logged.length, 1, `${fault}: ${JSON.stringify(logged)}`);
      const served = (await sluice.installs()).filter((install) => install.package === name);
      assert.deepEqual(
        served.filter(({ outcome }) => outcome === "served"),
        [],
        `${fault}: nothing was served`,
      );
    }
    giveFile();
    const next = await ask(url);
    assert.equal(next.status, 200, `${fault}: ${next.text}`);
    assert.ok(Buffer.from(next.bytes).equals(tarball), fault);
  });
});

Deno.test("a large tarball that breaks off on the way: the client's download fails, it is logged once, recorded as partial", async () => {
  await using world = await createWorld();
  const { registry, sluice } = world;
  const files = {
    "large.txt": Array.from({ length: 150_000 }, (_, line) => `${line * 7919 % 65_537}\n`).join(""),
  };
  const release = { ...RELEASE, files };
  registry.publish({ name: "large", releases: { "1.0.0": release } });
  const tarball = createTarball("large", "1.0.0", release);
  assert.ok(tarball.length > 300_000);
  const url = `${sluice.url}/npm/large/-/large-1.0.0.tgz`;
  await ask(`${sluice.url}/npm/large`);
  const path = registry.tarballPath("large", "1.0.0");
  const half = tarball.length >> 1;
  const wrong = tarball.map((byte, at) => at === tarball.length - 1 ? byte ^ 1 : byte);
  const faults: Readonly<Record<string, Answer>> = {
    // What the client has of it by then is on its way already.
    cut: { stream: slowly([tarball.subarray(0, half), tarball.subarray(half)]), cutAfterBytes: half + 100 },
    stalled: { stream: slowly([tarball.subarray(0, half), tarball.subarray(half)], 1_000) },
    wrong: { stream: slowly([wrong.subarray(0, half), wrong.subarray(half)]) },
  };
  for (const [fault, answer] of Object.entries(faults)) {
    registry.upstream.answer(path, answer);
    const before = sluice.lines.length;
    await assert.rejects(ask(url, { user: fault }), TypeError, `${fault}: the client sees that it broke`);
    const logged = failuresSince(sluice, before);
    assert.equal(logged.length, 1, `${fault}: ${JSON.stringify(logged)}`);
    assert.equal(logged[0]!.level, fault === "wrong" ? "error" : "warn");
    assert.match(logged[0]!.message, /"npm\/large\/large-1\.0\.0\.tgz"|file from/);
  }
  const records = (await sluice.installs()).map(({ user, outcome }) => [user, outcome]);
  assert.deepEqual(records.toReversed(), Object.keys(faults).map((fault) => [fault, "partial"]));
  registry.upstream.answer(path, { body: tarball });
  assert.ok(Buffer.from((await ask(url)).bytes).equals(tarball));
});

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
