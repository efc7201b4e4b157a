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

/** An exception was asked for, granted (asked for or not) or declined. */
export interface WaiverEvent {
  readonly event: "waiver";
  readonly state: "asked" | "granted" | "declined";
  readonly at: EpochMs;
  readonly organisation: string;
  /** The request's; of what was granted unasked, the waiver's. */
  readonly id: string;
  /** Who asked; null: somebody without a name, or nobody. */
  readonly user: string | null;
  /** false: the name is what they said. */
  readonly isVerified: boolean;
  /** Who answered; null: nobody yet. */
  readonly by: string | null;
  readonly ecosystem: string;
  readonly package: string;
  /** A version, or a VERS range. */
  readonly version: string;
  readonly reason: string;
  readonly ticket: string | null;
  /** What was said with the answer. */
  readonly word: string | null;
  /** When it ends, or shall; null: once it matures. */
  readonly until: EpochMs | null;
  /** Where it is answered, or what has become of the package; absolute. */
  readonly link: string;
}

/** Somebody wants to see whether anything arrives. */
export interface TestEvent {
  readonly event: "test";
  readonly at: EpochMs;
  readonly organisation: string;
}

export type WebhookEvent = RefusalEvent | BudgetEvent | AlertEvent | WaiverEvent | TestEvent;

const MAX_TEXT = 1_000;

/** Each text well-formed and at most a thousand characters. */
export function boundedEvent<E extends RefusalEvent | WaiverEvent>(event: E): E {
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
  if (event.event === "waiver") {
    const until = event.until === null ? null : iso(event.until);
    return { ...event, at: iso(event.at), until, message: waiverSentence(event) };
  }
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
  if (event.event === "waiver") return `${slackEscape(waiverSentence(event))} <${slackLink(event.link)}>`;
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

function waiverSentence(event: WaiverEvent): string {
  const { state, organisation, version, word, reason, ticket } = event;
  const what = `${event.package} ${version} (${event.ecosystem}) in ${organisation}`;
  const until = event.until === null ? "until it matures" : `until ${iso(event.until)}`;
  const asker = event.user === null
    ? "somebody"
    : event.isVerified
    ? event.user
    : `${event.user} (unverified)`;
  if (state === "asked") {
    return `${asker} asks for ${what} ${until}: ${reason}${ticket === null ? "" : ` (${ticket})`}`;
  }
  const whose = event.user === null ? "" : `, for ${asker}`;
  const answer = state === "granted" ? `granted ${what} ${until}${whose}` : `declined ${what}${whose}`;
  return `${event.by ?? "somebody"} ${answer}${word === null ? "" : `: ${word}`}`;
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
