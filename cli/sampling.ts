/** Looks at digests in the background of a running server: a round with each maintenance, as far as it is due. */
import type { ArtifactStore } from "../storage/artifacts/store.ts";
import { sampleDigests } from "../storage/cache/sample.ts";
import type { Background, Clock, Log, Timers } from "../storage/runtime.ts";

export interface Sampling {
  /** Does not wait for it; nothing happens while one runs, or before it is due. */
  begin(): void;
  /** Ends the one that runs, and lets none begin. */
  stop(): void;
}

/** A disk of 10 GB is looked at within three hours. */
const FOLDER_EVERY_MS = 60_000;
/** Reading a bucket costs money, and its server looks at its own disks. */
const BUCKET_EVERY_MS = 3_600_000;

/** `address`: of the store, as configured; what is in memory is not looked at. */
export function createSampling(deps: {
  readonly address: string;
  readonly kv: Deno.Kv;
  readonly store: ArtifactStore;
  readonly background: Background;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}): Sampling {
  const { address, background } = deps;
  const everyMs = address.startsWith("s3:") ? BUCKET_EVERY_MS : FOLDER_EVERY_MS;
  const stopped = new AbortController();
  let isRunning = false;

  async function round(): Promise<void> {
    try {
      await sampleDigests({ ...deps, everyMs }, stopped.signal);
    } catch (error) {
      if (!stopped.signal.aborted) throw error;
    } finally {
      isRunning = false;
    }
  }

  function begin(): void {
    if (isRunning || stopped.signal.aborted || address.startsWith("memory:")) return;
    isRunning = true;
    background.run("look at digests", round);
  }

  return { begin, stop: () => stopped.abort(new Error("Sluice is stopping")) };
}
