/**
 * What traces may say. Deno's own OpenTelemetry support (`OTEL_DENO=true`) puts each request's whole address into its
 * span, with whatever secret somebody put there; it has no hook, and attributes can be added but not taken back. So
 * everything that is said of a span passes through here first.
 */
import type { Ecosystem } from "../ecosystems/ecosystem.ts";
import type { Log } from "../storage/runtime.ts";
import { withoutTokens } from "../storage/tokens.ts";

/** Where Deno keeps what implements OpenTelemetry's API, as that API has it. */
const API = Symbol.for("opentelemetry.js.api.1");
const ADDRESS = /^(?:url\.|http\.(?:url|target)$)/;
const HIDDEN = "(hidden)";

type Attributes = Readonly<Record<string, unknown>>;
type Method = (this: unknown, ...args: readonly unknown[]) => unknown;

/**
 * Stands between Deno and its spans, once for the process. `scope` is globalThis. False: there are traces and they
 * cannot be guarded. Nothing happens where there are none.
 */
export function guardTraces(scope: object): boolean {
  const prototype = spanPrototype(Reflect.get(scope, API));
  if (prototype === null) return true;
  return Object.entries(GUARDS).every(([name, guard]) => {
    const original: unknown = Reflect.get(prototype, name);
    if (typeof original !== "function") return name !== "setAttribute";
    const guarded: Method = function (...args) {
      return Reflect.apply(original, this, guard(args));
    };
    return Reflect.set(prototype, name, guarded) && Reflect.get(prototype, name) === guarded;
  });
}

const REFUSED = "A token in the address would be exported with this Sluice's traces: send it in a header.";

/**
 * What may be served beside traces: all as it is where they are guarded, else with tokens in addresses refused, which
 * the log is told.
 */
export function besideTraces(
  ecosystems: readonly Ecosystem[],
  scope: object,
  log: Log,
): readonly Ecosystem[] {
  if (guardTraces(scope)) return ecosystems;
  log(
    "warn",
    "Traces hold addresses as they were sent, since this Deno's spans cannot be guarded: tokens in addresses are refused. Unset OTEL_DENO to have them",
  );
  const pathTokens = Object.freeze({ refused: REFUSED });
  return ecosystems.map((each) =>
    each.pathTokens === "allowed" ? Object.freeze({ ...each, pathTokens }) : each
  );
}

/** null: there is nothing that traces. */
function spanPrototype(api: unknown): object | null {
  try {
    const { trace } = api as { trace: { getTracer(name: string): { startSpan(name: string): object } } };
    // Never ended, and so never sent.
    return Object.getPrototypeOf(trace.getTracer("sluice").startSpan("probe"));
  } catch {
    return null;
  }
}

/** Of each method that says something of a span, what it is told instead. */
const GUARDS: Readonly<Record<string, (args: readonly unknown[]) => readonly unknown[]>> = {
  setAttribute: ([name, value, ...rest]) => [name, shownValue(String(name), value), ...rest],
  setAttributes: ([attributes, ...rest]) => [shownAttributes(attributes), ...rest],
  addEvent: ([name, attributes, ...rest]) => [shownValue("", name), shownAttributes(attributes), ...rest],
  updateName: ([name, ...rest]) => [shownValue("", name), ...rest],
  recordException: ([error, ...rest]) => [shownError(error), ...rest],
};

function shownAttributes(attributes: unknown): unknown {
  if (typeof attributes !== "object" || attributes === null || attributes instanceof Date) return attributes;
  const shown = Object.entries(attributes as Attributes).map(([name, value]) => [
    name,
    shownValue(name, value),
  ]);
  return Object.fromEntries(shown);
}

function shownValue(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => shownValue(name, each));
  if (typeof value !== "string") return value;
  if (name === "url.query") return "";
  return ADDRESS.test(name) ? withoutSecrets(value) : withoutTokens(value);
}

function shownError(error: unknown): unknown {
  if (!(error instanceof Error)) return shownValue("", error);
  const { name, message, stack = "" } = error;
  return { name, message: withoutTokens(message), stack: withoutTokens(stack) };
}

/** An address or a path without user, query, fragment and whatever may be a token; never throws. */
export function withoutSecrets(address: string): string {
  const [bare = ""] = address.split(/[?#]/, 1);
  const [, origin = "", path = ""] = /^((?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/[^/]*)?(.*)$/s.exec(bare) ?? [];
  const host = origin.replace(/\/\/.*@/, "//");
  const segments = path.split("/");
  const shown = segments.map((segment, index) => {
    const isAfterMark = decoded(segments[index - 1] ?? "") === "t" && segment !== "-" && segment !== "";
    return isAfterMark || mayBeToken(segment) ? HIDDEN : segment;
  });
  return `${host}${shown.join("/")}`;
}

function mayBeToken(segment: string): boolean {
  const text = decoded(segment);
  return text === null || text !== withoutTokens(text);
}

/** null: it cannot be decoded. */
function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
