/** Addresses of a policy's webhooks to which nothing would ever be sent: told when they are saved, not by an alert. */
import type { PolicyError } from "../../policy/config.ts";
import { defaultWebhookId } from "../../policy/schema.ts";

/** `unknown`: the host's name cannot be resolved now. */
export type CheckAddress = (address: string) => Promise<"fit" | "forbidden" | "unknown">;

export interface AddressReport {
  readonly mistakes: readonly PolicyError[];
  /** In sentences, without an address: those are secrets. */
  readonly warnings: readonly string[];
}

const MAX_LOOKED_AT = 20;

/** Of those that `before` does not have already: what was saved once is in nobody's way. */
export async function checkAddresses(
  check: CheckAddress,
  { source, before }: { readonly source: unknown; readonly before: unknown },
): Promise<AddressReport> {
  const known = new Set(hooksIn(before).map(({ url }) => url));
  const fresh = hooksIn(source).filter(({ url }) => !known.has(url)).slice(0, MAX_LOOKED_AT);
  const found = await Promise.all(fresh.map(async (hook) => ({ ...hook, is: await check(hook.url) })));
  return {
    mistakes: found.filter(({ is }) => is === "forbidden").map(({ index }) => ({
      path: `webhooks[${index}].url`,
      value: "an address that nothing may be sent to",
      expected:
        "a public one, or a host that --allow-private-webhooks names, without a user's name and password",
    })),
    warnings: found.filter(({ is }) => is === "unknown").map(({ id }) =>
      `The host of webhook ${JSON.stringify(id)} cannot be resolved now`
    ),
  };
}

interface Hook {
  readonly index: number;
  readonly id: string;
  readonly url: string;
}

/** What the schema would refuse is left to it. */
function hooksIn(document: unknown): readonly Hook[] {
  if (typeof document !== "object" || document === null || !("webhooks" in document)) return [];
  if (!Array.isArray(document.webhooks)) return [];
  return document.webhooks.flatMap((hook: unknown, index) => {
    if (typeof hook !== "object" || hook === null || !("url" in hook) || typeof hook.url !== "string") {
      return [];
    }
    if (!/^https?:/i.test(hook.url) || !URL.canParse(hook.url)) return [];
    const id = "id" in hook && typeof hook.id === "string" ? hook.id : defaultWebhookId(index);
    return [{ index, id, url: hook.url }];
  });
}
