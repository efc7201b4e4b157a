/** What a webhook is told, as JSON or in Slack's form. */
import type { EpochMs } from "../policy/types.ts";
import type { AlertKind } from "./alerts.ts";

/** A refusal (or, while observing, what would have been one), as plain fields. */
export interface RefusalEvent {
  readonly event: "refused" | "observed";
  readonly at: EpochMs;
  readonly organisation: string;
  readonly user: string | null;
  readonly address: string;
  /** `npm 11.19.0`. */
  readonly client: string;
  readonly ecosystem: string;
  readonly package: string;
  readonly version: string;
  readonly file: string | null;
  readonly rule: string;
  /** The sentence that the developer reads. */
  readonly message: string;
  readonly until: EpochMs | null;
  /** The why page, absolute. */
  readonly link: string;
  readonly decisionId: string;
}

/** Sent once instead of all that would follow in this hour. */
export interface BudgetEvent {
  readonly event: "budget-exceeded";
  readonly at: EpochMs;
  readonly organisation: string;
  /** Messages an hour. */
  readonly budget: number;
  readonly until: EpochMs;
}

/** Something that whoever runs this should know was found, or is over. */
export interface AlertEvent {
  readonly event: "alert";
  readonly state: "raised" | "over";
  readonly at: EpochMs;
  readonly organisation: string;
  readonly id: string;
  readonly kind: AlertKind;
  readonly subject: string;
  readonly message: string;
  readonly firstAt: EpochMs;
  readonly lastAt: EpochMs;
  readonly count: number;
}

/** Somebody wants to see whether anything arrives. */
export interface TestEvent {
  readonly event: "test";
  readonly at: EpochMs;
  readonly organisation: string;
}

export type WebhookEvent = RefusalEvent | BudgetEvent | AlertEvent | TestEvent;

const MAX_TEXT = 1_000;

/** Each text well-formed and at most a thousand characters. */
export function boundedEvent(event: RefusalEvent): RefusalEvent {
  const bounded = Object.entries(event).map((
    [key, value],
  ) => [key, typeof value === "string" ? bound(value) : value]);
  return Object.fromEntries(bounded);
}

function bound(text: string): string {
  return text.slice(0, MAX_TEXT).toWellFormed();
}

/** The body to send; always JSON. */
export function webhookBody(event: WebhookEvent, format: "json" | "slack"): string {
  return JSON.stringify(format === "slack" ? { text: slackText(event) } : jsonMessage(event));
}

function jsonMessage(event: WebhookEvent): Record<string, unknown> {
  if (event.event === "alert") {
    const { at, firstAt, lastAt } = event;
    return { ...event, at: iso(at), firstAt: iso(firstAt), lastAt: iso(lastAt) };
  }
  if (event.event === "test") return { ...event, at: iso(event.at), message: testSentence(event) };
  const times = { at: iso(event.at), until: event.until === null ? null : iso(event.until) };
  return event.event === "budget-exceeded"
    ? { ...event, ...times, message: budgetSentence(event) }
    : { ...event, ...times };
}

function slackText(event: WebhookEvent): string {
  if (event.event === "alert") {
    return slackEscape(`${event.state === "over" ? "Over" : "Alert"}: ${event.message} (${event.kind})`);
  }
  if (event.event === "budget-exceeded") return slackEscape(budgetSentence(event));
  if (event.event === "test") return slackEscape(testSentence(event));
  const who = event.user ?? event.address;
  const verb = event.event === "refused" ? "was refused" : "would have been refused";
  const what = `${event.package} ${event.version} (${event.ecosystem})`;
  const said = `${who} ${verb} ${what} in ${event.organisation}: ${event.message}`;
  return `${slackEscape(said)} <${slackLink(event.link)}>`;
}

function budgetSentence(event: BudgetEvent): string {
  return `More than ${event.budget} refusals in ${event.organisation} this hour: ` +
    `until ${iso(event.until)} further ones are in the install log alone`;
}

function testSentence({ organisation }: TestEvent): string {
  return `A test of this webhook of ${organisation}: refusals and alerts will look like this`;
}

/** Slack's three control characters; without them nothing is a link, a mention or a channel. */
export function slackEscape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function slackLink(link: string): string {
  return slackEscape(link).replaceAll("|", "%7C");
}

function iso(at: EpochMs): string {
  return new Date(at).toISOString();
}
