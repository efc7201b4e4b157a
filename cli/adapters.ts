/** Where the pipeline's words and the storage's differ. */
import type { ServiceOptions } from "../ecosystems/pipeline.ts";
import type { Grants } from "../storage/kv/grants.ts";
import type { Webhooks } from "../storage/webhooks.ts";

/** Grants of one audit all end at the same time; the pipeline asks for names only. */
export function pipelineGrants(grants: Grants): ServiceOptions["grants"] {
  return {
    async put({ versions, until, ...key }) {
      await grants.put({ ...key, versions: new Map(versions.map((version) => [version, until])) });
    },
    get: async (key) => [...(await grants.get(key)).keys()],
  };
}

/** What was refused, as webhooks tell it. */
export function pipelineRefused(webhooks: Webhooks): ServiceOptions["refused"] {
  return ({ sentence, ...event }) => webhooks.refusal({ ...event, message: sentence });
}
