/** HTTP/1.1 by hand for the fake upstream: requests are read in full, answers written as the test wants them. */
import type { Answer } from "./upstream.ts";
import { FAULTS, type Script } from "./upstream_faults.ts";

export interface RecordedRequest {
  readonly method: string;
  /** As it stood in the request line. */
  readonly target: string;
  /** Without the query. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export interface Connection {
  readonly socket: Deno.Conn;
  /** Bytes read but not yet used. */
  left: Uint8Array;
  /** The read that waits for the client's next bytes, if any: there is never a second one beside it. */
  reading: Promise<boolean> | null;
}

/** null: the client closed the connection. */
export async function readRequest(connection: Connection): Promise<RecordedRequest | null> {
  const head = await readUntil(connection, "\r\n\r\n");
  if (head === null) return null;
  const [line = "", ...lines] = head.split("\r\n");
  const [method = "", target = ""] = line.split(" ");
  const headers = new Map(
    lines.filter((text) => text !== "").map((text) => {
      const colon = text.indexOf(":");
      return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
    }),
  );
  const body = await readBody(connection, headers);
  return { method, target, path: target.split("?")[0]!, headers, body };
}

/** Whether the connection can be used for another request. */
export async function writeAnswer(
  connection: Connection,
  request: RecordedRequest,
  answer: Answer,
): Promise<boolean> {
  await answer.once?.();
  if (answer.delayMs !== undefined) await pause(connection, answer.delayMs);
  const script = answer.fault === undefined
    ? scriptOf(answer)
    : FAULTS[answer.fault](answer, scriptOf(answer));
  await write(connection, script.head);
  if (request.method === "HEAD") return !script.closes;
  let left = answer.cutAfterBytes ?? Infinity;
  for await (const piece of script.body) {
    if (piece === "stall") {
      await pause(connection, 60_000);
      return false;
    }
    if (typeof piece === "number") {
      await pause(connection, piece);
      continue;
    }
    await write(connection, piece.subarray(0, Math.min(left, piece.length)));
    left -= piece.length;
    if (left < 0) return false;
  }
  return !script.closes && left > 0;
}

/** The honest answer: what each fault starts from. */
function scriptOf(answer: Answer): Script {
  const status = answer.status ?? 200;
  const chunked = answer.stream !== undefined || answer.chunks !== undefined;
  const whole = bytesOf(answer.body ?? "");
  const framing = status === 304 || status === 204
    ? {}
    : chunked
    ? { "transfer-encoding": "chunked" }
    : { "content-length": String(whole.length) };
  return {
    head: headOf(status, { ...framing, ...answer.headers }),
    body: chunked ? chunkedBody(answer.stream ?? answer.chunks!) : [whole],
    closes: false,
  };
}

/** Status line and headers, with the empty line. */
export function headOf(status: number, headers: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return bytesOf(`HTTP/1.1 ${status} Test\r\n${lines.join("")}\r\n`);
}

export function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? new TextEncoder().encode(value) : value;
}

async function* chunkedBody(
  chunks: Iterable<string | Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const bytes = bytesOf(chunk);
    if (bytes.length === 0) continue;
    yield bytesOf(`${bytes.length.toString(16)}\r\n`);
    yield bytes;
    yield bytesOf("\r\n");
  }
  yield bytesOf("0\r\n\r\n");
}

async function readBody(connection: Connection, headers: ReadonlyMap<string, string>): Promise<Uint8Array> {
  if (!/chunked/i.test(headers.get("transfer-encoding") ?? "")) {
    return await readExactly(connection, Number(headers.get("content-length") ?? 0));
  }
  const chunks: Uint8Array[] = [];
  for (;;) {
    const size = parseInt(await readUntil(connection, "\r\n") ?? "0", 16);
    chunks.push(await readExactly(connection, size));
    await readExactly(connection, 2);
    if (size === 0) return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  }
}

async function readUntil(connection: Connection, mark: string): Promise<string | null> {
  for (;;) {
    const text = Array.from(connection.left, (byte) => String.fromCharCode(byte)).join("");
    const at = text.indexOf(mark);
    if (at !== -1) {
      connection.left = connection.left.subarray(at + mark.length);
      return text.slice(0, at);
    }
    if (!await readMore(connection)) return null;
  }
}

async function readExactly(connection: Connection, size: number): Promise<Uint8Array> {
  while (connection.left.length < size) {
    if (!await readMore(connection)) throw new Error("The client's request is cut");
  }
  const taken = connection.left.slice(0, size);
  connection.left = connection.left.subarray(size);
  return taken;
}

function readMore(connection: Connection): Promise<boolean> {
  connection.reading ??= readOnce(connection).finally(() => (connection.reading = null));
  return connection.reading;
}

async function readOnce(connection: Connection): Promise<boolean> {
  const buffer = new Uint8Array(64 * 1024);
  const count = await connection.socket.read(buffer);
  if (count === null) return false;
  const joined = new Uint8Array(connection.left.length + count);
  joined.set(connection.left);
  joined.set(buffer.subarray(0, count), connection.left.length);
  connection.left = joined;
  return true;
}

async function write(connection: Connection, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) at += await connection.socket.write(bytes.subarray(at));
}

/** Ends early when the client goes away, so that no stall outlives its test. */
async function pause(connection: Connection, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const gone = readMore(connection).then((more) => more ? new Promise<void>(() => {}) : undefined);
  const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([gone, over]).finally(() => clearTimeout(timer));
}
