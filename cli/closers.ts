/** What has to be closed again, in the opposite order. */
import type { Log } from "../storage/runtime.ts";

/** Resources that are open. */
export interface Closers {
  add(close: () => Promise<unknown> | unknown): void;
  /** Closes all, whatever becomes of each; what fails is logged. A second call finds nothing left. */
  closeAll(): Promise<void>;
}

/** Empty to begin with. */
export function createClosers(log: Log): Closers {
  const open: (() => Promise<unknown> | unknown)[] = [];
  return {
    add: (close) => void open.push(close),
    async closeAll() {
      for (const close of open.splice(0).reverse()) {
        try {
          await close();
        } catch (error) {
          log("error", `Cannot close: ${error instanceof Error ? error.message : error}`, { error });
        }
      }
    },
  };
}
