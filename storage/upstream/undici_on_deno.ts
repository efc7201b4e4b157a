/**
 * What undici 8 takes from Node while it loads, and Deno 2.5 does not have. Import this before undici.
 * `markAsUncloneable` is for its fetch and cache classes, which Sluice does not use; `addAbortListener` is for a
 * request's signal.
 */
import events from "node:events";
import workerThreads from "node:worker_threads";

fill(workerThreads, "markAsUncloneable", ignore);
fill(events, "addAbortListener", addAbortListener);

function fill(module: object, name: string, stand: (...args: never[]) => unknown): void {
  const members = module as Record<string, unknown>;
  if (typeof members[name] !== "function") members[name] = stand;
}

function ignore(): void {}

/** As Node's: the listener is told once, and disposing of the answer takes it away. */
function addAbortListener(signal: AbortSignal, listener: () => void): Disposable {
  signal.addEventListener("abort", listener, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", listener) };
}
