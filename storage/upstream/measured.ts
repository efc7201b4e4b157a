/** Counts and times each request that really goes out, by origin: what a circuit held back is none. */
import { UpstreamError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import type { Layer } from "./upstream.ts";

/** `result`: `2xx` and its like, the kind of failure, or `abandoned` where nobody waited any more. */
export type Measure = (origin: string, result: string, ms: number) => void;

/** Until the head of an answer is there. */
export function measuredLayer(measure: Measure, clock: Clock): Layer {
  return (next) => async (request) => {
    const startedAt = clock();
    const { origin } = new URL(request.url);
    try {
      const response = await next(request);
      measure(origin, `${Math.trunc(response.status / 100)}xx`, clock() - startedAt);
      return response;
    } catch (error) {
      const other = request.signal.aborted ? "abandoned" : "failed";
      measure(origin, error instanceof UpstreamError ? error.detail.kind : other, clock() - startedAt);
      throw error;
    }
  };
}
