/** Search over what is cached: names and descriptions, all ecosystems at once. What policy withholds is not offered. */
import * as z from "zod";
import type { InspectQuery } from "../../ecosystems/pipeline.ts";
import type { CachedPackage } from "../../storage/cached.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { type PackageApiDeps, packageRow, rowOf, visibleTo } from "./packages.ts";
import { limit } from "./schemas.ts";

export interface SearchApiDeps extends PackageApiDeps {
  /** The newest release that an organisation may have of a cached package; null: none. */
  readonly newestOffered: (query: InspectQuery) => Promise<string | null>;
}

const MAX_WORDS = 8;
/** Packages whose decisions are looked at for one answer, for each row of it. */
const LOOKED_AT_EACH = 3;

export function searchEndpoints(deps: SearchApiDeps): readonly Endpoint[] {
  return [
    endpoint({
      id: "search",
      method: "GET",
      path: "/search",
      scope: "read",
      whose: "address",
      area: "Packages",
      summary:
        "Cached packages by words of their names and descriptions, those with a release that may be had.",
      query: z.strictObject({
        q: z.string().trim().min(1, "a word or more").max(100, "at most 100 characters"),
        ecosystem: z.string().optional(),
        limit: limit(100, 20),
      }),
      answer: z.object({
        packages: z.array(z.object({ ...packageRow, newestAllowed: z.string() })),
        complete: z.boolean().meta({ description: "false: there may be more that match" }),
      }),
      handle: async (call) => ({ body: await found(deps, call) }),
    }),
  ];
}

interface SearchQuery {
  readonly q: string;
  readonly ecosystem?: string | undefined;
  readonly limit: number;
}

async function found(deps: SearchApiDeps, call: Call<unknown, SearchQuery>) {
  const { query, organisation } = call;
  const words = query.q.toLowerCase().split(/\s+/).slice(0, MAX_WORDS);
  const isVisible = await visibleTo(deps, call);
  const names = await deps.cached.names();
  const ranked = names.packages.flatMap((each) => {
    if (query.ecosystem !== undefined && each.key.ecosystem !== query.ecosystem) return [];
    const rank = rankOf(each, words);
    return rank === null || !isVisible(each) ? [] : [{ each, rank }];
  }).sort((a, b) => a.rank - b.rank || a.each.name.length - b.each.name.length);
  const looked = ranked.slice(0, LOOKED_AT_EACH * query.limit);
  const packages: (ReturnType<typeof rowOf> & { readonly newestAllowed: string })[] = [];
  for (const { each } of looked) {
    if (packages.length === query.limit) return { packages, complete: false };
    const ecosystem = deps.ecosystems.find(({ id }) => id === each.key.ecosystem);
    if (ecosystem === undefined) continue;
    const newestAllowed = await deps.newestOffered({ organisation, ecosystem, name: each.name });
    if (newestAllowed !== null) packages.push({ ...rowOf(deps, each), newestAllowed });
  }
  return { packages, complete: looked.length === ranked.length && !names.isCut };
}

/** Smaller is better: the name itself, its beginning, somewhere in it, in the description; null: a word is nowhere. */
function rankOf({ name, description }: CachedPackage, words: readonly string[]): number | null {
  const lower = name.toLowerCase();
  const about = description?.toLowerCase() ?? "";
  let worst = 0;
  for (const word of words) {
    const bare = lower.slice(lower.lastIndexOf("/") + 1);
    const rank = lower === word || bare === word
      ? 0
      : lower.startsWith(word) || bare.startsWith(word)
      ? 1
      : lower.includes(word)
      ? 2
      : about.includes(word)
      ? 3
      : null;
    if (rank === null) return null;
    worst = Math.max(worst, rank);
  }
  return worst;
}
