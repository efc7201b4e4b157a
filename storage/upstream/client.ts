/**
 * The client of upstream registries. A request passes, in this order:
 *
 * 1. origins     its address is the upstream's own or an allowed host; user agent and credentials are put on it
 * 2. redirects   followed hop by hop; each hop goes through 3 to 7 anew, without what is ours once it leaves
 * 3. retry       a cut connection or a 5xx before the first byte, twice at most, within a budget
 * 4. circuit     nothing is sent to an origin that keeps failing, but one probe at a time
 * 5. measured    counted and timed, where somebody wants to know
 * 6. timeout     until the answer's headers, and between two chunks
 * 7. dispatcher  addresses looked up, checked and pinned; proxy; connections bounded
 *
 * Each upstream has its own 1 and 2; 3, 4, 5 and 7 are shared, since they are about origins.
 */
import { TooLargeError, UpstreamError } from "../errors.ts";
import type { EpochMs } from "../../policy/types.ts";
import type { Lifetimes, OfUpstream } from "../lifetimes.ts";
import type { Clock, Log, Timers } from "../runtime.ts";
import { createCircuits } from "./circuit.ts";
import type { NetworkConfig } from "./config.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import { ACCEPTED_ENCODINGS, readBody, statedLength, unexpectedContent } from "./content.ts";
import { createDispatcher, type LookupAll } from "./dispatcher.ts";
import { failure, named, retryAfterSeconds } from "./failures.ts";
import { type Measure, measuredLayer } from "./measured.ts";
import { compileOrigins, originsLayer } from "./origins.ts";
import { redirectsLayer } from "./redirects.ts";
import { discard } from "./response.ts";
import { retryLayer } from "./retry.ts";
import { timeoutLayer } from "./timeout.ts";
import { isOpenEnded } from "./whole_page.ts";
import type { DocumentAnswer, Fetch, OpenedArtifact, Upstream, UpstreamClient } from "./upstream.ts";
import type { ConfiguredUpstreams } from "./upstreams.ts";

export interface UpstreamClientDeps {
  readonly upstreams: ConfiguredUpstreams;
  readonly network: NetworkConfig;
  readonly lifetimes: (of: OfUpstream) => Pick<Lifetimes, "upstreamTimeout" | "userAgent">;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** 0 to below 1, for the spread of retries. */
  readonly random?: () => number;
  /** Default: the system's resolver. */
  readonly lookup?: LookupAll;
  /** Told of each request that goes out. */
  readonly measure?: Measure;
}

/** One per process. Throws TypeError for credentials or allowed hosts that cannot be used. `close` cuts what runs. */
export function createUpstreamClient(
  deps: UpstreamClientDeps,
): UpstreamClient & { close(): Promise<void> } {
  const { upstreams, network, clock, timers, log } = deps;
  const dispatcher = createDispatcher(network, deps.lookup);
  const headMs = network.connectTimeoutMs + network.firstByteTimeoutMs;
  const circuits = createCircuits({ clock, timers, log, probeMs: headMs * 2 });
  const retries = retryLayer({ clock, timers, log, random: deps.random ?? Math.random });
  const timeouts = timeoutLayer({ timers, headMs, idleMs: network.idleTimeoutMs });
  const measured = deps.measure === undefined ? [] : [measuredLayer(deps.measure, clock)];
  const fetches = new Map(upstreams.all().map((upstream) => [upstream.id, fetchOf(upstream)]));

  function fetchOf(upstream: Upstream): Fetch {
    const rules = compileOrigins(upstreams.configOf(upstream));
    const hop: Fetch = (request) => dispatcher.send(request, rules.trustOf(new URL(request.url)));
    const layers = [
      originsLayer(rules, settingsOf(upstream).userAgent),
      redirectsLayer(rules),
      retries,
      circuits.layer,
      ...measured,
      timeouts,
    ];
    return layers.reduceRight((next, layer) => layer(next), hop);
  }

  function settingsOf(upstream: Upstream) {
    return deps.lifetimes({ ecosystem: upstreams.configOf(upstream).ecosystem, upstreamId: upstream.id });
  }

  /** `work` within the upstream's time-out. */
  async function timely<T>(
    upstream: Upstream,
    { action, outer }: { readonly action: string; readonly outer: AbortSignal | undefined },
    work: (deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const ms = settingsOf(upstream).upstreamTimeout;
    const deadline = createDeadline(timers, { ms, origin: new URL(upstream.root).origin, outer });
    try {
      return await speaking(upstream, action, () => work(deadline));
    } finally {
      deadline.end();
    }
  }

  function send(upstream: Upstream, url: URL, init: RequestInit): Promise<Response> {
    const fetch = fetches.get(upstream.id);
    if (fetch === undefined) {
      throw new TypeError(`Cannot use upstream "${upstream.id}": it is not configured`);
    }
    return fetch(new Request(url, init));
  }

  function document(...args: Parameters<UpstreamClient["document"]>): Promise<DocumentAnswer> {
    const [upstream, source, options] = args;
    const validators = validatorsOf(options);
    const { large } = options;
    return timely(
      upstream,
      { action: `fetch ${source.key} from`, outer: options.signal },
      async (deadline) => {
        const response = await send(upstream, below(upstream, source.path, options.root), {
          headers: { accept: source.accept, "accept-encoding": ACCEPTED_ENCODINGS, ...validators },
          signal: deadline.signal,
        });
        if (response.status === 304 && Object.keys(validators).length > 0) return { status: 304 };
        if (isAbsent(response)) return await discard(response), { status: 404 };
        if (response.status !== 200) throw await refused(response, clock());
        const body = await readBody(response, source.maxBytes, {
          timers,
          large: large && ((size) => deadline.pausedFor(() => large(size))),
        });
        const contentType = response.headers.get("content-type") ?? "";
        const wrong = isOpenEnded(response, source, body)
          ? "the connection closed, and nothing says that the body is whole"
          : unexpectedContent(source.expects, contentType, body);
        if (wrong !== null) throw failure("content", wrong, new URL(response.url).origin);
        const { headers, url } = response;
        return {
          status: 200,
          body,
          contentType,
          etag: headers.get("etag"),
          lastModified: headers.get("last-modified"),
          url,
        };
      },
    );
  }

  /**
   * Identity is asked for. Where upstream says that an encoding was applied all the same, the bytes pass as they
   * came: registries label a `.tgz` that is the file itself `gzip` (pip reads them so too), and the digest tells
   * if it was not. Their length is then not vouched for, so a file without a digest is not kept.
   */
  function open(...args: Parameters<UpstreamClient["open"]>): Promise<OpenedArtifact | null> {
    const [upstream, url, options] = args;
    return timely(upstream, { action: "fetch a file from", outer: options?.signal }, async (deadline) => {
      const response = await send(upstream, resolve(upstream, url), {
        headers: { accept: "*/*", "accept-encoding": "identity" },
        signal: deadline.signal,
      });
      if (isAbsent(response)) return await discard(response), null;
      if (response.status !== 200 || response.body === null) throw await refused(response, clock());
      const encoding = response.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
      return {
        body: speakingBody(upstream, response.body),
        sizeBytes: encoding === "identity" ? statedLength(response.headers) : null,
        lastModified: toEpochMs(response.headers.get("last-modified")),
      };
    });
  }

  function forward(...args: Parameters<UpstreamClient["forward"]>): ReturnType<UpstreamClient["forward"]> {
    const [upstream, request] = args;
    return timely(upstream, { action: "ask", outer: request.signal }, async (deadline) => {
      const response = await send(upstream, below(upstream, request.path), {
        method: request.method,
        headers: {
          accept: request.accept,
          "accept-encoding": ACCEPTED_ENCODINGS,
          ...(request.contentType === undefined ? {} : { "content-type": request.contentType }),
        },
        body: (request.body ?? null) as BodyInit | null,
        signal: deadline.signal,
      });
      const body = await readBody(response, request.maxBytes, { timers });
      return { status: response.status, contentType: response.headers.get("content-type") ?? "", body };
    });
  }

  function health(): ReturnType<UpstreamClient["health"]> {
    const asked = new Map(circuits.health().map((known) => [known.origin, known]));
    for (const { root } of upstreams.all()) {
      const { origin } = new URL(root);
      if (!asked.has(origin)) {
        asked.set(origin, { origin, state: "ok", asked: false, lastError: null, lastErrorAt: null });
      }
    }
    return [...asked.values()].sort((a, b) => a.origin < b.origin ? -1 : 1);
  }

  return { document, open, forward, health, close: () => dispatcher.close() };
}

/** Gives what fails in `work` its sentence: the action and the origin, never a path, a query or a secret. */
async function speaking<T>(upstream: Upstream, action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UpstreamError) throw named(error, action);
    if (!(error instanceof TooLargeError)) throw error;
    const { origin } = new URL(upstream.root);
    throw new TooLargeError(`Cannot ${action} ${origin}: ${error.message}`, error.maxBytes, { cause: error });
  }
}

function speakingBody(upstream: Upstream, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    pull: (controller) =>
      speaking(upstream, "read a file from", async () => {
        const { done, value } = await reader.read();
        return done ? controller.close() : controller.enqueue(value);
      }),
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

async function refused(response: Response, now: EpochMs): Promise<UpstreamError> {
  await discard(response);
  const seconds = retryAfterSeconds(response.headers, now);
  const reason = response.status === 304
    ? "status 304 for an unconditional request"
    : `status ${response.status}`;
  return failure(response.status === 304 ? "content" : "status", reason, new URL(response.url).origin, {
    status: response.status,
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  });
}

/** 404 and 410 are upstream's word that there is no such thing. */
function isAbsent(response: Response): boolean {
  return response.status === 404 || response.status === 410;
}

/** A path below the root. Throws UpstreamError where it would lead out of it. */
function below(upstream: Upstream, path: string, named?: string): URL {
  const root = named === undefined ? upstream.root : resolve(upstream, named).href;
  const url = new URL(root + path);
  if (url.href.startsWith(root)) return url;
  throw failure(
    "forbidden-address",
    "the path leads out of the registry's root",
    new URL(upstream.root).origin,
  );
}

function resolve(upstream: Upstream, url: string): URL {
  const { origin } = new URL(upstream.root);
  if (!/^(?:[a-z][a-z0-9+.-]*:)?\/\//i.test(url) && !url.startsWith("/")) return below(upstream, url);
  const absolute = URL.canParse(url, upstream.root) ? new URL(url, upstream.root) : null;
  if (absolute === null || !/^https?:$/.test(absolute.protocol)) {
    throw failure("forbidden-address", "the file's link is no http or https address", origin);
  }
  if (absolute.username !== "" || absolute.password !== "") {
    throw failure("forbidden-address", "the file's link carries credentials", absolute.origin);
  }
  absolute.hash = "";
  return absolute;
}

/** Only what fits into a header: a validator that upstream made up badly is left out, which costs one 304. */
function validatorsOf(options: Parameters<UpstreamClient["document"]>[2]): Record<string, string> {
  const fits = (value: string | null | undefined): value is string =>
    typeof value === "string" && /^[\x20-\x7e]{1,1024}$/.test(value);
  return {
    ...(fits(options.etag) ? { "if-none-match": options.etag } : {}),
    ...(fits(options.lastModified) ? { "if-modified-since": options.lastModified } : {}),
  };
}

function toEpochMs(date: string | null): EpochMs | null {
  const ms = date === null ? NaN : Date.parse(date);
  return Number.isNaN(ms) ? null : ms as EpochMs;
}
