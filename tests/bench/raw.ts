/** HTTP over sockets of our own: nothing is decoded or kept, so that many large answers cost the one who asks little. */

export interface RawAnswer {
  readonly status: number;
  readonly bytes: number;
  /** From the request's last byte until the answer's first. */
  readonly firstByteMs: number;
  readonly totalMs: number;
}

export interface RawClient extends Disposable {
  /** One at a time. Throws where the connection ends before the answer. */
  ask(path: string, headers?: Readonly<Record<string, string>>): Promise<RawAnswer>;
}

const BUFFER_BYTES = 256 * 1024;

/** One connection, kept alive. */
export async function connectRaw(url: string, bufferBytes: number = BUFFER_BYTES): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  connection.setNoDelay(true);
  const buffer = new Uint8Array(bufferBytes);
  const encoder = new TextEncoder();

  async function read(): Promise<Uint8Array> {
    const count = await connection.read(buffer);
    if (count === null) throw new Error(`${url} closed the connection within an answer`);
    return buffer.subarray(0, count);
  }

  async function ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    const lines = Object.entries({ host: `${hostname}:${port}`, ...headers }).map(([k, v]) =>
      `${k}: ${v}\r\n`
    );
    const startedAt = performance.now();
    await connection.write(encoder.encode(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`));
    let text = "";
    let firstByteMs = 0;
    let bytes = 0;
    for (;;) {
      const piece = await read();
      if (text === "") firstByteMs = performance.now() - startedAt;
      text += latin1(piece);
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) continue;
      bytes = text.length - end - 4;
      const head = text.slice(0, end).toLowerCase();
      const status = Number(head.slice(9, 12));
      const stated = /^content-length: (\d+)/m.exec(head)?.[1];
      const done = () => ({ status, bytes, firstByteMs, totalMs: performance.now() - startedAt });
      if (stated === undefined) {
        let tail = text.slice(-5);
        while (status !== 304 && tail !== "0\r\n\r\n") {
          const more = await read();
          bytes += more.length;
          tail = (tail + latin1(more.subarray(-5))).slice(-5);
        }
        return done();
      }
      while (bytes < Number(stated)) bytes += (await read()).length;
      return done();
    }
  }

  return { ask, [Symbol.dispose]: () => connection.close() };
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}

/** One question on a connection of its own. Throws for any status but the wanted. */
export async function askOnce(
  url: string,
  path: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly status?: number } = {},
): Promise<RawAnswer> {
  using client = await connectRaw(url);
  const answer = await client.ask(path, options.headers);
  if (answer.status !== (options.status ?? 200)) throw new Error(`${answer.status} from ${url}${path}`);
  return answer;
}
