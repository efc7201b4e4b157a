/** Ends the process when it is told to: in good order the first time, at once the second. */
import type { Log } from "../storage/runtime.ts";

/** `close` is awaited, then the process ends with code 0; a second signal ends it with 130. */
export function stopOnSignals(options: {
  readonly close: () => Promise<void>;
  readonly log: Log;
  readonly exit: (code: number) => void;
}): void {
  const { close, log, exit } = options;
  let stopping = false;
  async function stop(): Promise<void> {
    if (stopping) return exit(130);
    stopping = true;
    log("info", "Stopping: running transfers may end. A second signal stops at once.");
    await close().catch((error: unknown) => log("error", "Cannot stop in good order", { error }));
    exit(0);
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stop);
}
