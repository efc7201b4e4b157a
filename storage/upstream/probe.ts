/** The one request that may close an open circuit, and how long others wait for what it finds. */
import type { EpochMs } from "../../policy/types.ts";
import { type Timers, UNNEEDED } from "../runtime.ts";

/** All who wait for one probe wait no longer than this together. */
const WAIT_MS = 1_000;

/** Out from its start until `end`, or until its time is over. */
export interface Probe {
  readonly generation: number;
  readonly startedAt: EpochMs;
  /** Resolves when it has ended, or was waited for long enough; never rejects. */
  waited(): Promise<void>;
  end(): void;
}

/** One timer, and only once somebody waits. */
export function createProbe(given: Pick<Probe, "generation" | "startedAt">, timers: Timers): Probe {
  const ended = new AbortController();
  let waiting: Promise<void> | null = null;
  return {
    ...given,
    waited: () => waiting ??= timers.sleep(WAIT_MS, ended.signal).catch(() => {}),
    end: () => ended.abort(UNNEEDED),
  };
}
