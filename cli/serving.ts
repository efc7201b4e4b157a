/**
 * Deno.serve, begun again where Deno ends it: a server whose accept fails once (every file descriptor taken by
 * strangers' connections) takes none ever again, while its process lives on.
 */
import type { Clock, Log, Timers } from "../storage/runtime.ts";

/** One that listens until it is told to stop. */
export interface Serving {
  /** With the port that was taken. */
  readonly address: Deno.NetAddr;
  /** Takes no more connections, and resolves once all requests have ended. Never rejects. */
  shutdown(): Promise<void>;
  /** Is not begun again from now on. */
  leave(): void;
  /** Of the server that listens now. Never rejects. */
  finished(): Promise<void>;
}

const PAUSE_MS = 250;
/** Said once in this time, however often it is tried. */
const TOLD_EVERY_MS = 60_000;

/** `begin` is called at once, with what it throws; later with the port that was taken, until it works. */
export function keepServing(begin: (port: number | null) => Deno.HttpServer, deps: {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}): Serving {
  const { clock, timers, log } = deps;
  const left = new AbortController();
  let server = begin(null);
  let toldAt = -Infinity;
  const address = server.addr as Deno.NetAddr;
  watch();

  function watch(): void {
    server.finished.catch(async (error: unknown) => {
      tell(error);
      await beginAgain();
    });
  }

  async function beginAgain(): Promise<void> {
    while (!left.signal.aborted) {
      await timers.sleep(PAUSE_MS, left.signal).catch(() => {});
      if (left.signal.aborted) return;
      try {
        server = begin(address.port);
        return watch();
      } catch (error) {
        tell(error);
      }
    }
  }

  function tell(error: unknown): void {
    const now = clock();
    if (left.signal.aborted || now - toldAt < TOLD_EVERY_MS) return;
    toldAt = now;
    log("error", "No connection can be taken: listening again until it can", { error });
  }

  return {
    address,
    async shutdown() {
      left.abort();
      await server.shutdown().catch(() => {});
    },
    leave: () => left.abort(),
    finished: () => server.finished.catch(() => {}),
  };
}
