/** What is cached of packages that are looked at for people, many at once. */
import type { Joined, PackageFacts } from "../../policy/types.ts";
import type { PackageKey } from "../../storage/kv/packages.ts";
import { keyText, packageKey } from "./load.ts";
import type { InspectQuery } from "./inspect.ts";
import type { Services } from "./services.ts";
import { upstreamOf } from "./upstream.ts";
import { NO_GRANTS } from "./verdicts.ts";

/**
 * null: nothing, under the upstream that this organisation has it from. Not through memory: what is read once for this
 * would drive out what is asked for all day.
 */
export async function cachedFacts(
  services: Services,
  query: InspectQuery,
): Promise<{ readonly facts: PackageFacts; readonly joined: Joined } | null> {
  const { ecosystem, name } = query;
  const upstream = upstreamOf(services, query, name);
  if (upstream === null) return null;
  const key = packageKey(ecosystem, upstream, name);
  const known = services.known.get(keyText(key)) ?? await readFacts(services, key);
  if (known === null) return null;
  const { facts, firstSeen } = known;
  return {
    facts,
    joined: { firstSeen: (filename) => firstSeen?.of(filename) ?? null, grants: NO_GRANTS, digest: "" },
  };
}

/** null: nothing is there, or it is being replaced just now. */
async function readFacts({ packages }: Services, key: PackageKey) {
  const stored = await packages.get(key);
  if (stored === null || stored.record.absent) return null;
  const [facts, firstSeen] = await Promise.all([packages.facts(key, stored.record), packages.firstSeen(key)]);
  return facts === null ? null : { facts, firstSeen };
}
