import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createTarball } from "../fakes/npm_registry.ts";
import type { Answer } from "../fakes/upstream.ts";
import { ask } from "./ask.ts";
import {
  assertTold,
  createWorld,
  failuresSince,
  forEachFault,
  PAUSE_MS,
  RELEASE,
  TOLD,
} from "./faults_world.ts";

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
    sluice.advance(fault === "too-many-requests" ? PAUSE_MS : 0);
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

/** Pieces with a pause before all but the first. */
async function* slowly(pieces: readonly Uint8Array[], pauseMs = 100): AsyncGenerator<Uint8Array> {
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    yield piece;
  }
}
