/** Two organisations that differ in their policy alone: every rule, and none. */
import { openOrganisations } from "../../cli/storage.ts";
import { processIo } from "../../cli/io.ts";
import { parsePolicy } from "../../policy/config.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import { migrate } from "../../storage/kv/schema.ts";

const POLICIES = {
  ruled: {
    minimumAge: "3d",
    unknownAge: "strict",
    yanked: "deny",
    deprecated: "warn",
    publisherDowngrade: "deny",
  },
  unruled: {
    minimumAge: "0d",
    unknownAge: "allow",
    yanked: "allow",
    deprecated: "allow",
    publisherDowngrade: "allow",
    auditFixes: false,
  },
} as const;

/** Writes both into a data folder that no server uses yet. */
export async function addOrganisations(data: string): Promise<void> {
  const kv = await openStorage(`${data}/kv.sqlite3`);
  try {
    await migrate(kv);
    const organisations = await openOrganisations(kv, processIo().clock);
    for (const [id, policy] of Object.entries(POLICIES)) {
      const parsed = parsePolicy(policy);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
      await organisations.create(id, { author: "bench" });
      await organisations.set({ id, source: parsed.source, author: "bench" });
    }
  } finally {
    kv.close();
  }
}
