/**
 * undici 8 takes `markAsUncloneable` from node:worker_threads while it loads, for its fetch and cache classes
 * (which Sluice does not use); Deno 2.5 has none. Import this before undici.
 */
import workerThreads from "node:worker_threads";

const module = workerThreads as unknown as Record<string, unknown>;
if (typeof module.markAsUncloneable !== "function") module.markAsUncloneable = ignore;

function ignore(): void {}
