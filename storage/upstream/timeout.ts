/** Bounds on how long an upstream may take: to answer at all, and between two chunks. */
import { type Timers, UNNEEDED } from "../runtime.ts";
import { failure } from "./failures.ts";
import { withBody } from "./response.ts";
import type { Layer } from "./upstream.ts";

/** The idle bound is looked at in quarters, so that no timer is made for each chunk: it ends between 1 and 1.25 of it. */
const QUARTERS = 4;

/**
 * `headMs` runs from handing the request over to the answer's headers (waiting for a free connection and
 * connecting included); `idleMs` only while the reader waits, so a slow reader is no slow upstream.
 */
export function timeoutLayer(
  options: { readonly timers: Timers; readonly headMs: number; readonly idleMs: number },
): Layer {
  const { timers, headMs, idleMs } = options;
  return (next) => async (request) => {
    const { origin } = new URL(request.url);
    const late = new AbortController();
    const answered = new AbortController();
    timers.sleep(headMs, answered.signal).then(
      () => late.abort(failure("timeout", `no answer within ${headMs} ms`, origin)),
      () => {},
    );
    try {
      const signal = AbortSignal.any([request.signal, late.signal]);
      const response = await next(new Request(request, { signal }));
      if (response.body === null) return response;
      const stalled = () => late.abort(failure("timeout", `no further byte within ${idleMs} ms`, origin));
      return withBody(response, watched(response.body, { timers, idleMs, stalled }));
    } finally {
      answered.abort(UNNEEDED);
    }
  };
}

function watched(
  body: ReadableStream<Uint8Array>,
  { timers, idleMs, stalled }: {
    readonly timers: Timers;
    readonly idleMs: number;
    readonly stalled: () => void;
  },
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const ended = new AbortController();
  let waiting = false;
  let quarters = 0;

  async function watch(): Promise<void> {
    while (quarters <= QUARTERS) {
      await timers.sleep(idleMs / QUARTERS, ended.signal);
      if (waiting) quarters += 1;
    }
    stalled();
  }
  watch().catch(() => {});

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      quarters = 0;
      waiting = true;
      try {
        const { done, value } = await reader.read();
        waiting = false;
        if (!done) return controller.enqueue(value);
        ended.abort(UNNEEDED);
        controller.close();
      } catch (error) {
        ended.abort(UNNEEDED);
        throw error;
      }
    },
    async cancel(reason) {
      ended.abort(UNNEEDED);
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
