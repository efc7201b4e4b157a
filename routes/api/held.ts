/** What is being held of what people use, and when each matures. */
import { LRUCache } from "lru-cache";
import * as z from "zod";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import type { Inspected, InspectQuery } from "../../ecosystems/pipeline.ts";
import { keptFor } from "../../storage/cached.ts";
import type { InstallQueries } from "../../storage/installs/query_types.ts";
import type { Clock } from "../../storage/runtime.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { instant, instantText, limit } from "./schemas.ts";

/** Of the newest records of either log: beyond them nobody looks at what is held. */
const LOOKED_AT = 200;
const MAX_PACKAGES = 40;
const KEEPING = { leastMs: 5_000, mostMs: 60_000 } as const;

export interface HeldApiDeps {
  readonly ecosystems: readonly Ecosystem[];
  readonly queries: Pick<InstallQueries, "recent" | "refused">;
  readonly inspect: (query: InspectQuery) => Promise<Inspected | null>;
  readonly clock: Clock;
}

type Rows = readonly z.input<typeof held>[];

const held = z.object({
  ecosystem: z.string(),
  package: z.string(),
  purl: z.string(),
  version: z.string(),
  rule: z.string().nullable(),
  reason: z.string().nullable(),
  maturesAt: instant,
}).meta({ id: "Held" });

/** As it is answered. */
export type ShownHeld = z.output<typeof held>;

export function heldEndpoints(deps: HeldApiDeps): readonly Endpoint[] {
  /** By organisation, as of one state of its policy: whoever looks again within seconds is told the same. */
  const kept = new LRUCache<string, { readonly stamp: string; readonly read: () => Promise<Rows> }>({
    max: 1_000,
  });

  function rowsOf({ organisation }: Pick<Call, "organisation">): Promise<Rows> {
    const { id, stamp } = organisation;
    let known = kept.get(id);
    if (known?.stamp !== stamp) {
      known = { stamp, read: keptFor(KEEPING, deps.clock, () => heldOf(deps, { organisation })) };
      kept.set(id, known);
    }
    return known.read();
  }

  return [
    endpoint({
      id: "listHeld",
      method: "GET",
      path: "/held",
      scope: "audit",
      whose: "address",
      area: "Packages",
      summary:
        `What time alone will let through, of the ${MAX_PACKAGES} packages that were asked for last; ` +
        "the next to mature first.",
      query: z.strictObject({ limit: limit(200, 20) }),
      answer: z.object({ held: z.array(held) }),
      handle: async (call) => ({ body: { held: (await rowsOf(call)).slice(0, call.query.limit) } }),
    }),
  ];
}

async function heldOf(
  { ecosystems, queries, inspect }: HeldApiDeps,
  { organisation }: Pick<Call, "organisation">,
) {
  const filters = { organisation: organisation.id, limit: LOOKED_AT };
  const records = [...await queries.refused(filters), ...await queries.recent(filters)];
  const names = new Map(records.map((each) => [`${each.ecosystem}\n${each.package}`, each]));
  const rows: z.input<typeof held>[] = [];
  for (const { ecosystem: id, package: name } of [...names.values()].slice(0, MAX_PACKAGES)) {
    const ecosystem = ecosystems.find((each) => each.id === id);
    const found = ecosystem === undefined ? null : await inspect({ organisation, ecosystem, name });
    for (const { version, purl, rule, reason, maturesAt } of found?.releases ?? []) {
      if (maturesAt === null) continue;
      rows.push({
        ecosystem: id,
        package: name,
        purl,
        version,
        rule,
        reason,
        maturesAt: instantText(maturesAt),
      });
    }
  }
  return rows.sort((a, b) => a.maturesAt < b.maturesAt ? -1 : 1);
}
