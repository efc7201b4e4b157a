/** Clients that hardly read, by the hundred: raw sockets, since fetch reads ahead. */

export interface SlowCrowd extends AsyncDisposable {
  /** Resolves once every client has its answer's status line and so many bytes more, one a second. */
  reached(bytes: number): Promise<void>;
  /** How many got another status than 200, or were cut off. */
  readonly failed: number;
}

export interface SlowCrowdOptions {
  readonly url: string;
  readonly clients: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly pauseMs?: number;
}

const STATUS_LINE = "HTTP/1.1 200 OK";

/** Each asks once, then takes a byte a second until it is disposed of. */
export function startSlowCrowd(options: SlowCrowdOptions): SlowCrowd {
  const { clients, pauseMs = 1_000 } = options;
  const url = new URL(options.url);
  const sockets: Deno.Conn[] = [];
  const ended = new AbortController();
  const counts = new Map<number, number>();
  let failed = 0;
  let why: unknown = null;
  let changed = Promise.withResolvers<void>();

  async function client(index: number): Promise<void> {
    const socket = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
    sockets.push(socket);
    const head = Object.entries({
      host: url.host,
      authorization: `Basic ${btoa(`slow-${index}:`)}`,
      ...options.headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    await socket.write(new TextEncoder().encode(`GET ${url.pathname} HTTP/1.1\r\n${head}\r\n`));
    const line = new Uint8Array(STATUS_LINE.length);
    for (let at = 0; at < line.length;) {
      const count = await socket.read(line.subarray(at));
      if (count === null) throw new Error("The connection was closed");
      at += count;
    }
    if (new TextDecoder().decode(line) !== STATUS_LINE) throw new Error(new TextDecoder().decode(line));
    const byte = new Uint8Array(1);
    while (!ended.signal.aborted) {
      if (await socket.read(byte) === null) throw new Error("The connection was closed");
      counts.set(index, (counts.get(index) ?? 0) + 1);
      changed.resolve();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  const running = Array.from({ length: clients }, (_, index) =>
    client(index).catch((error) => {
      if (ended.signal.aborted) return;
      failed++;
      why ??= error;
      changed.resolve();
    }));

  async function reached(bytes: number): Promise<void> {
    for (;;) {
      if (failed > 0) throw new Error(`${failed} of ${clients} slow clients failed: ${why}`);
      const there = [...counts.values()].filter((count) => count >= bytes).length;
      if (there === clients) return;
      changed = Promise.withResolvers();
      await changed.promise;
    }
  }

  return {
    reached,
    get failed() {
      return failed;
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      for (const socket of sockets) {
        try {
          socket.close();
        } catch {
          // Closed already.
        }
      }
      await Promise.allSettled(running);
    },
  };
}
