/** The exceptions of storage/; routes/problem.ts maps each to a status. `cause` is always passed. */

/** An upstream that cannot be reached, answered nonsense, or broke its promise. Public text names the origin only. */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  constructor(
    message: string,
    readonly detail: {
      /** `timeout` → 504, all else → 502. */
      readonly kind:
        | "timeout"
        | "connection"
        | "status"
        | "content"
        | "redirect"
        | "forbidden-address"
        | "circuit";
      readonly origin: string;
      readonly status?: number;
      readonly retryAfterSeconds?: number;
    },
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Bytes that are not what their index says they are. */
export class IntegrityError extends Error {
  override readonly name = "IntegrityError";
}

/** KV or the artifact store cannot do what was asked of it. → 503 */
export class StorageError extends Error {
  override readonly name = "StorageError";
}

/** What a restore has made of whatever was going on: nothing of it may be answered. → 503 */
export class RestoringError extends StorageError {
  constructor(
    /** `running`: one runs · `broken`: one was broken off · `restored`: one ended while this was going on. */
    readonly state: "running" | "broken" | "restored",
  ) {
    super(RESTORING_WORDS[state]);
  }
}

const RESTORING_WORDS: Readonly<Record<RestoringError["state"], string>> = {
  running: "This Sluice is being restored from a backup: ask again in a moment",
  broken: "A restore of this Sluice was interrupted, and what it holds is not whole: run the restore again",
  restored: "This Sluice was restored from a backup just now: ask again",
};

/** What was fetched cannot be kept (a full disk); what is kept already is still good. */
export class UnkeptError extends StorageError {}

/** Our own storage failed, and what it holds cannot be relied on now: nothing is served instead. */
export function isBroken(error: unknown): boolean {
  return error instanceof StorageError && !(error instanceof UnkeptError);
}

/** A body, document or name beyond its bound. → 413, or 502 where it came from upstream. */
export class TooLargeError extends Error {
  override readonly name = "TooLargeError";
  /** The configuration's key that allows more; null: the bound is not for anybody to change. */
  readonly setting: string | null;
  constructor(
    message: string,
    readonly maxBytes: number,
    options?: ErrorOptions & { readonly setting?: string | null },
  ) {
    super(message, options);
    this.setting = options?.setting ?? null;
  }
}
