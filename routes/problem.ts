/** The one table: which exception is which status, which stable code, and what of it may be shown. */
import { IdentityProviderError } from "../storage/identity/provider.ts";
import {
  IntegrityError,
  RestoringError,
  StorageError,
  TooLargeError,
  UpstreamError,
} from "../storage/errors.ts";

/** A request that is wrong in itself; the message is public and quotes nothing secret. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  constructor(
    readonly status: 400 | 403 | 408 | 415,
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The client's own body is beyond its bound: 413, where any other TooLargeError came from upstream. */
export class BodyTooLargeError extends TooLargeError {}

/** What a client is told. Every field may be shown. */
export interface Problem {
  readonly status: number;
  /** Stable, for programs. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  readonly retryAfterSeconds: number | null;
  /** How it is written down: nothing, as a failure of something outside, or as a mistake of ours. */
  readonly logAs: "debug" | "warn" | "error";
}

/** An exception's class, status, code and public sentence; the exception's own message is for the log. */
export function problemOf(error: unknown): Problem {
  if (error instanceof RequestError) return problem(error.status, error.code, error.message, "debug");
  if (error instanceof BodyTooLargeError) {
    return problem(
      413,
      "body-too-large",
      `The request's body is larger than ${error.maxBytes} bytes.`,
      "debug",
    );
  }
  if (error instanceof IdentityProviderError) {
    return { ...problem(503, "identity-provider", error.message, "warn"), retryAfterSeconds: 30 };
  }
  if (error instanceof UpstreamError) return upstreamProblem(error);
  if (error instanceof IntegrityError) {
    return problem(
      502,
      "integrity",
      "What the upstream registry sent is not what its index says it is.",
      "error",
    );
  }
  if (error instanceof TooLargeError) {
    const allows = error.setting === null
      ? ""
      : `, more than this Sluice holds: whoever runs it can raise ${error.setting}`;
    return problem(
      502,
      "upstream-too-large",
      `What the upstream registry sent is larger than ${error.maxBytes} bytes${allows}.`,
      "warn",
    );
  }
  const restoring = restoringIn(error);
  if (restoring !== null) {
    return {
      ...problem(503, "restoring", `${restoring.message}.`, "debug"),
      retryAfterSeconds: restoring.state === "broken" ? 60 : 2,
    };
  }
  if (error instanceof StorageError) {
    return {
      ...problem(503, "storage-unavailable", "Sluice's own storage does not answer.", "error"),
      retryAfterSeconds: 5,
    };
  }
  if (error instanceof SyntaxError) {
    return problem(502, "upstream-unreadable", "Cannot read what the upstream registry sent.", "warn");
  }
  return problem(500, "internal", "Something went wrong in Sluice; its log has more.", "error");
}

/** Whatever failed because of a restore, of which our own errors say in their cause. */
function restoringIn(error: unknown): RestoringError | null {
  if (error instanceof RestoringError) return error;
  return error instanceof StorageError ? restoringIn(error.cause) : null;
}

function upstreamProblem(error: UpstreamError): Problem {
  const { kind, status, origin, retryAfterSeconds } = error.detail;
  if (kind === "timeout") {
    return problem(
      504,
      "upstream-timeout",
      `The upstream registry ${origin} did not answer in time.`,
      "warn",
    );
  }
  if (kind === "circuit") {
    const message = `The upstream registry ${origin} failed repeatedly and is left alone for a while.`;
    return {
      ...problem(503, "upstream-circuit-open", message, "debug"),
      retryAfterSeconds: retryAfterSeconds ?? 10,
    };
  }
  if (kind === "status" && (status === 401 || status === 403 || status === 451)) {
    return problem(
      403,
      "upstream-refused",
      `The upstream registry ${origin} refused this with status ${status}.`,
      "warn",
    );
  }
  if (kind === "status" && status === 429) {
    const message = `The upstream registry ${origin} asks to be left alone for a while.`;
    return {
      ...problem(503, "upstream-busy", message, "warn"),
      retryAfterSeconds: retryAfterSeconds ?? 10,
    };
  }
  const detail = kind === "status" && status !== undefined
    ? `answered with status ${status}`
    : UPSTREAM_WORDS[kind];
  const retry = status === 503 ? retryAfterSeconds ?? null : null;
  return {
    ...problem(502, "upstream-failed", `The upstream registry ${origin} ${detail}.`, "warn"),
    retryAfterSeconds: retry,
  };
}

const UPSTREAM_WORDS = {
  timeout: "did not answer in time",
  connection: "cannot be reached",
  status: "answered with an error",
  content: "answered with something that is not a package document",
  redirect: "answered with a redirect that is not followed",
  "forbidden-address": "named an address that is not allowed",
  circuit: "is left alone for a while",
} as const satisfies Record<UpstreamError["detail"]["kind"], string>;

function problem(status: number, code: string, message: string, logAs: Problem["logAs"]): Problem {
  return { status, code, message, retryAfterSeconds: null, logAs };
}
