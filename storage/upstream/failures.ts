/** From what the network says to `UpstreamError`. A reason is a few words without addresses, paths or secrets. */
import { UpstreamError } from "../errors.ts";

export type UpstreamErrorKind = UpstreamError["detail"]["kind"];

/** Set on the error that a refused look-up answers with. */
export const FORBIDDEN_ADDRESS = "SLUICE_FORBIDDEN_ADDRESS";

const REASONS: Readonly<Record<string, readonly [UpstreamErrorKind, string]>> = {
  ECONNREFUSED: ["connection", "connection refused"],
  ECONNRESET: ["connection", "connection reset"],
  EPIPE: ["connection", "connection reset"],
  ENOTFOUND: ["connection", "no such host"],
  EAI_AGAIN: ["connection", "the host's address cannot be looked up now"],
  EHOSTUNREACH: ["connection", "host unreachable"],
  ENETUNREACH: ["connection", "network unreachable"],
  ETIMEDOUT: ["timeout", "no connection in time"],
  UND_ERR_CONNECT_TIMEOUT: ["timeout", "no connection in time"],
  UND_ERR_SOCKET: ["connection", "the connection was cut"],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ["content", "the body is not as long as stated"],
  UND_ERR_HEADERS_OVERFLOW: ["content", "the answer's headers are too large"],
  UND_ERR_PRX_TLS: ["connection", "the proxy's certificate is not trusted"],
  UND_ERR_PRX_CONN: ["connection", "the proxy closed the connection"],
  UND_ERR_ABORTED: ["connection", "the proxy refused the connection"],
  UND_ERR_INVALID_ARG: ["connection", "the request cannot be sent (or the proxy wants credentials)"],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["connection", "the certificate's authority is not known"],
  SELF_SIGNED_CERT_IN_CHAIN: ["connection", "the certificate's authority is not known"],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["connection", "the certificate's authority is not known"],
  CERT_HAS_EXPIRED: ["connection", "the certificate has expired"],
  ERR_TLS_CERT_ALTNAME_INVALID: ["connection", "the certificate is for another host"],
  [FORBIDDEN_ADDRESS]: ["forbidden-address", "the host's address is private and was not configured"],
};

/** An error whose message is the bare reason; the client puts what it did and the origin before it. */
export function failure(
  kind: UpstreamErrorKind,
  reason: string,
  origin: string,
  more: { readonly status?: number; readonly retryAfterSeconds?: number; readonly cause?: unknown } = {},
): UpstreamError {
  const detail = {
    kind,
    origin,
    ...(more.status === undefined ? {} : { status: more.status }),
    ...(more.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: more.retryAfterSeconds }),
  };
  return new UpstreamError(reason, detail, { cause: more.cause });
}

/** What the dispatcher threw, as an UpstreamError; one that is so already stays. */
export function toFailure(error: unknown, origin: string): UpstreamError {
  if (error instanceof UpstreamError) return error;
  if (error instanceof AggregateError && error.errors.length > 0) return toFailure(error.errors[0], origin);
  const [kind, reason] = describe(error);
  return failure(kind, reason, origin, { cause: error });
}

/** `Cannot fetch packument from https://registry.example: connection refused`. */
export function named(error: UpstreamError, action: string): UpstreamError {
  return new UpstreamError(`Cannot ${action} ${error.detail.origin}: ${error.message}`, error.detail, {
    cause: error.cause ?? error,
  });
}

/** Seconds of a `Retry-After` (RFC 9110, 10.2.3), at most a day; undefined where it is absent or unreadable. */
export function retryAfterSeconds(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (value === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - nowMs) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), 86_400);
}

function describe(error: unknown): readonly [UpstreamErrorKind, string] {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code === "string" && Object.hasOwn(REASONS, code)) return REASONS[code]!;
  if (name === "HTTPParserError") return ["content", "the answer is not HTTP"];
  const hint = typeof code === "string" && /^[A-Z_0-9]{1,60}$/.test(code) ? ` (${code})` : "";
  return ["connection", `the connection failed${hint}`];
}
