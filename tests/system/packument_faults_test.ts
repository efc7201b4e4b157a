import assert from "node:assert/strict";
import { FAULTS } from "../fakes/upstream.ts";
import { ask } from "./ask.ts";
import { assertTold, createWorld, failuresSince, forEachFault, PAUSE_MS, TOLD } from "./faults_world.ts";

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
    sluice.advance(fault === "too-many-requests" ? PAUSE_MS : 0);
    const next = await ask(`${sluice.url}/npm/${name}`, { abbreviated: true });
    assert.equal(next.status, 200, `${fault}: ${next.text}`);
    assert.deepEqual(Object.keys(next.json().versions), ["1.0.0"], fault);
  });
});
