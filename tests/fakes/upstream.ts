/**
 * A registry for tests: a real HTTP/1.1 server on 127.0.0.1 that answers what it was given, records what it was
 * asked, and fails the test on a request that nobody expected. Answers are written byte by byte, so any lie is
 * possible (`FAULTS`).
 *
 * ```ts
 * await using upstream = await startFakeUpstream();
 * upstream.answer("/left-pad", { body: JSON.stringify(packument), headers: { etag: '"1"' } });
 * upstream.answer(/^\/left-pad\/-\//, (request) => ({ body: tarballs.get(request.path)! }));
 * upstream.answer("/flaky", { status: 503, times: 2 });   // then falls through to the next answer
 * upstream.answer("/flaky", { body: "{}" });
 * upstream.answer("/cut", { body: "{}", fault: "one-byte-short" });
 * … upstream.asked("/left-pad").length …
 * ```
 */
import { type FaultName, FAULTS } from "./upstream_faults.ts";
import { type Connection, readRequest, type RecordedRequest, writeAnswer } from "./upstream_wire.ts";

export type { FaultName, RecordedRequest };
export { FAULTS };

/** What is sent back. Without `body`, `chunks` or `stream` the body is empty. */
export interface Answer {
  /** Default: GET, and HEAD without the body. */
  readonly method?: string;
  /** Default: 200. */
  readonly status?: number;
  /** Added to (or, by lower-case name, instead of) those that follow from the body. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with its Content-Length. */
  readonly body?: string | Uint8Array;
  /** Sent chunked, in order. */
  readonly chunks?: readonly (string | Uint8Array)[];
  /** Sent chunked, as it comes; cancelled when the connection goes. */
  readonly stream?: AsyncIterable<Uint8Array>;
  /** Waited for before the first byte of the answer. */
  readonly once?: () => Promise<void>;
  /** After that, before the first byte. */
  readonly delayMs?: number;
  /** After so many bytes of the body (on the wire) the connection is closed. */
  readonly cutAfterBytes?: number;
  /** The answer is used up after so many requests; default: never. */
  readonly times?: number;
  /** How the answer goes wrong. */
  readonly fault?: FaultName;
}

export type Answerer = (request: RecordedRequest) => Answer | Promise<Answer>;

export interface FakeUpstream extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/`. */
  readonly url: string;
  /** `127.0.0.1:PORT`, as for `allowedHosts`. */
  readonly host: string;
  readonly port: number;
  /** All that were asked, expected or not, in order. */
  readonly requests: readonly RecordedRequest[];
  readonly unexpected: readonly RecordedRequest[];
  /** Connections accepted so far. */
  readonly connections: number;
  /**
   * For a path: compared with the path, or with path and query where it has a `?`. A RegExp is tested on path and
   * query. Answers of a path are tried in the order given; one without `times` replaces an earlier one without.
   */
  answer(path: string | RegExp, answer: Answer | Answerer): void;
  /** The requests recorded for a path, by the same comparison. */
  asked(path: string | RegExp): readonly RecordedRequest[];
  /** Takes back every answer; what was recorded stays. */
  forget(): void;
  /** Throws if anything was asked that had no answer. Disposal calls it. */
  assertNoUnexpected(): void;
  /** As if the registry were gone: connections are cut and new ones refused. */
  stop(): Promise<void>;
  /** Back on the same port. */
  start(): void;
}

interface Route {
  readonly path: string | RegExp;
  readonly answer: Answer | Answerer;
  left: number;
}

/** Starts on a free port. Dispose of it (`await using`), which also asserts that nothing unexpected was asked. */
// deno-lint-ignore require-await -- a starter that others may have to wait for
export async function startFakeUpstream(): Promise<FakeUpstream> {
  let listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const routes: Route[] = [];
  const requests: RecordedRequest[] = [];
  const unexpected: RecordedRequest[] = [];
  const open = new Map<Connection, Promise<void>>();
  let connections = 0;

  async function accept(on: Deno.Listener): Promise<void> {
    for await (const socket of on) {
      connections += 1;
      const connection: Connection = {
        socket,
        left: new Uint8Array(),
        reading: null,
      };
      open.set(connection, converse(connection).finally(() => open.delete(connection)));
    }
  }

  async function converse(connection: Connection): Promise<void> {
    try {
      for (;;) {
        const request = await readRequest(connection);
        if (request === null) break;
        requests.push(request);
        const answer = await choose(request);
        if (!await writeAnswer(connection, request, answer)) break;
      }
    } catch {
      // The client went away, or stop() cut the connection: both are what tests do.
    } finally {
      closeQuietly(connection.socket);
    }
  }

  async function choose(request: RecordedRequest): Promise<Answer> {
    const route = routes.find((candidate) => candidate.left > 0 && fits(candidate, request));
    if (route === undefined) {
      unexpected.push(request);
      return { status: 501, body: `The test expected no ${request.method} ${request.target}` };
    }
    route.left -= 1;
    return typeof route.answer === "function" ? await route.answer(request) : route.answer;
  }

  function answer(path: string | RegExp, given: Answer | Answerer): void {
    const left = (typeof given === "function" ? undefined : given.times) ?? Infinity;
    const route: Route = { path, answer: given, left };
    const earlier = routes.findIndex((known) => known.left === Infinity && isSameRoute(known, route));
    if (earlier !== -1 && left === Infinity) routes.splice(earlier, 1, route);
    // Those that will be used up come before the one that stays.
    else if (earlier !== -1) routes.splice(earlier, 0, route);
    else routes.push(route);
  }

  function assertNoUnexpected(): void {
    if (unexpected.length === 0) return;
    const list = unexpected.map(({ method, target }) => `${method} ${target}`).join(", ");
    throw new Error(`The upstream was asked what nobody expected: ${list}`);
  }

  async function stop(): Promise<void> {
    closeQuietly(listener);
    // The port is free only when the pending accept has ended.
    await accepting;
    for (const { socket } of open.keys()) closeQuietly(socket);
    await Promise.allSettled(open.values());
  }

  function start(): void {
    listener = Deno.listen({ hostname: "127.0.0.1", port });
    accepting = accept(listener).catch(() => {});
  }

  let accepting = accept(listener).catch(() => {});
  return {
    url: `http://127.0.0.1:${port}/`,
    host: `127.0.0.1:${port}`,
    port,
    requests,
    unexpected,
    get connections() {
      return connections;
    },
    answer,
    asked: (path) => requests.filter((request) => matches(path, request)),
    forget: () => void (routes.length = 0),
    assertNoUnexpected,
    stop,
    start,
    async [Symbol.asyncDispose]() {
      await stop();
      assertNoUnexpected();
    },
  };
}

function fits(route: Route, request: RecordedRequest): boolean {
  if (!matches(route.path, request)) return false;
  if (typeof route.answer === "function") return true;
  const { method } = route.answer;
  return method === undefined
    ? request.method === "GET" || request.method === "HEAD"
    : request.method === method;
}

function matches(path: string | RegExp, request: RecordedRequest): boolean {
  if (typeof path !== "string") return path.test(request.target);
  return path === (path.includes("?") ? request.target : request.path);
}

/** A function answers every method: it takes the place of what answered GET. */
function isSameRoute(known: Route, route: Route): boolean {
  const method = ({ answer }: Route) => typeof answer === "function" ? "" : answer.method ?? "GET";
  if (String(known.path) !== String(route.path)) return false;
  return method(known) === method(route) || (method(route) === "" && method(known) === "GET");
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // Closed already.
  }
}
