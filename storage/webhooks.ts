/**
 * Refusals, alerts and waivers are told to an organisation's webhooks: as jobs that survive a restart, never in the way of the
 * answer. WARNING: a webhook's address is a secret; jobs name the webhook by its id, and nothing logs more.
 */
import { LRUCache } from "lru-cache";
import type { EpochMs } from "../policy/types.ts";
import { UpstreamError } from "./errors.ts";
import { type JobHandler, type Jobs, PermanentJobError } from "./kv/jobs.ts";
import { attempt } from "./kv/call.ts";
import type { Deliveries, Delivery } from "./kv/deliveries.ts";
import type { OnRestored } from "./kv/fence.ts";
import { keys } from "./kv/keys.ts";
import type { OrganisationViews } from "./organisations.ts";
import type { Background, Clock, Log } from "./runtime.ts";
import type { Alert } from "./alerts.ts";
import {
  boundedEvent,
  type RefusalEvent,
  type WaiverEvent,
  webhookBody,
  type WebhookEvent,
} from "./webhook_message.ts";

export type { RefusalEvent, WaiverEvent } from "./webhook_message.ts";

const KIND = "webhook";
const HOUR_MS = 3_600_000;
const PER_HOUR = 500;
const TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 8;
/** Refusals that wait to be written; beyond them, they are in the install log alone. */
const MAX_WAITING = 1_000;
const MAX_REMEMBERED = 20_000;
const INSTANCE_ALERTS_GO_TO = "default";

/** The guarded client: no redirects, no forbidden addresses. Rejects with UpstreamError. */
export type Post = (
  url: string,
  body: string,
  options: { readonly contentType: string; readonly timeoutMs: number; readonly signal?: AbortSignal },
) => Promise<{ readonly status: number }>;

export interface WebhooksDeps {
  readonly kv: Deno.Kv;
  readonly jobs: Jobs;
  readonly views: OrganisationViews;
  readonly post: Post;
  readonly clock: Clock;
  readonly log: Log;
  readonly background: Background;
  readonly deliveries: Pick<Deliveries, "note">;
  /** Messages of one organisation an hour. Default 500. */
  readonly perHour?: number;
  readonly onRestored?: OnRestored;
}

export interface Webhooks {
  /** Returns at once. Told once an hour for the same organisation, caller, package and version. */
  refusal(event: RefusalEvent): void;
  /** Once for each state of an alert; an instance's is told to the default organisation's. Throws StorageError. */
  alert(alert: Alert, state: "raised" | "over"): Promise<void>;
  /** Returns at once. Once for each state; whoever asks is bounded elsewhere, so that no budget keeps an answer back. */
  waiver(event: WaiverEvent): void;
  /** Sends a message that says it is a test, once; null: the organisation has no webhook of that id. Throws StorageError. */
  test(organisation: string, webhook: string): Promise<Delivery | null>;
  /** Sends what is due; called after each refusal by itself, and by the cron. */
  runDue(): Promise<void>;
  /** For whoever runs all kinds of jobs together. */
  readonly handlers: Readonly<Record<string, JobHandler>>;
}

interface Payload {
  readonly webhook: string;
  readonly event: WebhookEvent;
}

interface Budget {
  readonly v: 1;
  readonly count: number;
  readonly expiresAt: EpochMs;
}

/** One for the process. */
export function createWebhooks(deps: WebhooksDeps): Webhooks {
  const { kv, jobs, views, post, clock, log, background, perHour = PER_HOUR } = deps;
  const told = new LRUCache<string, EpochMs>({ max: MAX_REMEMBERED });
  /** Organisation → the hour whose budget is used up. */
  const exhausted = new LRUCache<string, number>({ max: 10_000 });
  deps.onRestored?.(() => {
    told.clear();
    exhausted.clear();
  });
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  let sending: Promise<void> | null = null;

  function refusal(given: RefusalEvent): void {
    const name = nameOf(given);
    const now = clock();
    const before = told.get(name);
    if (before !== undefined && now - before < HOUR_MS) return;
    if (exhausted.get(given.organisation) === hourOf(now)) return;
    if (waiting >= MAX_WAITING) return;
    told.set(name, now);
    waiting++;
    const done = () => void waiting--;
    // One after another: a burst would fight over the budget's record.
    const mine = last.then(() => tell(name, boundedEvent(given)));
    last = mine.then(done, done);
    background.run("webhooks", async () => {
      try {
        if (await mine) await runDue();
      } catch (error) {
        told.delete(name);
        log("warn", `Cannot enqueue a webhook of organisation "${given.organisation}": ${brief(error)}`);
      }
    });
  }

  /** true: something was enqueued. */
  async function tell(name: string, event: RefusalEvent): Promise<boolean> {
    const view = await views.view(event.organisation);
    const hooks = view?.policy.webhooks.filter(({ events }) => events.includes(event.event)) ?? [];
    if (hooks.length === 0) told.delete(name);
    let any = false;
    for (const { id } of hooks) {
      if (await isUsedUp(event.organisation)) return await tellOfBudget(event.organisation, hooks) || any;
      if (!await enqueue(`${name}/${id}`, { webhook: id, event })) continue;
      any = true;
      await count(event.organisation);
    }
    return any;
  }

  async function alert(given: Alert, state: "raised" | "over"): Promise<void> {
    const { id, kind, subject, detail: message, firstAt, lastAt, count, overAt } = given;
    const organisation = given.organisation ?? INSTANCE_ALERTS_GO_TO;
    const view = await views.view(organisation);
    const at = state === "over" ? overAt ?? clock() : firstAt;
    const told = { id, kind, subject, message, firstAt, lastAt, count };
    const event = { event: "alert", state, at, organisation, ...told } as const;
    for (const hook of view?.policy.webhooks ?? []) {
      if (!hook.events.includes("alert")) continue;
      await enqueue(JSON.stringify(["alert", id, state, organisation, hook.id]), { webhook: hook.id, event });
    }
  }

  function waiver(given: WaiverEvent): void {
    const event = boundedEvent(given);
    const { organisation, state, id } = event;
    background.run("webhooks", async () => {
      try {
        const view = await views.view(organisation);
        const hooks = view?.policy.webhooks.filter(({ events }) => events.includes("waiver")) ?? [];
        for (const hook of hooks) {
          const key = JSON.stringify(["waiver", state, organisation, id, hook.id]);
          await enqueue(key, { webhook: hook.id, event });
        }
        if (hooks.length > 0) await runDue();
      } catch (error) {
        log("warn", `Cannot enqueue a webhook of organisation "${organisation}": ${brief(error)}`);
      }
    });
  }

  async function enqueue(key: string, payload: Payload): Promise<boolean> {
    const id = await jobs.enqueue({
      kind: KIND,
      key,
      payload,
      maxAttempts: MAX_ATTEMPTS,
      keepKeyMs: HOUR_MS,
    });
    return id !== null;
  }

  async function isUsedUp(organisation: string): Promise<boolean> {
    const key = keys.webhookBudget(organisation, hourOf(clock()));
    const budget = await attempt("read the webhooks' budget", () => kv.get<Budget>(key));
    return (budget.value?.count ?? 0) >= perHour;
  }

  /** Whoever loses ten races leaves one message uncounted. */
  async function count(organisation: string): Promise<void> {
    const hour = hourOf(clock());
    const key = keys.webhookBudget(organisation, hour);
    for (let i = 0; i < 10; i++) {
      const entry = await attempt("read the webhooks' budget", () => kv.get<Budget>(key));
      const expiresAt = (hour + 2) * HOUR_MS as EpochMs;
      const next: Budget = { v: 1, count: (entry.value?.count ?? 0) + 1, expiresAt };
      const done = await attempt(
        "write the webhooks' budget",
        () => kv.atomic().check(entry).set(key, next, { expireIn: 2 * HOUR_MS }).commit(),
      );
      if (done.ok) return;
    }
  }

  /** Once an hour, by the key. */
  async function tellOfBudget(
    organisation: string,
    hooks: readonly { readonly id: string }[],
  ): Promise<boolean> {
    const at = clock();
    const hour = hourOf(at);
    exhausted.set(organisation, hour);
    const until = (hour + 1) * HOUR_MS as EpochMs;
    const event = { event: "budget-exceeded", at, organisation, budget: perHour, until } as const;
    let any = false;
    for (const { id } of hooks) {
      any = await enqueue(JSON.stringify(["budget", organisation, hour, id]), { webhook: id, event }) || any;
    }
    return any;
  }

  const deliver: JobHandler = async (job, signal) => {
    const { webhook: id, event } = job.payload as Payload;
    const view = await views.view(event.organisation);
    const hook = view?.policy.webhooks.find((one) => one.id === id);
    // Taken out of the policy meanwhile: there is nobody to tell.
    if (hook === undefined) return;
    const name = `webhook "${id}" of organisation "${event.organisation}"`;
    const { status, failure } = await sent(hook, event, signal);
    if (failure === "forbidden-address") {
      throw new PermanentJobError(`Cannot send to ${name}: its address is not allowed`);
    }
    // Not the error's message: it may hold the address. No cause either, since whoever logs this would log that.
    if (status === null) throw new Error(`Cannot send to ${name}: ${failure}`);
    if (status >= 200 && status < 300) return;
    const message = `Cannot send to ${name}: it answered ${status}`;
    throw mayPass(status) ? new Error(message) : new PermanentJobError(message);
  };

  /** Once, whatever comes of it. */
  async function sent(
    hook: { readonly id: string; readonly url: string; readonly format: "json" | "slack" },
    event: WebhookEvent,
    signal?: AbortSignal,
  ): Promise<Delivery> {
    const told = { at: clock(), event: event.event, about: aboutOf(event) };
    let delivery: Delivery;
    try {
      const { status } = await post(hook.url, webhookBody(event, hook.format), {
        contentType: "application/json",
        timeoutMs: TIMEOUT_MS,
        ...(signal === undefined ? {} : { signal }),
      });
      delivery = { ...told, status, failure: null };
    } catch (error) {
      delivery = { ...told, status: null, failure: brief(error) };
    }
    await deps.deliveries.note(event.organisation, hook.id, delivery);
    return delivery;
  }

  async function test(organisation: string, webhook: string): Promise<Delivery | null> {
    const view = await views.view(organisation);
    const hook = view?.policy.webhooks.find(({ id }) => id === webhook);
    return hook === undefined ? null : await sent(hook, { event: "test", at: clock(), organisation });
  }
  const handlers = Object.freeze({ [KIND]: deliver });

  /** A call while one runs makes it look once more. */
  let again = false;
  function runDue(): Promise<void> {
    again = true;
    sending ??= sendAll().finally(() => sending = null);
    return sending;
  }

  async function sendAll(): Promise<void> {
    while (again) {
      again = false;
      await jobs.runDue(handlers);
    }
  }

  return { refusal, alert, waiver, test, runDue, handlers };
}

function nameOf(event: RefusalEvent): string {
  const who = event.user === null ? ["address", event.address] : ["user", event.user];
  return JSON.stringify([
    event.event,
    event.organisation,
    ...who,
    event.ecosystem,
    event.package,
    event.version,
  ]);
}

/** What a message was about, in a list for people. */
function aboutOf(event: WebhookEvent): string {
  if (event.event === "test") return "";
  if (event.event === "alert") return `${event.kind}, ${event.state}`;
  if (event.event === "budget-exceeded") return `more than ${event.budget} in an hour`;
  return `${event.ecosystem} ${event.package} ${event.version}`;
}

function hourOf(at: EpochMs): number {
  return Math.floor(at / HOUR_MS);
}

function mayPass(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

/** What kind of failure, without the words that may hold an address. */
function brief(error: unknown): string {
  if (error instanceof UpstreamError) return error.detail.kind;
  return error instanceof Error ? error.name : "unknown failure";
}
