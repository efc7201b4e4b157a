/**
 * One circuit per origin: after sustained failure, or where it says 429 with a Retry-After, nothing is sent but one
 * probe at a time, until one succeeds. Who comes while a probe is out waits a moment for what it finds: a package may
 * have two documents, and is not to fail by the first one's probe.
 */
import { LRUCache } from "lru-cache";
import { UpstreamError } from "../errors.ts";
import type { EpochMs } from "../../policy/types.ts";
import type { Clock, Log, Timers } from "../runtime.ts";
import { failure, retryAfterSeconds } from "./failures.ts";
import { createProbe, type Probe } from "./probe.ts";
import type { Layer, UpstreamClient } from "./upstream.ts";

/** A failed connection or a timeout counts two, a 5xx one; any other answer sets the count to zero. */
const OPENS_AT = 10;
/** A shorter streak is a hiccup, however many requests met it. */
const SUSTAINED_MS = 2_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;

export type OriginHealth = ReturnType<UpstreamClient["health"]>[number];

export interface Circuits {
  readonly layer: Layer;
  /** Of the origins asked so far, at most five hundred. */
  health(): readonly OriginHealth[];
}

interface Circuit {
  /** Weighed, since the last answer. */
  failures: number;
  failingSince: EpochMs | null;
  /** null: closed. */
  open: { readonly since: EpochMs; readonly pauseMs: number } | null;
  /** The request that may close it again, until it has ended or its time is over. */
  probe: Probe | null;
  /** Rises with each change of state: a result that belongs to an earlier one changes nothing. */
  generation: number;
  lastError: string | null;
  lastErrorAt: EpochMs | null;
}

type Result = "ok" | "abandoned" | Failed;

interface Failed {
  readonly weight: number;
  readonly reason: string;
  /** How long it asked to be left alone (RFC 6585, 4); it is held open for that, but no longer than any other. */
  readonly askedPauseMs?: number;
}

/** `probeMs`: after so long a probe that has not ended is given up and another may be sent: no circuit gets stuck. */
export function createCircuits(
  options: { readonly clock: Clock; readonly timers: Timers; readonly log: Log; readonly probeMs: number },
): Circuits {
  const { clock, timers, log, probeMs } = options;
  const circuits = new LRUCache<string, Circuit>({ max: 500 });

  function circuitOf(origin: string): Circuit {
    const known = circuits.get(origin) ?? closedCircuit();
    circuits.set(origin, known);
    return known;
  }

  /** That is out now. */
  function probeOf({ open, probe }: Circuit): Probe | null {
    return open === null || probe === null || isOver(probe.startedAt, probeMs, clock()) ? null : probe;
  }

  /** The generation under which this request's result will count. Throws UpstreamError `circuit`. */
  function admit(origin: string, circuit: Circuit): number {
    if (circuit.open === null) return circuit.generation;
    const now = clock();
    if (probeOf(circuit) !== null || !isOver(circuit.open.since, circuit.open.pauseMs, now)) {
      const leftMs = Math.max(circuit.open.since + circuit.open.pauseMs - now, 1_000);
      throw failure("circuit", `not asked, because it failed just now (${circuit.lastError})`, origin, {
        retryAfterSeconds: Math.ceil(Math.min(leftMs, LONGEST_PAUSE_MS) / 1000),
      });
    }
    circuit.generation += 1;
    circuit.probe = createProbe({ generation: circuit.generation, startedAt: now }, timers);
    return circuit.generation;
  }

  function settle(origin: string, circuit: Circuit, generation: number, result: Result): void {
    if (generation !== circuit.generation) return;
    circuit.probe?.end();
    circuit.probe = null;
    if (result === "abandoned") return;
    if (result === "ok") return close(origin, circuit);
    const now = clock();
    circuit.failures += result.weight;
    circuit.failingSince ??= now;
    circuit.lastError = result.reason;
    circuit.lastErrorAt = now;
    const sustained = circuit.failures >= OPENS_AT && isOver(circuit.failingSince, SUSTAINED_MS, now);
    const asked = result.askedPauseMs;
    if (circuit.open !== null || sustained || asked !== undefined) open(origin, circuit, asked);
  }

  function close(origin: string, circuit: Circuit): void {
    circuit.failures = 0;
    circuit.failingSince = null;
    if (circuit.open === null) return;
    circuit.open = null;
    circuit.generation += 1;
    log("info", `Upstream ${origin} answers again`, { "upstream.origin": origin });
  }

  function open(origin: string, circuit: Circuit, askedMs: number | undefined): void {
    const usualMs = circuit.open === null ? FIRST_PAUSE_MS : circuit.open.pauseMs * 2;
    const pauseMs = Math.min(askedMs ?? usualMs, LONGEST_PAUSE_MS);
    if (circuit.open === null) {
      // What it asked for is told by whoever is refused for it.
      log(
        askedMs === undefined ? "warn" : "info",
        `Upstream ${origin} is not asked for a while: ${circuit.lastError}`,
        {
          "upstream.origin": origin,
          "upstream.pause_ms": pauseMs,
        },
      );
    }
    circuit.open = { since: clock(), pauseMs };
    circuit.generation += 1;
  }

  const layer: Layer = (next) => async (request) => {
    const { origin } = new URL(request.url);
    const circuit = circuitOf(origin);
    // Of several that wait for one that was given up the first is the next, with no turn between look and admission.
    let last: Probe | null = null;
    for (let probe = probeOf(circuit); probe !== null && probe !== last; probe = probeOf(circuit)) {
      last = probe;
      await probe.waited();
    }
    const generation = admit(origin, circuit);
    let result: Result = "abandoned";
    try {
      const response = await next(request);
      result = resultOfAnswer(response, clock());
      return response;
    } catch (error) {
      // Whoever gave up proves nothing; that all of a request's time is over does.
      const isLate = request.signal.reason instanceof UpstreamError;
      if (!request.signal.aborted || isLate) result = resultOf(isLate ? request.signal.reason : error);
      throw error;
    } finally {
      settle(origin, circuit, generation, result);
    }
  };

  return {
    layer,
    health: () => [...circuits.entries()].map(([origin, circuit]) => toHealth(origin, circuit)),
  };
}

function closedCircuit(): Circuit {
  return {
    failures: 0,
    failingSince: null,
    open: null,
    probe: null,
    generation: 0,
    lastError: null,
    lastErrorAt: null,
  };
}

/** A clock that was set back ends a pause as well: it must never outlast its length. */
function isOver(since: EpochMs, lengthMs: number, now: EpochMs): boolean {
  return now < since || now - since >= lengthMs;
}

function resultOfAnswer({ status, headers }: Response, now: EpochMs): Result {
  const reason = `status ${status}`;
  if (status >= 500) return { weight: 1, reason };
  const seconds = status === 429 ? retryAfterSeconds(headers, now) ?? 0 : 0;
  return seconds === 0 ? "ok" : { weight: 0, reason, askedPauseMs: seconds * 1000 };
}

/** An address that may not be reached, or nonsense, says nothing about the origin's health. */
function resultOf(error: unknown): Result {
  if (!(error instanceof UpstreamError)) return "abandoned";
  const { kind } = error.detail;
  return kind === "connection" || kind === "timeout" ? { weight: 2, reason: error.message } : "abandoned";
}

function toHealth(origin: string, circuit: Circuit): OriginHealth {
  const state = circuit.open !== null ? "open" : circuit.failures > 0 ? "failing" : "ok";
  return { origin, state, asked: true, lastError: circuit.lastError, lastErrorAt: circuit.lastErrorAt };
}
