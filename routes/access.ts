/** One line per request, without query strings; refusals are worth more than a debug line. */
import type { Caller, Ecosystem } from "../ecosystems/ecosystem.ts";
import type { CacheOutcome, Outcome } from "../ecosystems/outcome.ts";
import type { Clock, Log } from "../storage/runtime.ts";
import type { Target } from "./target.ts";

/** What is found out about one request while it is answered; filled in on the way. */
export interface Journey {
  /** null: it was rejected before it could be read. */
  target: Target | null;
  /** Where it came from; null: nobody has looked. */
  address: string | null;
  caller: Caller | null;
  /** Whose form an error has; null: no client's. */
  ecosystem: Ecosystem | null;
  /** The decision that refused it; null: it was not refused. */
  refusedBy: string | null;
  /** What the pipeline answered; null: it was not asked. */
  kind: Outcome["kind"] | null;
  /** How the cache took part; null: it did not come to that. */
  cache: CacheOutcome | null;
}

/** A journey that ended. */
export interface Answered extends Readonly<Journey> {
  readonly method: string;
  readonly status: number;
  readonly startedAt: number;
}

/** `verbose`: every request at debug; else refusals only, so that a busy server builds no lines in vain. */
export function createAccessLog(options: {
  readonly log: Log;
  readonly verbose: boolean;
  readonly clock: Clock;
}): (answered: Answered) => void {
  const { log, verbose, clock } = options;
  return function logAccess(answered) {
    const isRefusal = answered.refusedBy !== null;
    if (!isRefusal && !verbose) return;
    const { method, target, caller, status } = answered;
    const path = pathOf(target);
    log(
      isRefusal ? "info" : "debug",
      `${method} ${path} ${isRefusal ? "refused" : "answered"} with ${status}`,
      {
        "http.method": method,
        "http.path": path,
        "http.status": status,
        "duration.ms": Math.round(clock() - answered.startedAt),
        organisation: caller?.organisation ?? target?.organisation ?? undefined,
        user: caller?.user ?? undefined,
        address: caller?.address,
        "client.name": caller?.client.name,
        "client.version": caller?.client.version,
        "decision.id": answered.refusedBy ?? undefined,
      },
    );
  };
}

/** Built from what was parsed: what was not admitted has no path. */
function pathOf(target: Target | null): string {
  if (target === null) return "(unreadable)";
  const at = target.at === null ? "" : `/at/${target.at}`;
  if (target.kind === "site") return `${at}${target.path}`;
  const below = target.segments.join("/");
  return target.ecosystem === null ? `/${below}` : `${at}/${target.ecosystem}/${below}`;
}
