/** Says so where a policy that is written on the data folder names webhooks that nothing will be sent to. */
import { checkAddresses } from "../routes/api/webhook_addresses.ts";
import { createAddressCheck } from "../storage/upstream/address_check.ts";
import { compileHosts } from "../storage/upstream/hosts.ts";
import { realTimers } from "../storage/timers.ts";
import type { Config } from "./config.ts";
import type { Io } from "./io.ts";
import type { Target } from "./org_target.ts";

/**
 * A note, not a refusal: the server may have been started with other hosts that may be private. No name is resolved,
 * since the server may be in another network.
 */
export function withWebhookNotes(
  target: Target,
  { io, config }: { readonly io: Io; readonly config: Config },
): Target {
  const mayBePrivate = compileHosts(config.allowPrivateWebhooks, { portless: "any" });
  const check = createAddressCheck({
    network: config.network,
    timers: realTimers,
    trustOf: (url) => mayBePrivate(url) ? "configured" : "named",
    lookup: () => Promise.resolve([]),
  });
  return {
    ...target,
    async write(change) {
      const before = (await target.get())?.source;
      const stored = await target.write(change);
      const { mistakes } = await checkAddresses(check, { source: change.source, before });
      for (const { path, value, expected } of mistakes) {
        io.stderr(`Note: ${path} is ${value}: expected ${expected}\n`);
      }
      return stored;
    },
  };
}
