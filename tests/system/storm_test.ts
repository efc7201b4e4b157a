/** An upstream that fails under load: what reaches it, what its clients get, what health says, what is written down. */
import assert from "node:assert/strict";
import { until } from "../fakes/program.ts";
import type { FaultName } from "../fakes/upstream.ts";
import { ask, type Asked } from "./ask.ts";
import { createWorld, failuresSince, MINUTE_MS } from "./faults_world.ts";

const CLIENTS = 500;

type World = Awaited<ReturnType<typeof createWorld>>;

/** Once all have come, and had a moment to join. */
function failAll(world: World, path: string, fault: FaultName): void {
  const { registry, sluice } = world;
  const once = () => until("all have come", async () => await sluice.inFlight() === CLIENTS);
  registry.upstream.answer(path, { body: "{}", fault, once, delayMs: 100 });
}

function crowd(url: string): Promise<Asked[]> {
  return Promise.all(Array.from({ length: CLIENTS }, (_, at) => ask(url, { user: `u${at}` })));
}

Deno.test("500 clients wait for an index, and for a file, that fail: one request upstream, one line, the same answer to all", async () => {
  await using world = await createWorld({});
  const { registry, sluice } = world;
  const { path, give, giveFile } = world.publish("wanted");
  const file = `${sluice.url}/npm/wanted/-/wanted-1.0.0.tgz`;
  for (const [url, asked] of [[`${sluice.url}/npm/wanted`, "/wanted"], [file, path]] as const) {
    const [requests, lines] = [registry.upstream.asked(asked).length, sluice.lines.length];
    failAll(world, asked, "not-http");
    const answers = await crowd(url);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([502]), asked);
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1, asked);
    assert.equal(registry.upstream.asked(asked).length - requests, 1, asked);
    assert.equal(failuresSince(sluice, lines).length, 1, asked);
    give();
    assert.equal((await ask(`${sluice.url}/npm/wanted`)).status, 200);
  }
  giveFile();
  assert.equal((await ask(file)).status, 200);
  assert.deepEqual((await sluice.installs()).map(({ outcome }) => outcome), ["served"]);
});

Deno.test("an origin that answers 5xx to everything: retries add a tenth to its load, and ten", async () => {
  await using world = await createWorld({});
  const { registry, sluice } = world;
  registry.upstream.answer(/^\/cold-/, { status: 500 });
  const packages = 100;
  const answers = await Promise.all(
    Array.from({ length: packages }, (_, at) => ask(`${sluice.url}/npm/cold-${at}`)),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([502]));
  const asked = registry.upstream.requests.length;
  assert.ok(asked <= packages * 1.1 + 10, `${asked} requests for ${packages}`);
  assert.ok(asked > packages, "it does try again");
  assert.equal(failuresSince(sluice, 0).length, packages, "each package's failure is one");
});

Deno.test("/-/health: a circuit that opens is in its body, with 200; one probe at a time; it closes when upstream is back", async () => {
  await using world = await createWorld({});
  const { registry, sluice } = world;
  const { upstream } = registry;
  const { give } = world.publish("cached");
  await ask(`${sluice.url}/npm/cached`);
  const health = async () => {
    sluice.advance(1_001);
    const { status, text } = await ask(`${sluice.url}/-/health`);
    assert.equal(status, 200);
    const body = JSON.parse(text);
    const of = body.upstreams.find(({ origin }: { origin: string }) => `${origin}/` === upstream.url);
    return `${body.status} ${of.state}`;
  };
  assert.equal(await health(), "ok ok");

  upstream.answer(/^\/cold-/, { status: 503 });
  for (let at = 0; at < 10; at++) await ask(`${sluice.url}/npm/cold-${at}`);
  assert.equal(await health(), "degraded failing");
  sluice.advance(1_000);
  assert.equal((await ask(`${sluice.url}/npm/cold-x`)).status, 502);
  assert.equal(await health(), "degraded open");

  const asked = upstream.requests.length;
  const refused = await ask(`${sluice.url}/npm/cold-y`);
  assert.equal(refused.status, 503);
  assert.match(refused.headers.get("retry-after") ?? "", /^[1-5]$/);
  assert.equal(upstream.requests.length, asked, "nothing is sent");
  assert.equal((await ask(`${sluice.url}/npm/cached`)).status, 200, "what is cached is served");

  sluice.advance(5_000);
  const atOnce = Array.from({ length: 20 }, (_, at) => ask(`${sluice.url}/npm/cold-${at}`));
  const statuses = (await Promise.all(atOnce)).map(({ status }) => status);
  // The probe's own client is told that it was not asked a second time.
  assert.deepEqual(new Set(statuses), new Set([503]));
  assert.equal(upstream.requests.length, asked + 1, "one probe");
  assert.equal(await health(), "degraded open");

  upstream.answer(/^\/cold-/, { status: 404, body: "{}" });
  sluice.advance(MINUTE_MS);
  assert.equal((await ask(`${sluice.url}/npm/cold-z`)).status, 404);
  assert.equal(await health(), "ok ok");
  give();
  const told = sluice.lines.map(({ message }) => message).filter((message) =>
    message.startsWith("Upstream ")
  );
  assert.equal(told.length, 2, told.join("\n"));
  assert.match(told[0]!, /is not asked for a while: status 503$/);
  assert.match(told[1]!, /answers again$/);
});
