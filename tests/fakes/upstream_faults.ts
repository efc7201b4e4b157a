/** Every way in which the fake upstream can go wrong: name → how the honest answer becomes the faulty one. */
import { gzipSync } from "node:zlib";
import type { Answer } from "./upstream.ts";
import { bytesOf, headOf } from "./upstream_wire.ts";

/** What goes over the wire: the head, then pieces of the body; a number pauses for so many milliseconds. */
export interface Script {
  readonly head: Uint8Array;
  readonly body: Iterable<Piece> | AsyncIterable<Piece>;
  /** The connection is closed behind it. */
  readonly closes: boolean;
}

export type Piece = Uint8Array | number | "stall";

type Fault = (answer: Answer, honest: Script) => Script;

const SIGN_IN = "<!doctype html><html><title>Sign in</title><form></form></html>";

/** To be extended: a new row is a new fault, for every test that goes through the table. */
export const FAULTS = {
  "cut-before-headers": () => closing("", []),
  "cut-in-headers": (_answer, { head }) => closing(head.subarray(0, head.length >> 1), []),
  "cut-after-headers": (_answer, { head }) => closing(head, []),
  "cut-mid-body": (answer, { head }) => closing(head, [part(answer, 0.5)]),
  "one-byte-short": (answer, { head }) => closing(head, [bodyOf(answer).subarray(0, -1)]),
  "no-final-chunk": (answer) =>
    closing(head(answer, { "transfer-encoding": "chunked" }), [chunk(bodyOf(answer))]),
  "stall-before-headers": () => closing("", ["stall"]),
  "stall-after-headers": (_answer, { head }) => closing(head, ["stall"]),
  "stall-mid-body": (answer, { head }) => closing(head, [part(answer, 0.5), "stall"]),
  /** A fiftieth of it each 10 ms; a byte at least. */
  "drip": (answer, { head }) => ({ head, body: drip(bodyOf(answer)), closes: false }),
  "length-too-long": (answer) =>
    closing(head(answer, { "content-length": `${bodyOf(answer).length + 7}` }), [bodyOf(answer)]),
  "length-too-short": (answer) =>
    closing(head(answer, { "content-length": `${bodyOf(answer).length - 1}` }), [bodyOf(answer)]),
  "two-lengths": (answer) =>
    closing(rawHead(answer, ["content-length: 1", `content-length: ${bodyOf(answer).length}`]), [
      bodyOf(answer),
    ]),
  /** Neither length nor chunks: the end of the connection is the end of the body. */
  "no-length": (answer) => closing(head(answer, {}), [bodyOf(answer)]),
  "no-length-cut": (answer) => closing(head(answer, {}), [part(answer, 0.5)]),
  /** The right length, other bytes. */
  "wrong-digest": (answer, { head }) => ({
    head,
    body: [bodyOf(answer).map((byte) => byte ^ 1)],
    closes: false,
  }),
  "gzip-that-is-plain": (answer) => encoded("gzip", bodyOf(answer)),
  "gzip-cut": (answer) => encoded("gzip", gzipSync(bodyOf(answer)).subarray(0, -6)),
  "gzip-twice": (answer) => encoded("gzip, gzip", gzipSync(gzipSync(bodyOf(answer)))),
  "gzip-bomb": () => encoded("gzip", bomb(12)),
  "unknown-encoding": (answer) => encoded("snappy", bodyOf(answer)),
  "not-modified-unasked": () => ({ head: headOf(304, {}), body: [], closes: false }),
  "html-with-200": () => whole(200, { "content-type": "text/html; charset=utf-8" }, SIGN_IN),
  /** The page says that it is JSON. */
  "html-as-json": () => whole(200, { "content-type": "application/json" }, SIGN_IN),
  "too-many-requests": () => whole(429, { "retry-after": "7" }, "slow down"),
  "server-error": () => whole(500, {}, "oops"),
  "unavailable": () => whole(503, { "retry-after": "120" }, "busy"),
  "redirect-private": () => redirect("http://10.0.0.1/secret"),
  "redirect-metadata": () => redirect("http://169.254.169.254/latest/meta-data/"),
  /** Another port of this machine. */
  "redirect-loopback": () => redirect("http://127.0.0.1:1/"),
  "redirect-file": () => redirect("file:///etc/passwd"),
  "redirect-nowhere": () => whole(302, {}, ""),
  /** To the same path with one more `x`, for ever. */
  "redirect-endless": () => redirect("?again=" + crypto.randomUUID()),
  "redirect-loop": () => redirect("?"),
  "not-http": () => closing("220 mail.example ESMTP\r\n", []),
  "control-byte-in-header": (answer) => closing(rawHead(answer, ["x-note: a\x01b", "content-length: 0"]), []),
} satisfies Readonly<Record<string, Fault>> as Readonly<Record<FaultName, Fault>>;

export type FaultName =
  | `cut-${"before-headers" | "in-headers" | "after-headers" | "mid-body"}`
  | "one-byte-short"
  | "no-final-chunk"
  | `stall-${"before-headers" | "after-headers" | "mid-body"}`
  | "drip"
  | "length-too-long"
  | "length-too-short"
  | "two-lengths"
  | "no-length"
  | "no-length-cut"
  | "wrong-digest"
  | `gzip-${"that-is-plain" | "cut" | "twice" | "bomb"}`
  | "unknown-encoding"
  | "not-modified-unasked"
  | "html-with-200"
  | "html-as-json"
  | "too-many-requests"
  | "server-error"
  | "unavailable"
  | `redirect-${"private" | "metadata" | "loopback" | "file" | "nowhere" | "endless" | "loop"}`
  | "not-http"
  | "control-byte-in-header";

/** A gzip body of some kilobytes that inflates to so many megabytes of spaces. */
export function bomb(megabytes: number): Uint8Array {
  return gzipSync(new Uint8Array(megabytes * 1024 * 1024).fill(0x20));
}

function closing(head: string | Uint8Array, body: readonly Piece[]): Script {
  return { head: bytesOf(head), body, closes: true };
}

function whole(status: number, headers: Readonly<Record<string, string>>, text: string): Script {
  const body = bytesOf(text);
  return {
    head: headOf(status, { ...headers, "content-length": `${body.length}` }),
    body: [body],
    closes: false,
  };
}

function encoded(encoding: string, body: Uint8Array): Script {
  const headers = { "content-type": "application/json", "content-encoding": encoding };
  return {
    head: headOf(200, { ...headers, "content-length": `${body.length}` }),
    body: [body],
    closes: false,
  };
}

function redirect(location: string): Script {
  return whole(302, { location }, "");
}

function head(answer: Answer, framing: Readonly<Record<string, string>>): Uint8Array {
  return headOf(answer.status ?? 200, { ...answer.headers, ...framing });
}

function rawHead(answer: Answer, lines: readonly string[]): Uint8Array {
  return bytesOf(`HTTP/1.1 ${answer.status ?? 200} Test\r\n${lines.join("\r\n")}\r\n\r\n`);
}

function bodyOf(answer: Answer): Uint8Array {
  return bytesOf(answer.body ?? "");
}

function part(answer: Answer, share: number): Uint8Array {
  const body = bodyOf(answer);
  return body.subarray(0, Math.floor(body.length * share));
}

function chunk(body: Uint8Array): Uint8Array {
  return bytesOf(new Uint8Array([...bytesOf(`${body.length.toString(16)}\r\n`), ...body, 13, 10]));
}

function* drip(body: Uint8Array): Generator<Piece> {
  const drop = Math.ceil(body.length / 50);
  for (let at = 0; at < body.length; at += drop) {
    yield body.subarray(at, at + drop);
    yield 10;
  }
}
