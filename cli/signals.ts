/** Ends the process when it is told to: in good order the first time, at once the second. */
import type { Clock, Log } from "../storage/runtime.ts";

/** Ctrl-C reaches this process from the terminal, and once more from the `deno task` or `npx` above it. */
const ONE_KEYPRESS_MS = 500;

/** `close` is awaited, then the process ends with code 0; a second signal ends it with 130. */
export function stopOnSignals(options: {
  readonly close: () => Promise<void>;
  readonly log: Log;
  readonly clock: Clock;
  readonly exit: (code: number) => void;
  /** Default: SIGINT and SIGTERM call it. */
  readonly listen?: (stop: () => Promise<void>) => void;
}): void {
  const { close, log, clock, exit, listen = listenToSignals } = options;
  let stoppingSince: number | null = null;
  async function stop(): Promise<void> {
    if (stoppingSince !== null) {
      if (clock() - stoppingSince >= ONE_KEYPRESS_MS) exit(130);
      return;
    }
    stoppingSince = clock();
    log("info", "Stopping: running transfers may end. A second signal stops at once.");
    await close().catch((error: unknown) => log("error", "Cannot stop in good order", { error }));
    exit(0);
  }
  listen(stop);
}

function listenToSignals(stop: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stop);
}
