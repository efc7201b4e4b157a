/** How work ended for the one process, told to those that waited for it. */
import { IntegrityError, TooLargeError, UpstreamError } from "./errors.ts";

export type OnceNote =
  | { readonly kind: "nothing" }
  | {
    readonly kind: "failed";
    readonly message: string;
    readonly error:
      | { readonly name: "UpstreamError"; readonly detail: UpstreamError["detail"] }
      | { readonly name: "TooLargeError"; readonly maxBytes: number; readonly setting?: string | null }
      | { readonly name: "IntegrityError" | "SyntaxError" };
  };

type Failure = Extract<OnceNote, { readonly kind: "failed" }>;

const MAX_MESSAGE = 300;

/**
 * undefined: not to be shared. Upstream's own answers are; what may be the fault of this process alone (its storage,
 * a connection that broke because it is ending) is for the next one to try.
 */
export function noteOf(error: unknown): OnceNote | undefined {
  const described = describe(error);
  if (described === undefined || !(error instanceof Error)) return undefined;
  return { kind: "failed", message: error.message.toWellFormed().slice(0, MAX_MESSAGE), error: described };
}

function describe(error: unknown): Failure["error"] | undefined {
  if (error instanceof UpstreamError) {
    const { detail } = error;
    return detail.kind === "connection" ? undefined : { name: "UpstreamError", detail };
  }
  if (error instanceof TooLargeError) {
    return { name: "TooLargeError", maxBytes: error.maxBytes, setting: error.setting };
  }
  if (error instanceof IntegrityError) return { name: "IntegrityError" };
  return error instanceof SyntaxError ? { name: "SyntaxError" } : undefined;
}

/** The same exception, as if it had been thrown here. */
export function errorOf({ error, message }: Failure): Error {
  switch (error.name) {
    case "UpstreamError":
      return new UpstreamError(message, error.detail);
    case "TooLargeError":
      return new TooLargeError(message, error.maxBytes, { setting: error.setting ?? null });
    case "IntegrityError":
      return new IntegrityError(message);
    case "SyntaxError":
      return new SyntaxError(message);
  }
}
