/** The processes that share this storage, as each says of itself once a minute. */
import type { EpochMs } from "../../policy/types.ts";
import type { Clock } from "../runtime.ts";
import type { OriginHealth } from "../upstream/circuit.ts";
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";

export interface ProcessReport {
  readonly instance: string;
  readonly version: string;
  readonly startedAt: EpochMs;
  /** When it said so. */
  readonly at: EpochMs;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly inFlight: number;
  readonly fills: number;
  /** Since it was started. */
  readonly requests: number;
  /** Those that are not well. */
  readonly upstreams: readonly OriginHealth[];
}

/** Said nothing for so long, it is taken for ended. */
const SILENT_MS = 3 * 60_000;

export interface Processes {
  say(report: ProcessReport): Promise<void>;
  /** It ends: nobody has to wait until it is silent. */
  leave(instance: string): Promise<void>;
  /** Those that are heard of, the oldest first. */
  list(): Promise<readonly ProcessReport[]>;
}

/** All throw StorageError. */
export function createProcesses(kv: Deno.Kv, { clock }: { readonly clock: Clock }): Processes {
  return {
    async say(report) {
      const options = { expireIn: SILENT_MS };
      await attempt(
        "say that this process runs",
        () => kv.set(keys.process(report.instance), report, options),
      );
    },
    async leave(instance) {
      await attempt("say that this process ends", () => kv.delete(keys.process(instance)));
    },
    async list() {
      const found = await attempt(
        "list the processes",
        () => Array.fromAsync(kv.list<ProcessReport>({ prefix: keys.processes() })),
      );
      return found.map(({ value }) => value).filter(({ at }) => clock() - at < SILENT_MS)
        .sort((a, b) => a.startedAt - b.startedAt);
    },
  };
}
