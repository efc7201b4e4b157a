/** What is being held of what people use, and when each matures. */
import { LRUCache } from "lru-cache";
import * as z from "zod";
import type { HeldNow, HeldNowQuery } from "../../ecosystems/pipeline.ts";
import type { AskedPackages } from "../../storage/asked.ts";
import { keptFor } from "../../storage/cached.ts";
import type { InstallQueries } from "../../storage/installs/query_types.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Clock } from "../../storage/runtime.ts";
import type { EpochMs } from "../../policy/types.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { instant, instantText, limit } from "./schemas.ts";

/** Of the newest records of either log: what was asked for before this was remembered is known from them alone. */
const RECORDS = 200;
const MAX_PACKAGES = 200;
const KEEPING = { leastMs: 5_000, mostMs: 60_000 } as const;

export interface HeldApiDeps {
  readonly queries: Pick<InstallQueries, "recent" | "refused">;
  readonly asked: Pick<AskedPackages, "read">;
  readonly heldNow: (query: HeldNowQuery) => Promise<HeldNow>;
  readonly clock: Clock;
}

type Shown = z.input<typeof answer>;

const held = z.object({
  ecosystem: z.string(),
  package: z.string(),
  purl: z.string(),
  version: z.string(),
  rule: z.string().nullable(),
  reason: z.string().nullable(),
  maturesAt: instant,
}).meta({ id: "Held" });

const answer = z.object({
  held: z.array(held),
  total: z.number().int().meta({
    description: "Releases that are held, of the packages that were looked at",
  }),
  packages: z.object({
    looked: z.number().int(),
    of: z.number().int().meta({ description: "That were asked for lately, by their index or a file" }),
    uncached: z.number().int().meta({ description: "Looked at, and nothing is cached of them" }),
    more: z.boolean().meta({ description: "Others were asked for too: more than are remembered" }),
  }).meta({ description: "How many packages were looked at, the last asked for first, of how many" }),
});

/** As it is answered. */
export type ShownHeld = z.output<typeof held>;

/** As it is answered, whole. */
export type HeldAnswer = z.output<typeof answer>;

export function heldEndpoints(deps: HeldApiDeps): readonly Endpoint[] {
  /** By organisation, as of one state of its policy: whoever looks again within seconds is told the same. */
  const kept = new LRUCache<string, { readonly stamp: string; readonly read: () => Promise<Shown> }>({
    max: 1_000,
  });

  function shownTo({ organisation }: Pick<Call, "organisation">): Promise<Shown> {
    const { id, stamp } = organisation;
    let known = kept.get(id);
    if (known?.stamp !== stamp) {
      known = { stamp, read: keptFor(KEEPING, deps.clock, () => shownHeld(deps, organisation)) };
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
        `What time alone will let through, of the ${MAX_PACKAGES} packages that were asked for last, by their ` +
        "index or a file; the next to mature first.",
      query: z.strictObject({ limit: limit(200, 20) }),
      answer,
      handle: async (call) => {
        const shown = await shownTo(call);
        return { body: { ...shown, held: shown.held.slice(0, call.query.limit) } };
      },
    }),
  ];
}

async function shownHeld(deps: HeldApiDeps, organisation: OrganisationView): Promise<Shown> {
  const { packages, more } = await askedLast(deps, organisation);
  const { releases, looked, uncached } = await deps.heldNow({
    organisation,
    packages: packages.slice(0, MAX_PACKAGES),
  });
  return {
    held: releases.map(({ maturesAt, ...release }) => ({ ...release, maturesAt: instantText(maturesAt) })),
    total: releases.length,
    packages: { looked, of: packages.length, uncached, more },
  };
}

/** By index or file; the last asked for first. */
async function askedLast({ queries, asked }: HeldApiDeps, organisation: OrganisationView) {
  const filters = { organisation: organisation.id, limit: RECORDS };
  const { packages, isCut } = await asked.read(organisation);
  const found = [
    ...packages,
    ...[...await queries.refused(filters), ...await queries.recent(filters)]
      .map(({ ecosystem, package: name, at }) => ({ ecosystem, name, at })),
  ];
  const last = new Map<string, { readonly ecosystem: string; readonly name: string; readonly at: EpochMs }>();
  for (const each of found) {
    const id = `${each.ecosystem}\n${each.name}`;
    const known = last.get(id);
    if (known === undefined || known.at < each.at) last.set(id, each);
  }
  return { packages: [...last.values()].sort((a, b) => b.at - a.at), more: isCut };
}
