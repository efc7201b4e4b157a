/** Numbers of the cache and of an organisation's installs. Nothing about people. */
import * as z from "zod";
import type { Stats } from "../../storage/stats.ts";
import { holds } from "../../storage/tokens.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { instant, instantText, limit } from "./schemas.ts";

export interface StatsApiDeps {
  /** Of an organisation. */
  readonly stats: (organisation: string, withPopular?: boolean) => Promise<Stats>;
  /** A package that only named upstreams have, or none. */
  readonly isPrivate: (organisation: string, ecosystem: string, name: string) => boolean;
}

const requests = {
  requests: z.number().meta({ description: "Of all organisations" }),
  hits: z.number().meta({ description: "Of them, answered without upstream" }),
  misses: z.number().meta({ description: "Of them, those for which upstream was asked" }),
};
const installs = {
  installs: z.number().meta({ description: "Whole files, of this organisation" }),
  refusals: z.number(),
  bytesServed: z.number(),
};
const ecosystem = z.string();

export const statsShape = z.object({
  asOf: instant,
  since: instant.meta({ description: "How far the days, the popular and the sums by request reach back" }),
  ecosystems: z.array(
    z.object({
      ecosystem,
      packages: z.number(),
      artifacts: z.number().meta({ description: "Files that are cached, of all organisations" }),
      bytes: z.number().meta({ description: "Of the files and documents that are cached" }),
      ...requests,
      ...installs,
    }),
  ),
  days: z.array(z.object({ day: z.iso.date(), ecosystem, filled: z.number(), ...requests, ...installs })),
  upstreams: z.array(z.object({
    day: z.iso.date(),
    answered: z.number().meta({ description: "Requests to upstreams that were answered, but for a 5xx" }),
    failed: z.number(),
  })),
  popular: z.array(z.object({ ecosystem, package: z.string(), installs: z.number() })),
  recent: z.array(z.object({ at: instant, ecosystem, package: z.string(), version: z.string() })),
}).meta({ id: "Stats" });

/** What is shown of an organisation's numbers: private packages only to who asks for them by right. */
export function shownStats(stats: Stats, options: {
  readonly popular: number;
  readonly recent: number;
  /** true: not to be shown. */
  readonly hides: (ecosystem: string, name: string) => boolean;
}): z.input<typeof statsShape> {
  const { hides } = options;
  const isShown = (row: { readonly ecosystem: string; readonly package: string }) =>
    !hides(row.ecosystem, row.package);
  return {
    ...stats,
    asOf: instantText(stats.asOf),
    since: instantText(stats.since),
    ecosystems: [...stats.ecosystems],
    days: [...stats.days],
    upstreams: [...stats.upstreams],
    popular: stats.popular.filter(isShown).slice(0, options.popular),
    recent: stats.recent.filter(isShown).slice(0, options.recent)
      .map((row) => ({ ...row, at: instantText(row.at) })),
  };
}

export function statsEndpoints({ stats, isPrivate }: StatsApiDeps): readonly Endpoint[] {
  return [
    endpoint({
      id: "stats",
      method: "GET",
      path: "/stats",
      scope: "read",
      whose: "address",
      area: "Status",
      summary: "What is cached and what was installed, by ecosystem and day; packages of private upstreams " +
        "for the scope audit alone.",
      query: z.strictObject({ popular: limit(1_000, 20, 0), recent: limit(200, 20) }),
      answer: statsShape,
      handle: async ({ organisation, principal, query }) => {
        const seesAll = holds(principal, "audit");
        const { ecosystems } = principal;
        const hides = (id: string, name: string) =>
          (ecosystems !== null && !ecosystems.includes(id)) ||
          (!seesAll && isPrivate(organisation.id, id, name));
        return { body: shownStats(await stats(organisation.id, query.popular > 0), { ...query, hides }) };
      },
    }),
  ];
}
