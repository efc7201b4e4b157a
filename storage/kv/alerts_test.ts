import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import type { NewAlert } from "../alerts.ts";
import { createAlerts } from "./alerts.ts";

const START = Date.UTC(2026, 10, 21, 12);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

async function rig() {
  const kv = await Deno.openKv(":memory:");
  let now = START;
  const clock = () => now as EpochMs;
  const told: string[] = [];
  return {
    kv,
    /** One process each. */
    alerts: () => createAlerts(kv, { clock }),
    advance: (ms: number) => void (now += ms),
    told,
    send: ({ subject, count }: { readonly subject: string; readonly count: number }, state: string) => {
      told.push(`${subject} ${state} ${count}`);
      return Promise.resolve();
    },
    [Symbol.dispose]: () => kv.close(),
  };
}

function failing(subject: string): NewAlert {
  return { kind: "upstream-failing", subject, detail: `${subject} fails`, organisation: null };
}

Deno.test("alerts: what several processes find at the same time is one alert, counted once a minute, told once", async () => {
  using world = await rig();
  const [one, two] = [world.alerts(), world.alerts()];
  for (let i = 0; i < 3; i++) {
    await Promise.all([one, two, one, two].map((alerts) => alerts.raise(failing("a"))));
    world.advance(MINUTE_MS);
  }
  const [alert, ...more] = await two.list();
  assert.deepEqual([alert?.count, alert?.firstAt, alert?.lastAt], [3, START, START + 2 * MINUTE_MS]);
  assert.equal(more.length, 0);
  await one.tell(world.send);
  await two.tell(world.send);
  assert.deepEqual(world.told, ["a raised 3"]);
});

Deno.test("alerts: over once nobody found it so; raised anew it is another, and told again", async () => {
  using world = await rig();
  const alerts = world.alerts();
  await alerts.raise(failing("a"));
  world.advance(2 * MINUTE_MS);
  await alerts.settle("upstream-failing", 2 * MINUTE_MS + 1);
  assert.equal((await alerts.list())[0]?.overAt, null, "not yet");
  world.advance(MINUTE_MS);
  await alerts.settle("circuit-open", MINUTE_MS);
  assert.equal((await alerts.list())[0]?.overAt, null, "of another kind");
  await alerts.settle("upstream-failing", 2 * MINUTE_MS + 1);
  const [first] = await alerts.list();
  assert.equal(first?.overAt, START + 3 * MINUTE_MS);
  await alerts.tell(world.send);
  assert.deepEqual(world.told, ["a raised 1", "a over 1"], "both, though nobody looked between them");
  await alerts.raise(failing("a"));
  const [second] = await alerts.list();
  assert.notEqual(second?.id, first?.id);
  assert.deepEqual([second?.count, second?.overAt, second?.acknowledgedAt], [1, null, null]);
  await alerts.tell(world.send);
  assert.equal(world.told.length, 3);
});

Deno.test("alerts: one whose telling failed is told at the next call", async () => {
  using world = await rig();
  const alerts = world.alerts();
  await alerts.raise(failing("a"));
  await assert.rejects(alerts.tell(() => Promise.reject(new Error("no webhook"))), /no webhook/);
  await alerts.tell(world.send);
  assert.deepEqual(world.told, ["a raised 1"]);
});

Deno.test("alerts: acknowledged once, by the first; what happened once is over with it; gone after a month", async () => {
  using world = await rig();
  const alerts = world.alerts();
  await alerts.raise(failing("a"));
  await alerts.raise({ kind: "digest-changed", subject: "f", detail: "f changed", organisation: "acme" });
  const ids = (await alerts.list()).map(({ id }) => id);
  assert.equal(await alerts.acknowledge("nothing", "ada"), null);
  for (const id of ids) await alerts.acknowledge(id, "ada");
  for (const id of ids) assert.equal((await alerts.acknowledge(id, "bob"))?.acknowledgedBy, "ada");
  const overs = (await alerts.list()).map(({ kind, overAt }) => [kind, overAt !== null]);
  assert.deepEqual(overs, [["upstream-failing", false], ["digest-changed", true]]);
  world.advance(30 * DAY_MS);
  assert.deepEqual((await alerts.list()).map(({ kind }) => kind), ["upstream-failing"]);
});

Deno.test("alerts: an upstream that changes everything opens two hundred of a kind at most", async () => {
  using world = await rig();
  const alerts = world.alerts();
  for (let i = 0; i < 220; i++) {
    await alerts.raise({
      kind: "digest-changed",
      subject: `f${i}`,
      detail: "x".repeat(2_000),
      organisation: null,
    });
  }
  await alerts.raise(failing("a"));
  const all = await alerts.list();
  assert.equal(all.length, 201);
  assert.ok(all.every(({ detail }) => detail.length <= 500));
});
