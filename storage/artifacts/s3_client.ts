/** Signed requests to one bucket, tried again where that can help. */
import { createHash } from "node:crypto";
import { rootCertificates } from "node:tls";
import { AwsV4Signer } from "aws4fetch";
import "../upstream/undici_on_deno.ts";
import { Agent, type Dispatcher } from "undici";
import type { Clock, Timers } from "../runtime.ts";
import { type S3Place, s3Url } from "./s3_address.ts";
import {
  errorWithin,
  headerOf,
  mayPass,
  refused,
  type S3Opened,
  type S3Refused,
  type S3Success,
  wholeBody,
} from "./s3_answer.ts";
import { connectionError } from "./s3_errors.ts";
import { createRetries } from "./s3_retries.ts";

/** From the environment; never logged, and part of no message. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

export interface S3ClientOptions {
  readonly place: S3Place;
  readonly credentials: S3Credentials;
  readonly clock: Clock;
  readonly timers: Timers;
  /** From 0 up to 1: spreads what is tried again. */
  readonly random: () => number;
  /** Authorities to trust beside the usual ones; null: none. */
  readonly caPem: string | null;
}

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Below the prefix; empty: the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Not written to until the answer is there: it may be sent more than once. */
  readonly body?: Uint8Array;
  /** Of the body, hex, where it is known; else it is computed. The server holds the body against it. */
  readonly sha256?: string;
  readonly signal?: AbortSignal | undefined;
  /** Not tried again. */
  readonly once?: boolean;
  /** Completes `Cannot …` in messages. */
  readonly action: string;
}

/** Throws StorageError where no answer came; the signal's reason where it was aborted. */
export interface S3Client {
  readonly place: S3Place;
  /** The whole answer, at most `maxBytes` of it (64 MB): more is a StorageError. */
  send(request: S3Request): Promise<S3Success | S3Refused>;
  open(request: S3Request): Promise<S3Opened | S3Refused>;
  close(): Promise<void>;
}

const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** For what is sent and answered whole, and for bodies: readers that take their time hold up nobody who writes. */
const CONNECTIONS = 64;
const READING_CONNECTIONS = 192;

/** Every request is signed anew each time it is sent. */
export function createS3Client(options: S3ClientOptions): S3Client {
  const { place, credentials, clock } = options;
  const sending = createAgent(options.caPem, CONNECTIONS);
  const reading = createAgent(options.caPem, READING_CONNECTIONS);
  const retries = createRetries(options);
  // Keys derived from the secret, by day and region.
  const derived = new Map<string, ArrayBuffer>();

  async function signed(request: S3Request, sha256: string): Promise<{ url: URL; headers: Headers }> {
    const key = request.key === "" ? "" : place.prefix + request.key;
    return await new AwsV4Signer({
      method: request.method,
      url: s3Url(place, key, request.query).href,
      headers: { ...request.headers, "x-amz-content-sha256": sha256 },
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken === null ? {} : { sessionToken: credentials.sessionToken }),
      service: "s3",
      region: place.region,
      cache: derived,
      datetime: new Date(clock()).toISOString().replace(/[:-]|\.\d{3}/g, ""),
    }).sign();
  }

  async function dispatch(
    agent: Agent,
    request: S3Request,
    sha256: string,
  ): Promise<Dispatcher.ResponseData> {
    const { url, headers } = await signed(request, sha256);
    return await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      headers: Object.fromEntries(headers),
      body: request.body ?? null,
      signal: request.signal ?? null,
    });
  }

  /** Tries until `take` has what it wants of an answer; a refusal that may pass by itself is tried again. */
  async function attempt<T extends { readonly ok: true }>(
    agent: Agent,
    request: S3Request,
    take: (answer: Dispatcher.ResponseData) => Promise<T | S3Refused>,
  ): Promise<T | S3Refused> {
    const { signal, body, action } = request;
    const sha256 = request.sha256 ?? (body === undefined ? EMPTY_SHA256 : digestOf(body));
    for (let tried = 1;; tried++) {
      signal?.throwIfAborted();
      let taken: T | S3Refused | null = null;
      let failure: unknown = null;
      try {
        const answer = await dispatch(agent, request, sha256);
        taken = answer.statusCode >= 200 && answer.statusCode < 300
          ? await take(answer)
          : await refused(answer);
      } catch (error) {
        failure = error;
      }
      // A signal that came too late to end the request changes nothing of its answer.
      if (taken === null) signal?.throwIfAborted();
      else if (taken.ok || !mayPass(taken.refusal)) {
        retries.succeeded();
        return taken;
      }
      if (!request.once && await retries.again(tried, signal)) continue;
      if (taken !== null) return taken;
      throw connectionError(action, failure, place);
    }
  }

  return {
    place,
    send: (request) =>
      attempt(sending, request, async (answer): Promise<S3Success | S3Refused> => {
        const body = await wholeBody(answer);
        const { statusCode: status } = answer;
        // Some operations begin their answer before they are done, and end a 200 with an error (CopyObject).
        const error = request.method !== "GET" && body.length > 0 ? errorWithin(body) : null;
        return error ?? { ok: true, status, header: headerOf(answer), body };
      }),
    open: (request) =>
      attempt(reading, request, (answer): Promise<S3Opened> => {
        // Whoever reads it is told; without a listener the process would end.
        answer.body.on("error", () => {});
        const { statusCode: status, body } = answer;
        return Promise.resolve({ ok: true, status, header: headerOf(answer), body });
      }),
    close: async () => void await Promise.all([sending.destroy(), reading.destroy()]),
  };
}

function createAgent(caPem: string | null, connections: number): Agent {
  return new Agent({
    allowH2: false,
    pipelining: 1,
    connections,
    headersTimeout: 60_000,
    bodyTimeout: 30_000,
    connectTimeout: 10_000,
    ...(caPem === null ? {} : { connect: { ca: [...rootCertificates, caPem] } }),
  });
}

function digestOf(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}
