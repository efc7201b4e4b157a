/** What was last sent to each webhook of an organisation's, and what it answered; never its address. */
import type { EpochMs } from "../../policy/types.ts";
import { attempt } from "./call.ts";
import { boundedText } from "./held_entries.ts";
import { keys } from "./keys.ts";

/** One attempt. */
export interface Delivery {
  readonly at: EpochMs;
  /** `refused`, `alert`, `test`, … */
  readonly event: string;
  /** What it was about, in a few words. */
  readonly about: string;
  /** What was answered; null: nothing was. */
  readonly status: number | null;
  /** Why nothing was answered: `timeout`, `forbidden-address`, …; null: something was. */
  readonly failure: string | null;
}

export interface Deliveries {
  /** Never rejects: what is lost here is lost from a list for people. */
  note(organisation: string, webhook: string, delivery: Delivery): Promise<void>;
  /** The newest first, at most 20. Throws StorageError. */
  list(organisation: string, webhook: string): Promise<readonly Delivery[]>;
}

interface DeliveriesRecord {
  readonly v: 1;
  readonly deliveries: readonly Delivery[];
}

const KEPT = 20;
const MAX_ABOUT = 200;
const ATTEMPTS = 5;

export function createDeliveries(kv: Deno.Kv): Deliveries {
  function read(organisation: string, webhook: string) {
    const key = keys.webhookDeliveries(organisation, webhook);
    return attempt("read a webhook's deliveries", () => kv.get<DeliveriesRecord>(key));
  }

  async function write(organisation: string, webhook: string, delivery: Delivery): Promise<void> {
    const shown = { ...delivery, about: boundedText(delivery.about, MAX_ABOUT) };
    for (let i = 0; i < ATTEMPTS; i++) {
      const entry = await read(organisation, webhook);
      const deliveries = [shown, ...entry.value?.deliveries ?? []].slice(0, KEPT);
      const record: DeliveriesRecord = { v: 1, deliveries };
      if ((await kv.atomic().check(entry).set(entry.key, record).commit()).ok) return;
    }
  }

  return {
    note: (organisation, webhook, delivery) => write(organisation, webhook, delivery).catch(() => {}),
    list: async (organisation, webhook) => (await read(organisation, webhook)).value?.deliveries ?? [],
  };
}
