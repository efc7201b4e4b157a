/** What an S3 server refuses, as a sentence that a person can act upon. */
import { StorageError } from "../errors.ts";
import type { S3Place } from "./s3_address.ts";
import { textOf } from "./s3_xml.ts";

/** An answer that is no success. Its own words are not kept: servers quote access keys and what was signed. */
export interface S3Refusal {
  readonly status: number;
  /** S3's code, such as `NoSuchBucket`; empty where the answer has no body (HEAD) or none was readable. */
  readonly code: string;
  /** Where the bucket is, if the server says so. */
  readonly region: string | null;
}

/** Reads the body of an answer that is no success. */
export function readRefusal(status: number, body: string): S3Refusal {
  const code = textOf(body, "Code") ?? "";
  const region = textOf(body, "Region");
  return {
    status,
    code: /^[A-Za-z0-9.]{1,64}$/.test(code) ? code : "",
    region: region !== null && /^[a-z0-9-]{1,63}$/.test(region) ? region : null,
  };
}

const SENTENCES: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: "the access key is not known there (AWS_ACCESS_KEY_ID)",
  XAdminUserNotFound: "the access key is not known there (AWS_ACCESS_KEY_ID)",
  SignatureDoesNotMatch: "the secret key does not fit the access key (AWS_SECRET_ACCESS_KEY)",
  ExpiredToken: "the credentials have expired (AWS_SESSION_TOKEN)",
  TokenRefreshRequired: "the credentials have expired (AWS_SESSION_TOKEN)",
  InvalidToken: "the session token is not valid (AWS_SESSION_TOKEN)",
  AccessDenied: "these credentials may not do that (AccessDenied)",
  AllAccessDisabled: "the bucket is closed (AllAccessDisabled)",
  RequestTimeTooSkewed: "the clock of this machine and the server's are too far apart",
  QuotaExceeded: "the bucket's quota is used up",
  InsufficientStorage: "there is no room left",
  XMinioStorageFull: "there is no room left",
  SlowDown: "it asks to slow down, and went on asking (SlowDown)",
};

function sentenceOf(refusal: S3Refusal, place: S3Place): string {
  const { status, code, region } = refusal;
  if (code === "NoSuchBucket") return `the bucket ${JSON.stringify(place.bucket)} does not exist`;
  const elsewhere = [
    "PermanentRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
  ];
  if (status === 301 || elsewhere.includes(code)) {
    const where = region === null ? "another region" : `the region ${region}`;
    return `the bucket is in ${where}, not in ${place.region} (region=)`;
  }
  // The answer to a HEAD has no code.
  if (status === 403 && code === "") return "these credentials may not do that, or have expired (403)";
  return SENTENCES[code] ?? `it answered ${status}${code === "" ? "" : ` ${code}`}`;
}

/** `action` completes `Cannot …`: `keep "npm/x/x-1.0.0.tgz"`. */
export function refusalError(action: string, refusal: S3Refusal, place: S3Place): StorageError {
  return new StorageError(`Cannot ${action} in ${nameOf(place)}: ${sentenceOf(refusal, place)}`, {
    cause: `${refusal.status} ${refusal.code}`.trim(),
  });
}

const CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's address could not be looked up",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  EBADF: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the connection was cut",
  UND_ERR_CONNECT_TIMEOUT: "no connection within the time allowed",
  UND_ERR_HEADERS_TIMEOUT: "no answer within the time allowed",
  UND_ERR_BODY_TIMEOUT: "the answer came to a standstill",
};

/** Of a request that never got its whole answer. */
export function connectionError(action: string, error: unknown, place: S3Place): StorageError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/.test(code);
  const why = CONNECTION[code] ??
    (certificate ? `its certificate is not trusted (${code})` : "the connection failed");
  return new StorageError(`Cannot ${action} in ${nameOf(place)}: ${why}`, { cause: error });
}

/** For messages: the place without anything secret. */
export function nameOf(place: S3Place): string {
  return `"s3://${place.bucket}/${place.prefix}" at ${place.origin}`;
}
