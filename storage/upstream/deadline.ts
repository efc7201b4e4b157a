/** How long the whole of one request may take, whatever its tries, redirects and pieces are. */
import { type Timers, UNNEEDED } from "../runtime.ts";
import { failure } from "./failures.ts";

export interface Deadline {
  /** Aborts with an UpstreamError of kind `timeout`. */
  readonly signal: AbortSignal;
  /** What is waited for here is no slowness of upstream's: the time that it takes is not counted. */
  pausedFor<T>(work: () => Promise<T>): Promise<T>;
  /** Must be called: a sleep that nobody needs keeps a process alive. */
  end(): void;
}

/** `outer`: whoever asked may give up before. */
export function createDeadline(
  timers: Timers,
  { ms, origin, outer }: {
    readonly ms: number;
    readonly origin: string;
    readonly outer?: AbortSignal | undefined;
  },
): Deadline {
  const late = new AbortController();
  const ended = new AbortController();
  let paused = 0;
  let left = QUARTERS;

  async function watch(): Promise<void> {
    while (left > 0) {
      await timers.sleep(ms / QUARTERS, ended.signal);
      if (paused === 0) left -= 1;
    }
    late.abort(failure("timeout", `not done within ${ms} ms (upstreamTimeout)`, origin));
  }
  watch().catch(() => {});

  return {
    signal: outer === undefined ? late.signal : AbortSignal.any([outer, late.signal]),
    async pausedFor(work) {
      paused += 1;
      try {
        return await work();
      } finally {
        paused -= 1;
      }
    },
    end: () => ended.abort(UNNEEDED),
  };
}

/** A pause is counted to the quarter: a request that pauses may take a quarter longer, none takes less. */
const QUARTERS = 4;
