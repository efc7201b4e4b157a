import assert from "node:assert/strict";
import type { Outcome, RegistryRequest } from "../ecosystems/outcome.ts";
import type { EpochMs } from "../policy/types.ts";
import { createInFlight, type InFlight } from "./in_flight.ts";
import { PLAIN_TRACE, run, type Running, type RunOptions } from "./testing.ts";
import { sampleFile } from "./test_support.ts";

interface Rig {
  readonly inFlight: InFlight;
  readonly lines: string[];
  /** Enters; `null`, or the status of what it is told. */
  enter(address: string): number | null;
  /** Ends the oldest request that entered. */
  end(how: "sent" | "cut off"): Promise<void>;
  advance(ms: number): void;
}

function rig(limits: { readonly perAddress: number; readonly total: number }): Rig {
  const lines: string[] = [];
  let now = 0;
  const inFlight = createInFlight(limits, {
    clock: () => now as EpochMs,
    log: (level, message) => void lines.push(`${level} ${message}`),
  });
  const open: PromiseWithResolvers<void>[] = [];
  return {
    inFlight,
    lines,
    enter(address) {
      const completed = Promise.withResolvers<void>();
      const told = inFlight.enter(address, { completed: completed.promise });
      if (told === null) open.push(completed);
      return told?.status ?? null;
    },
    async end(how) {
      const { promise, resolve, reject } = open.shift()!;
      if (how === "sent") resolve();
      else reject(new Error("HTTP response was not sent successfully"));
      await promise.catch(() => {});
    },
    advance: (ms) => void (now += ms),
  };
}

Deno.test("enter: so many of one address, the next is told 429 and another address is not", async () => {
  const { enter, end, inFlight } = rig({ perAddress: 2, total: 10 });
  assert.deepEqual([enter("a"), enter("a"), enter("a"), enter("b")], [null, null, 429, null]);
  const told = inFlight.enter("a", { completed: Promise.resolve() });
  assert.equal(told?.retryAfterSeconds, 1);
  assert.match(told?.message ?? "", /^2 requests from a are being answered: try again in a moment\.$/);
  await end("sent");
  assert.deepEqual([enter("a"), enter("a")], [null, 429]);
  await end("cut off");
  assert.deepEqual([enter("a"), enter("a")], [null, 429], "what was cut off leaves as well");
});

Deno.test("enter: so many in all, the next is told 503 whoever asks, and nobody is counted twice", async () => {
  const { enter, end } = rig({ perAddress: 2, total: 3 });
  assert.deepEqual([enter("a"), enter("b"), enter("c"), enter("d"), enter("a")], [
    null,
    null,
    null,
    503,
    503,
  ]);
  await end("sent");
  assert.deepEqual([enter("d"), enter("d")], [null, 503]);
  for (let i = 0; i < 3; i++) await end("sent");
  assert.deepEqual([enter("d"), enter("d"), enter("d")], [null, null, 429]);
});

Deno.test("enter: being full is written down once a minute", () => {
  const { enter, lines, advance } = rig({ perAddress: 1, total: 5 });
  for (let i = 0; i < 50; i++) enter("a");
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^warn Turning requests away: 1 requests from a are being answered/);
  advance(59_999);
  enter("a");
  assert.equal(lines.length, 1);
  advance(1);
  enter("a");
  assert.equal(lines.length, 2);
});

/** Answers whose bytes never end. */
function endless(): NonNullable<RunOptions["serve"]> {
  return () => ({
    kind: "artifact",
    contentType: "application/octet-stream",
    sizeBytes: null,
    etag: null,
    filename: "endless-1.0.0.tgz",
    trace: PLAIN_TRACE,
    open: () => {
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
      });
      return Promise.resolve({ body, range: null, sizeBytes: null, etag: null });
    },
  });
}

/** Returns once the answer has begun; aborting the signal is the client going away. */
async function begin({ host }: Running, signal?: AbortSignal): Promise<Response> {
  return await fetch(`http://${host}/sample/endless.tgz`, signal === undefined ? {} : { signal });
}

for (
  const full of [
    { limits: { perAddress: 2, total: 10 }, status: 429, code: "too-many-requests" },
    { limits: { perAddress: 10, total: 2 }, status: 503, code: "overloaded" },
  ]
) {
  Deno.test(`GET a file: while ${JSON.stringify(full.limits)} are on their way the next is told ${full.status} in its client's form, until one goes away`, async () => {
    await using running = run({ inFlight: full.limits, serve: endless() });
    const first = new AbortController();
    const second = new AbortController();
    assert.equal((await begin(running, first.signal)).status, 200);
    assert.equal((await begin(running, second.signal)).status, 200);
    const before = running.served.length;
    const told = await running.ask("/sample/endless.tgz");
    assert.equal(told.status, full.status);
    assert.equal(told.headers.get("retry-after"), "1");
    assert.equal(told.headers.get("cache-control"), "no-store");
    assert.deepEqual(JSON.parse(told.text).code, full.code);
    assert.equal((await running.ask("/")).status, full.status, "pages as well");
    assert.equal((await running.ask("/-/health")).status, 200, "but for health");
    assert.equal(running.served.length, before, "the pipeline was not asked");
    first.abort();
    // The server hears of it when it next writes.
    let again = await begin(running, second.signal);
    while (again.status !== 200) {
      await again.body?.cancel();
      again = await begin(running, second.signal);
    }
    second.abort();
  });
}

/** Sends it and goes away, once the pipeline was asked or at once. */
async function goAway(running: Running, request: string): Promise<void> {
  const before = running.served.length;
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: running.port });
  await connection.write(new TextEncoder().encode(request));
  const isWhole = request.endsWith("\r\n\r\n");
  while (isWhole && running.served.length === before) await new Promise((resolve) => setTimeout(resolve));
  connection.close();
}

Deno.test("GET a file: however a request ends, it is no longer counted", async () => {
  const released = Promise.withResolvers<void>();
  const failing = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("broke off")) });
  const serve = async (asked: RegistryRequest): Promise<Outcome> => {
    const word = asked.request.segments[0];
    if (word === "throws") throw new Error("thrown");
    if (word === "late") await released.promise;
    if (word === "reads") await asked.body(1_000);
    if (word === "endless") return await endless()(asked);
    if (word !== "breaks") return sampleFile().outcome;
    const opened = { body: failing, range: null, sizeBytes: null, etag: null };
    return { ...sampleFile({ known: false }).outcome, open: () => Promise.resolve(opened) };
  };
  await using running = run({ inFlight: { perAddress: 1, total: 10 }, serve });
  const { host } = running;
  const head = (method: string, word: string, more = "") =>
    `${method} /sample/${word} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
  const ways: readonly (() => Promise<unknown>)[] = [
    () => running.ask("/sample/file"),
    () => running.ask("/sample/file", { method: "HEAD" }),
    () => running.ask("/sample/file", { headers: { "if-none-match": '"file"' } }),
    () => running.ask("/sample/file", { headers: { range: "bytes=99-" } }),
    () => running.ask("/sample/throws"),
    () => running.ask("/sample/breaks").catch(() => {}),
    () => goAway(running, head("GET", "endless")),
    () => goAway(running, head("POST", "reads", "Content-Length: 100\r\n")),
    () => goAway(running, head("GET", "late")).then(released.resolve),
  ];
  for (const [index, way] of ways.entries()) {
    await way();
    let answer = await running.ask("/sample/file");
    // The server hears of a client that went away when it next writes.
    for (let i = 0; i < 500 && answer.status === 429; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      answer = await running.ask("/sample/file");
    }
    assert.equal(answer.status, 200, `after way ${index}`);
  }
});
