/** What an S3 server answers: whole or on its way, a success or not. */
import type { Dispatcher } from "undici";
import { joinBytes } from "../bytes.ts";
import { readRefusal, type S3Refusal } from "./s3_errors.ts";

/** What the server said no with. */
export interface S3Refused {
  readonly ok: false;
  readonly refusal: S3Refusal;
}

export interface S3Success {
  readonly ok: true;
  readonly status: number;
  /** Lower-case name; null where there is none. */
  header(name: string): string | null;
  readonly body: Uint8Array;
}

/** An answer whose body is still on its way: it must be read to its end or destroyed. */
export interface S3Opened {
  readonly ok: true;
  readonly status: number;
  header(name: string): string | null;
  readonly body: Dispatcher.ResponseData["body"];
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Reads the body to its end. */
export async function refused(answer: Dispatcher.ResponseData): Promise<S3Refused> {
  return { ok: false, refusal: readRefusal(answer.statusCode, await textOfRefusal(answer)) };
}

/** null where the body is what a success says. */
export function errorWithin(body: Uint8Array): S3Refused | null {
  const text = new TextDecoder().decode(body.subarray(0, 4096));
  return /^(?:<\?xml[^>]*>)?\s*<Error>/.test(text) ? { ok: false, refusal: readRefusal(500, text) } : null;
}

/** What a server may say today and not in a second (AWS: "Error retries and exponential backoff"). */
export function mayPass({ status, code }: S3Refusal): boolean {
  return status === 429 || status === 500 || (status >= 502 && status <= 504) || code === "RequestTimeout" ||
    code === "ConditionalRequestConflict" || code === "OperationAborted";
}

/** null where there is no such header; names are lower-case. */
export function headerOf(answer: Dispatcher.ResponseData): (name: string) => string | null {
  return (name) => {
    const value = answer.headers[name];
    return (Array.isArray(value) ? value[0] : value) ?? null;
  };
}

/** Throws where it is larger than 64 MB: no answer that is read whole is. */
export async function wholeBody(answer: Dispatcher.ResponseData): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new Error(`The answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return joinBytes(chunks, length);
}

/** A refusal is short; whatever is longer is none of S3's. */
async function textOfRefusal(answer: Dispatcher.ResponseData): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > 65_536) break;
  }
  return text;
}
