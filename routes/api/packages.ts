/** What is cached: packages by name, and all that is known of one, as the organisation's policy has it. */
import * as z from "zod";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import type { Inspected, InspectQuery } from "../../ecosystems/pipeline.ts";
import { overridesNaming } from "../../policy/overrides.ts";
import { overridesFor } from "../../policy/resolve.ts";
import type { AskedPackages } from "../../storage/asked.ts";
import type { Cached, CachedPackage } from "../../storage/cached.ts";
import type { InstallQueries } from "../../storage/installs/query_types.ts";
import type { FileRecord, PackageKey } from "../../storage/kv/packages.ts";
import type { Clock } from "../../storage/runtime.ts";
import { holds } from "../../storage/tokens.ts";
import { readPurlPath } from "../purl_path.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { notFound, wrongField } from "./error.ts";
import { entryOf, freeze, freezeOf, listEntry, release, releaseOf } from "./package_shown.ts";
import { cursor, fromCursor, instant, instantText, limit, next, toCursor } from "./schemas.ts";

const AREA = "Packages";
const MAX_USERS = 200;

export interface PackageApiDeps {
  readonly ecosystems: readonly Ecosystem[];
  readonly cached: Pick<Cached, "names">;
  readonly queries: Pick<InstallQueries, "packages" | "who">;
  readonly asked: Pick<AskedPackages, "read">;
  readonly inspect: (query: InspectQuery) => Promise<Inspected | null>;
  readonly files: (key: PackageKey) => Promise<ReadonlyMap<string, FileRecord>>;
  /** The upstream that an organisation has a package from; null: none. */
  readonly upstreamId: (organisation: string, ecosystem: string, name: string) => string | null;
  /** The purl of a package without version. */
  readonly purlOf: (ecosystem: Ecosystem, name: string) => string;
  readonly clock: Clock;
}

export const packageRow = {
  ecosystem: z.string(),
  package: z.string(),
  purl: z.string(),
  description: z.string().nullable(),
};

export function packageEndpoints(deps: PackageApiDeps): readonly Endpoint[] {
  const common = { method: "GET", scope: "read", whose: "address", area: AREA } as const;
  return [
    endpoint({
      ...common,
      id: "listPackages",
      path: "/packages",
      summary: "Packages that are cached, by name: of an organisation's token, those that it asked for.",
      query: z.strictObject({ ecosystem: z.string().optional(), limit: limit(1_000, 100), cursor }),
      answer: z.object({ packages: z.array(z.object(packageRow)), next }),
      handle: async (call) => ({ body: await page(deps, call) }),
    }),
    endpoint({
      ...common,
      id: "getPackage",
      path: "/packages/{purl...}",
      summary: "One package: its releases with date and verdict, its files, and (scope audit) who uses it, " +
        "which list entries name it and what it is frozen at.",
      params: z.object({ purl: z.string() }),
      query: z.strictObject({
        limit: limit(10_000, 200),
        cursor,
        uncached: z.stringbool().default(false).meta({
          description: "Answers also where nothing is cached of it: without releases",
        }),
      }),
      answer: z.object({
        ...packageRow,
        newestAllowed: z.string().nullable(),
        firstSeenAt: instant.nullable(),
        checkedAt: instant.nullable().meta({
          description: "When upstream last confirmed it; null: nothing is cached of it",
        }),
        releases: z.array(release).meta({ description: "The highest version first" }),
        usedBy: z.array(z.object({
          user: z.string().nullable(),
          versions: z.array(z.string()),
          installs: z.number(),
          last: instant,
        })).nullable().meta({ description: "null: the token does not have the scope audit" }),
        entries: z.array(listEntry).nullable().meta({
          description: "Of the policy's lists and the instance's floor; null: this needs the scope audit",
        }),
        frozen: freeze.nullable().meta({ description: "null: it is not, or this needs the scope audit" }),
        next,
      }),
      handle: async (call) => ({ body: await one(deps, call) }),
    }),
  ];
}

/**
 * WARNING: two organisations share bytes, never visibility: of what is cached an organisation's token sees what
 * that organisation asked for, of no upstream but its own, and of no ecosystem but the token's.
 */
export async function visibleTo(
  deps: Pick<PackageApiDeps, "queries" | "asked" | "upstreamId">,
  { organisation, principal }: Pick<Call, "organisation" | "principal">,
): Promise<(found: CachedPackage) => boolean> {
  const asked = principal.organisation === null ? null : await askedBy(deps, organisation);
  const { ecosystems } = principal;
  return ({ key, name }) =>
    (ecosystems === null || ecosystems.includes(key.ecosystem)) &&
    deps.upstreamId(organisation.id, key.ecosystem, name) === key.upstreamId &&
    (asked === null || asked.has(idOf({ ecosystem: key.ecosystem, package: name })));
}

/** The log has what was served or refused, for ever; of what only an index was asked for the last month is known. */
async function askedBy(
  { queries, asked }: Pick<PackageApiDeps, "queries" | "asked">,
  organisation: Call["organisation"],
): Promise<ReadonlySet<string>> {
  const logged = await queries.packages({ organisation: organisation.id });
  const { packages } = await asked.read(organisation);
  return new Set([
    ...logged.map(idOf),
    ...packages.map(({ ecosystem, name }) => idOf({ ecosystem, package: name })),
  ]);
}

function idOf(row: { readonly ecosystem: string; readonly package: string }): string {
  return `${row.ecosystem}\n${row.package}`;
}

interface PageQuery {
  readonly ecosystem?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

async function page(deps: PackageApiDeps, call: Call<unknown, PageQuery>) {
  const { query } = call;
  const isVisible = await visibleTo(deps, call);
  const after = query.cursor === undefined ? null : positionOf(query.cursor);
  const { packages } = await deps.cached.names();
  const rows: ReturnType<typeof rowOf>[] = [];
  let last: CachedPackage | null = null;
  for (const each of packages) {
    if (after !== null && isUpTo(each, after)) continue;
    if (query.ecosystem !== undefined && each.key.ecosystem !== query.ecosystem) continue;
    if (!isVisible(each)) continue;
    if (rows.length === query.limit) return { packages: rows, next: toCursor(placeOf(last!)) };
    rows.push(rowOf(deps, each));
    last = each;
  }
  return { packages: rows, next: null };
}

export function rowOf(
  deps: Pick<PackageApiDeps, "ecosystems" | "purlOf">,
  { key, name, description }: CachedPackage,
) {
  const ecosystem = deps.ecosystems.find(({ id }) => id === key.ecosystem);
  const purl = ecosystem === undefined ? "" : deps.purlOf(ecosystem, name);
  return { ecosystem: key.ecosystem, package: name, purl, description };
}

type Place = readonly [name: string, ecosystem: string];

function placeOf({ key, name }: CachedPackage): Place {
  return [name, key.ecosystem];
}

function isUpTo(each: CachedPackage, [name, ecosystem]: Place): boolean {
  return each.name < name || (each.name === name && each.key.ecosystem <= ecosystem);
}

function positionOf(text: string): Place {
  const value = fromCursor(text);
  if (Array.isArray(value) && typeof value[0] === "string" && typeof value[1] === "string") {
    return [value[0], value[1]];
  }
  throw wrongField("query.cursor", "Cannot read query.cursor: it is what an answer's next said");
}

interface OneQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly uncached: boolean;
}

async function one(deps: PackageApiDeps, call: Call<{ readonly purl: string }, OneQuery>) {
  const { params, query, organisation } = call;
  const named = packageAt(deps.ecosystems, params.purl);
  const { ecosystem, name, version } = named;
  const isVisible = await visibleTo(deps, call);
  const inspected = await deps.inspect({ organisation, ecosystem, name });
  const isThere = inspected !== null && isVisible({ key: inspected.key, name, description: null });
  if (!isThere && !query.uncached) {
    throw notFound("unknown-package", `Nothing is cached of ${JSON.stringify(params.purl)}`);
  }
  const found = isThere ? inspected : null;
  const all = found?.releases ?? [];
  const releases = version === null ? all : all.filter((each) => each.version === version);
  const from = query.cursor === undefined ? 0 : startOf(query.cursor, releases);
  const shown = releases.slice(from, from + query.limit);
  const files = found === null ? new Map<string, FileRecord>() : await deps.files(found.key);
  return {
    ecosystem: ecosystem.id,
    package: name,
    purl: deps.purlOf(ecosystem, name),
    description: found?.description ?? null,
    newestAllowed: found?.newestAllowed ?? null,
    firstSeenAt: instantText(found?.firstSeenAt ?? null),
    checkedAt: instantText(found?.checkedAt ?? null),
    releases: shown.map((each) => releaseOf(each, files)),
    ...await watched(deps, call, named),
    next: from + query.limit < releases.length ? toCursor([shown.at(-1)!.version]) : null,
  };
}

interface Named {
  readonly ecosystem: Ecosystem;
  readonly name: string;
  readonly version: string | null;
}

/** Throws ApiError for what is no purl, of none of our ecosystems, or no name that this one could have. */
function packageAt(ecosystems: readonly Ecosystem[], text: string): Named {
  const asked = readPurlPath(text.split("/"));
  if (asked === null) {
    throw wrongField("path.purl", `${JSON.stringify(text)} is no purl of a package: pkg:npm/left-pad`);
  }
  const ecosystem = ecosystems.find(({ purlType }) => purlType === asked.type);
  if (ecosystem === undefined) {
    const known = ecosystems.map(({ purlType }) => `pkg:${purlType}/`).join(", ");
    throw wrongField("path.purl", `${JSON.stringify(text)} is of no ecosystem here: ${known}`);
  }
  if (!ecosystem.isName(asked.name)) {
    throw wrongField(
      "path.purl",
      `No package of ${ecosystem.title} can be called ${JSON.stringify(asked.name)}`,
    );
  }
  return { ecosystem, name: ecosystem.canonicalName?.(asked.name) ?? asked.name, version: asked.version };
}

/** Who has it, what was written of it and what it is frozen at: for those who may read the log. */
async function watched(
  { queries, clock }: PackageApiDeps,
  { organisation, principal }: Pick<Call, "organisation" | "principal">,
  { ecosystem, name }: Named,
) {
  if (!holds(principal, "audit")) return { usedBy: null, entries: null, frozen: null };
  const { id, policy, floor, freezes } = organisation;
  const users = await queries.who(name, { organisation: id, ecosystem: ecosystem.id, limit: MAX_USERS });
  const own = overridesNaming(overridesFor(policy, ecosystem), ecosystem, name);
  const floors = overridesNaming(floor.deny, ecosystem, name);
  const now = clock();
  const frozen = freezes.find((each) =>
    each.ecosystem === ecosystem.id && each.name === name && (each.until === null || now < each.until)
  );
  return {
    usedBy: users.map((row) => ({ ...row, last: instantText(row.last) })),
    entries: [...floors.map((each) => entryOf(each, true)), ...own.map((each) => entryOf(each, false))],
    frozen: frozen === undefined ? null : freezeOf(frozen),
  };
}

/** A release that is gone meanwhile ends the list, rather than beginning it again. */
function startOf(text: string, releases: Inspected["releases"]): number {
  const value = fromCursor(text);
  if (!Array.isArray(value) || typeof value[0] !== "string") {
    throw wrongField("query.cursor", "Cannot read query.cursor: it is what an answer's next said");
  }
  const at = releases.findIndex(({ version }) => version === value[0]);
  return at === -1 ? releases.length : at + 1;
}
