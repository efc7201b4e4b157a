/** A faulty network before a real S3 server: cuts and refuses what a test names, passes on all else. */

/** What happens to a request that `method` and `target` describe, so many times. */
export interface S3Fault {
  readonly method: string;
  /** Held against path and query. */
  readonly target: RegExp;
  /** Infinity: always. */
  readonly times: number;
  readonly how:
    /** Answered here; the server hears nothing of it. */
    | { readonly kind: "refuse"; readonly status: number; readonly code: string }
    /** The connection is cut after so many bytes of the request's body. */
    | { readonly kind: "cutRequest"; readonly afterBytes: number }
    /** The server does what it is asked; the connection is cut after so many bytes of its answer. */
    | { readonly kind: "cutAnswer"; readonly afterBytes: number }
    /** Nothing more is read of it, and nothing answered, until the client leaves or the front is closed. */
    | { readonly kind: "stall" };
}

export interface S3Front extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** How often each fault struck, in their order. */
  readonly struck: readonly number[];
  /** Of all answers, what a client was sent or what waits for it in a socket. */
  readonly answeredBytes: number;
}

interface Head {
  readonly method: string;
  readonly target: string;
  readonly bytes: Uint8Array;
  readonly bodyBytes: number;
  /** Of the body, what came together with the head. */
  readonly rest: Uint8Array;
}

/** Each connection carries one request, so that a fault strikes that one alone. */
export function startS3Front(port: number, faults: readonly S3Fault[]): S3Front {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const struck = faults.map(() => 0);
  const open = new Set<Promise<void>>();
  const closed = Promise.withResolvers<void>();
  let answeredBytes = 0;

  function faultOf(head: Head): S3Fault["how"] | null {
    const at = faults.findIndex((fault, index) => {
      return fault.method === head.method && fault.target.test(head.target) && struck[index]! < fault.times;
    });
    if (at < 0) return null;
    struck[at]!++;
    return faults[at]!.how;
  }

  async function serve(client: Deno.TcpConn): Promise<void> {
    let server: Deno.TcpConn | null = null;
    try {
      const head = await readHead(client);
      if (head === null) return;
      const fault = faultOf(head);
      if (fault?.kind === "stall") return await closed.promise;
      if (fault?.kind === "refuse") return await refuse(client, head, fault);
      server = await Deno.connect({ hostname: "127.0.0.1", port });
      const to = server;
      await writeAll(server, head.bytes);
      const sending = passOn(client, server, {
        first: head.rest,
        limit: fault?.kind === "cutRequest" ? fault.afterBytes : head.bodyBytes,
      });
      if (fault?.kind === "cutRequest") return void await sending;
      // A client that leaves in the middle takes its request to the server with it.
      sending.then((sent) => sent < head.bodyBytes && close(to), () => close(to));
      // The server has done its work once it begins to answer.
      const first = new Uint8Array(16_384);
      const read = await server.read(first);
      const limit = fault?.kind === "cutAnswer" ? fault.afterBytes : Infinity;
      if (read !== null) {
        await passOn(server, client, {
          first: first.subarray(0, read),
          limit,
          sent: (bytes) => answeredBytes += bytes,
        });
      }
    } catch {
      // Either side has gone.
    } finally {
      close(client);
      if (server !== null) close(server);
    }
  }

  const accepting = (async () => {
    for await (const client of listener) {
      const task: Promise<void> = serve(client).finally(() => open.delete(task));
      open.add(task);
    }
  })();

  return {
    endpoint: `http://127.0.0.1:${listener.addr.port}`,
    struck,
    get answeredBytes() {
      return answeredBytes;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      closed.resolve();
      await accepting;
      await Promise.all(open);
    },
  };
}

/** It may be closed already. */
function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It was.
  }
}

/** null: the client left before it had asked for anything. */
async function readHead(client: Deno.TcpConn): Promise<Head | null> {
  const buffer = new Uint8Array(64 * 1024);
  let length = 0;
  while (true) {
    const read = await client.read(buffer.subarray(length));
    if (read === null) return null;
    length += read;
    const text = new TextDecoder("latin1").decode(buffer.subarray(0, length));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const lines = text.slice(0, end).split("\r\n").filter((line) => !/^connection:/i.test(line));
    const [method = "", target = ""] = (lines[0] ?? "").split(" ");
    const stated = lines.find((line) => /^content-length:/i.test(line))?.split(":")[1];
    const head = `${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`;
    const bytes = Uint8Array.from(head, (character) => character.charCodeAt(0));
    return { method, target, bytes, bodyBytes: Number(stated ?? 0), rest: buffer.slice(end + 4, length) };
  }
}

async function refuse(
  client: Deno.TcpConn,
  head: Head,
  fault: { readonly status: number; readonly code: string },
): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  // To its end: a connection that is closed before would be reset, and the answer lost.
  for (let seen = head.rest.length; seen < head.bodyBytes;) {
    const read = await client.read(buffer);
    if (read === null) return;
    seen += read;
  }
  const body = `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>hunter2</Message></Error>`;
  const answer = `HTTP/1.1 ${fault.status} No\r\nContent-Type: application/xml\r\nConnection: close\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${head.method === "HEAD" ? "" : body}`;
  await writeAll(client, new TextEncoder().encode(answer));
}

async function passOn(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  options: {
    readonly first: Uint8Array;
    readonly limit: number;
    readonly sent?: (bytes: number) => void;
  },
): Promise<number> {
  const buffer = new Uint8Array(64 * 1024);
  let chunk = options.first;
  for (let left = options.limit; left > 0;) {
    const piece = chunk.subarray(0, Math.min(left, chunk.length));
    await writeAll(to, piece);
    left -= piece.length;
    options.sent?.(piece.length);
    if (left <= 0) break;
    const read = await from.read(buffer);
    if (read === null) return options.limit - left;
    chunk = buffer.subarray(0, read);
  }
  return options.limit;
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
