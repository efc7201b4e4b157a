/** Webhooks' addresses are secrets: shown as `(set)`, and put back when what was shown is written back. */
import { defaultWebhookId, REDACTED } from "./schema.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A copy of a policy (as written, or as read) in which every webhook's address is `(set)`. */
export function redactPolicy<T>(document: T): T {
  const hooks = webhooksOf(document);
  if (hooks === null) return document;
  const webhooks = hooks.map((hook) =>
    isFields(hook) ? (Object.hasOwn(hook, "url") ? { ...hook, url: REDACTED } : hook) : REDACTED
  );
  return { ...document, webhooks };
}

/** A copy with an address that can be read wherever one is only shown as kept: to see whether the rest is right. */
export function withStandIns<T>(shown: T): T {
  const hooks = webhooksOf(shown);
  if (hooks === null) return shown;
  const webhooks = hooks.map((hook) =>
    isFields(hook) && hook.url === REDACTED ? { ...hook, url: "https://kept.invalid/" } : hook
  );
  return { ...shown, webhooks };
}

/** Both without secrets; where a webhook's address became another one, that is said. */
export function redactChange(
  before: unknown,
  after: unknown,
): { readonly before: unknown; readonly after: unknown } {
  const former = addressesOf(before);
  const latter = addressesOf(after);
  const shown = redactPolicy(after);
  const webhooks = webhooksOf(shown)?.map((hook, index) => {
    const [id, url] = latter[index] ?? [];
    const was = former.find((each) => each[0] === id)?.[1];
    return isFields(hook) && was !== undefined && url !== undefined && was !== url
      ? { ...hook, url: `${REDACTED}, another one` }
      : hook;
  });
  return {
    before: redactPolicy(before),
    after: webhooks === undefined ? shown : { ...shown as Fields, webhooks },
  };
}

function addressesOf(document: unknown): readonly (readonly [id: unknown, url: unknown])[] {
  return (webhooksOf(document) ?? []).map((hook, index) =>
    isFields(hook) ? [hook.id ?? defaultWebhookId(index), hook.url] : [index, hook]
  );
}

/**
 * Puts the addresses of `previous` where `next` says `(set)`: the webhook with the same id; else the one with
 * the same other fields, at the same place if there are several and none came or went. Where none can be meant `(set)` stays, and
 * parsePolicy refuses it.
 */
export function keepSecrets(next: unknown, previous: unknown): unknown {
  const hooks = webhooksOf(next);
  const before = webhooksOf(previous) ?? [];
  if (hooks === null) return next;
  const webhooks = hooks.map((hook, index) => {
    if (!isFields(hook) || hook.url !== REDACTED) return hook;
    const kept = counterpart({ hook, index, count: hooks.length, before });
    return kept === null ? hook : { ...hook, url: kept.url };
  });
  return { ...next as Fields, webhooks };
}

function counterpart(
  options: {
    readonly hook: Fields;
    readonly index: number;
    readonly count: number;
    readonly before: readonly unknown[];
  },
): Fields | null {
  const { hook, index, count, before } = options;
  const candidates = before.filter(isFields);
  if (hook.id !== undefined) {
    return candidates.find((each) => (each.id ?? defaultWebhookId(before.indexOf(each))) === hook.id) ?? null;
  }
  if (before.length === 1 && candidates[0]?.id === undefined) return candidates[0] ?? null;
  const alike = candidates.filter((each) => othersOf(each) === othersOf(hook));
  if (alike.length === 1) return alike[0] ?? null;
  const here = before[index];
  return count === before.length && isFields(here) && alike.includes(here) ? here : null;
}

function othersOf(hook: Fields): string {
  const { url: _url, ...others } = hook;
  return JSON.stringify(Object.entries(others).sort(([a], [b]) => a < b ? -1 : 1));
}

function webhooksOf(document: unknown): readonly unknown[] | null {
  return isFields(document) && Array.isArray(document.webhooks) ? document.webhooks : null;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
