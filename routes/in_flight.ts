/**
 * How many requests are answered at once, from one address and in all. Deno.serve has no hook for connections; what
 * a stranger could pile up here is answers, each with its fill, its document or its window of bytes.
 */
import type { Clock, Log } from "../storage/runtime.ts";
import type { Told } from "./say_problem.ts";

/** Both are counts of requests from their head until the last byte of the answer was handed over or given up. */
export interface InFlightLimits {
  readonly perAddress: number;
  readonly total: number;
}

export interface InFlight {
  /** Requests that are being answered. */
  count(): number;
  /** null: it is counted, and leaves the count by itself. Else what the client is told instead of an answer. */
  enter(address: string, info: Pick<Deno.ServeHandlerInfo, "completed">): Told | null;
}

const RETRY_AFTER_SECONDS = 1;
/** Being full is said once in this time, however many are turned away. */
const TOLD_EVERY_MS = 60_000;

/** What is kept is one small object for each address with a request on its way. */
export function createInFlight(limits: InFlightLimits, deps: {
  readonly clock: Clock;
  readonly log: Log;
}): InFlight {
  const addresses = new Map<string, Place>();
  let total = 0;
  let toldAt = -Infinity;

  return {
    count: () => total,
    enter(address, info) {
      if (total >= limits.total) return turnAway(address, overloaded(limits.total));
      const place = addresses.get(address) ?? open(address);
      if (place.count >= limits.perAddress) return turnAway(address, tooMany(address, limits.perAddress));
      place.count++;
      total++;
      // It rejects on Deno 2.5 where the answer was cut off.
      info.completed.then(place.leave, place.leave);
      return null;
    },
  };

  function open(address: string): Place {
    const place: Place = {
      count: 0,
      leave() {
        total--;
        if (--place.count === 0) addresses.delete(address);
      },
    };
    addresses.set(address, place);
    return place;
  }

  function turnAway(address: string, told: Told): Told {
    const now = deps.clock();
    if (now - toldAt >= TOLD_EVERY_MS) {
      toldAt = now;
      deps.log("warn", `Turning requests away: ${told.message}`, { address, "error.code": told.code });
    }
    return told;
  }
}

interface Place {
  count: number;
  /** One for all requests of the address. */
  readonly leave: () => void;
}

function tooMany(address: string, limit: number): Told {
  return {
    status: 429,
    code: "too-many-requests",
    message: `${limit} requests from ${address || "this address"} are being answered: try again in a moment.`,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  };
}

function overloaded(limit: number): Told {
  return {
    status: 503,
    code: "overloaded",
    message: `Sluice is answering ${limit} requests, which is as many as it may: try again in a moment.`,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  };
}
