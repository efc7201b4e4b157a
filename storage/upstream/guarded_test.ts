import assert from "node:assert/strict";
import { startFakeUpstream } from "../../tests/fakes/upstream.ts";
import { UpstreamError } from "../errors.ts";
import { realTimers } from "../timers.ts";
import { createGuardedPost, type GuardedPostDeps } from "./guarded.ts";
import { TEST_NETWORK } from "./testing.ts";

const OPTIONS = { contentType: "application/json", timeoutMs: 2_000 };

function guarded(deps: Partial<GuardedPostDeps> = {}) {
  const { post, check, close } = createGuardedPost({ network: TEST_NETWORK, timers: realTimers, ...deps });
  return { post, check, [Symbol.asyncDispose]: close };
}

const isKind = (kind: string) => (error: unknown) =>
  error instanceof UpstreamError && error.detail.kind === kind && !/secret/.test(error.message);

Deno.test("post: the body arrives as it is, and the status comes back, whatever it is", async () => {
  await using fake = await startFakeUpstream();
  await using hook = guarded({ allowPrivate: [fake.host] });
  for (const status of [200, 204, 400, 404, 500]) {
    fake.answer("/hook?secret=1", { method: "POST", status, body: status === 204 ? "" : "thanks" });
    assert.deepEqual(await hook.post(`${fake.url}hook?secret=1`, '{"text":"ä"}', OPTIONS), { status });
  }
  const [first] = fake.requests;
  assert.equal(new TextDecoder().decode(first!.body), '{"text":"ä"}');
  assert.equal(first!.headers.get("content-type"), "application/json");
  assert.equal(first!.headers.get("content-length"), "13");
  assert.equal(fake.requests.length, 5);
});

Deno.test("post: a redirect is an answer and not followed", async () => {
  await using fake = await startFakeUpstream();
  await using hook = guarded({ allowPrivate: [fake.host] });
  fake.answer("/hook", { method: "POST", status: 307, headers: { location: `${fake.url}elsewhere` } });
  assert.deepEqual(await hook.post(`${fake.url}hook`, "{}", OPTIONS), { status: 307 });
  assert.equal(fake.requests.length, 1);
});

Deno.test("post: private addresses are refused unless allowed, by literal and by name, and nothing is sent", async () => {
  await using fake = await startFakeUpstream();
  await using hook = guarded({ allowPrivate: ["127.0.0.1:1"], lookup: () => Promise.resolve(["127.0.0.1"]) });
  for (const host of [fake.host, `hooks.example:${fake.port}`, `localhost:${fake.port}`, "169.254.169.254"]) {
    await assert.rejects(
      hook.post(`http://${host}/secret`, "{}", OPTIONS),
      isKind("forbidden-address"),
      host,
    );
  }
  assert.equal(fake.connections, 0);
});

Deno.test("check: says of an address what a post to it would meet, and sends nothing", async () => {
  await using fake = await startFakeUpstream();
  const names: Readonly<Record<string, readonly string[]>> = {
    "inner.example": ["10.0.0.7"],
    "both.example": ["10.0.0.7", "203.0.113.9", "93.184.215.14"],
  };
  const lookup = (name: string) =>
    Object.hasOwn(names, name) ? Promise.resolve(names[name]!) : Promise.reject(new Error("ENOTFOUND"));
  await using hook = guarded({ lookup, allowPrivate: ["10.0.0.8:8443", "allowed.example"] });
  const table = {
    [`http://${fake.host}/secret`]: "forbidden",
    "http://169.254.169.254/": "forbidden",
    "http://[::1]:8080/": "forbidden",
    "https://inner.example/": "forbidden",
    "https://10.0.0.8/": "forbidden",
    "ftp://both.example/": "forbidden",
    "https://a:b@both.example/": "forbidden",
    "https://10.0.0.8:8443/": "fit",
    "https://allowed.example:4921/": "fit",
    "https://93.184.215.14/": "fit",
    "https://both.example/": "fit",
    "https://nobody.example/": "unknown",
  };
  for (const [address, wanted] of Object.entries(table)) {
    assert.equal(await hook.check(address), wanted, address);
  }
  assert.equal(fake.connections, 0);
});

Deno.test("post: a host without a port may be private on any port, one with a port on that alone", async () => {
  await using fake = await startFakeUpstream();
  fake.answer("/hook", { method: "POST", status: 204 });
  await using any = guarded({ allowPrivate: ["127.0.0.1"] });
  assert.deepEqual(await any.post(`${fake.url}hook`, "{}", OPTIONS), { status: 204 });
  await using other = guarded({ allowPrivate: ["127.0.0.1:1"] });
  await assert.rejects(other.post(`${fake.url}hook`, "{}", OPTIONS), isKind("forbidden-address"));
});

Deno.test("post: what is no http address, or carries credentials, is refused without repeating it", async () => {
  await using hook = guarded();
  for (const url of ["secret", "ftp://hooks.example/secret", "https://secret:secret@hooks.example/"]) {
    await assert.rejects(hook.post(url, "{}", OPTIONS), (error: Error) => {
      return error instanceof TypeError && !error.message.includes("secret");
    });
  }
});

Deno.test("post: an address that does not answer in time is a timeout; one that is not there a connection error", async () => {
  await using fake = await startFakeUpstream();
  await using hook = guarded({ allowPrivate: [fake.host] });
  fake.answer("/secret", { method: "POST", fault: "stall-before-headers" });
  const options = { ...OPTIONS, timeoutMs: 50 };
  await assert.rejects(hook.post(`${fake.url}secret`, "{}", options), isKind("timeout"));
  await fake.stop();
  await assert.rejects(hook.post(`${fake.url}secret`, "{}", OPTIONS), {
    message: `Cannot post to http://${fake.host}: connection refused`,
  });
});

Deno.test("post: an answer without end is not read to its end, and one that stalls is given up", async () => {
  await using fake = await startFakeUpstream();
  await using hook = guarded({ allowPrivate: [fake.host] });
  async function* endless() {
    for (;;) yield await Promise.resolve(new Uint8Array(8_192));
  }
  fake.answer("/large", { method: "POST", stream: endless() });
  assert.deepEqual(await hook.post(`${fake.url}large`, "{}", OPTIONS), { status: 200 });
  fake.answer("/stall", { method: "POST", body: "bytes", fault: "stall-mid-body" });
  assert.deepEqual(await hook.post(`${fake.url}stall`, "{}", { ...OPTIONS, timeoutMs: 100 }), {
    status: 200,
  });
});

Deno.test("post: the caller's signal ends it", async () => {
  await using fake = await startFakeUpstream();
  await using hook = guarded({ allowPrivate: [fake.host] });
  fake.answer("/hook", { method: "POST", fault: "stall-before-headers" });
  const signal = AbortSignal.timeout(20);
  await assert.rejects(hook.post(`${fake.url}hook`, "{}", { ...OPTIONS, signal }), { name: "TimeoutError" });
});
