/** What codes are called for people; the code itself stays on hover. */
import type { AlertKind } from "../../storage/alerts.ts";
import { ruleTitle } from "../why_words.ts";

/** A rule by its title, its id on hover; of no rule, nothing. */
export function RuleName({ rule }: { readonly rule: string | null }) {
  return rule === null || rule === "" ? null : <span title={rule}>{ruleTitle(rule)}</span>;
}

const ALERTS: Readonly<Record<AlertKind, string>> = {
  "upstream-failing": "Upstream fails",
  "circuit-open": "Upstream paused",
  "cache-nearly-full": "Cache nearly full",
  "storage-failing": "Storage fails",
  "digest-changed": "A file changed upstream",
  "log-behind": "Install log behind",
  "schedule-behind": "Schedule behind",
  "jobs-failed": "Work given up",
  "token-expiring": "Token expires soon",
};

/** An alert's kind in words; one that a newer process raised, as it is. */
export function alertTitle(kind: string): string {
  return Object.hasOwn(ALERTS, kind) ? ALERTS[kind as AlertKind] : kind;
}

/** By how an upstream answered whoever asked it last; whether anybody did comes first. */
export function upstreamWords(upstream: {
  readonly state: "ok" | "failing" | "open";
  readonly asked: boolean;
}): string {
  if (upstream.state === "failing") return "fails at times";
  if (upstream.state === "open") return "is not asked for a while";
  return upstream.asked ? "answers" : "not asked yet";
}
