/** What somebody who runs this should know: raised where it happens, over once it is, told to webhooks both times. */
import type { EpochMs } from "../policy/types.ts";

export const ALERT_KINDS = [
  "upstream-failing",
  "circuit-open",
  "cache-nearly-full",
  "storage-failing",
  "digest-changed",
  "log-behind",
  "schedule-behind",
  "jobs-failed",
  "token-expiring",
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** Something is so; said again as long as it is. */
export interface NewAlert {
  readonly kind: AlertKind;
  /** What it is about, among alerts of its kind: an origin, a file, a token's id. */
  readonly subject: string;
  /** One sentence that can be read alone. */
  readonly detail: string;
  /** Whose it is; null: the instance's, told to the default organisation's webhooks. */
  readonly organisation: string | null;
}

export interface Alert extends NewAlert {
  /** Of this occurrence: raised anew after it was over, it has another. */
  readonly id: string;
  readonly firstAt: EpochMs;
  readonly lastAt: EpochMs;
  /** How often it was found so, at most once a minute. */
  readonly count: number;
  readonly acknowledgedAt: EpochMs | null;
  readonly acknowledgedBy: string | null;
  /** null: it is still so. */
  readonly overAt: EpochMs | null;
}

/** All throw StorageError. */
export interface Alerts {
  /** Idempotent: found again within a minute, it is not written again. */
  raise(alert: NewAlert): Promise<void>;
  /** Those of a kind that nobody has raised for `quietMs` are over. */
  settle(kind: AlertKind, quietMs: number): Promise<void>;
  /** The newest first; those that are over for a month. */
  list(): Promise<readonly Alert[]>;
  /** null: there is none of this id. What happened once and lasts no longer (a changed digest) is over with it. */
  acknowledge(id: string, by: string): Promise<Alert | null>;
  /** Hands each state that was not told yet to `send`; one that throws is handed over again at the next call. */
  tell(send: (alert: Alert, state: "raised" | "over") => Promise<void>): Promise<void>;
}
