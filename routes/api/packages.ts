/** What is cached: packages by name, and all that is known of one, as the organisation's policy has it. */
import * as z from "zod";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import type { Inspected, InspectQuery } from "../../ecosystems/pipeline.ts";
import type { Cached, CachedPackage } from "../../storage/cached.ts";
import type { InstallQueries } from "../../storage/installs/query_types.ts";
import type { FileRecord, PackageKey } from "../../storage/kv/packages.ts";
import { holds } from "../../storage/tokens.ts";
import { readPurlPath } from "../purl_path.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { notFound, wrongField } from "./error.ts";
import { cursor, fromCursor, instant, instantText, limit, next, toCursor } from "./schemas.ts";

const AREA = "Packages";
const MAX_USERS = 200;

export interface PackageApiDeps {
  readonly ecosystems: readonly Ecosystem[];
  readonly cached: Pick<Cached, "names">;
  readonly queries: Pick<InstallQueries, "packages" | "who">;
  readonly inspect: (query: InspectQuery) => Promise<Inspected | null>;
  readonly files: (key: PackageKey) => Promise<ReadonlyMap<string, FileRecord>>;
  /** The upstream that an organisation has a package from; null: none. */
  readonly upstreamId: (organisation: string, ecosystem: string, name: string) => string | null;
  /** The purl of a package without version. */
  readonly purlOf: (ecosystem: Ecosystem, name: string) => string;
}

export const packageRow = {
  ecosystem: z.string(),
  package: z.string(),
  purl: z.string(),
  description: z.string().nullable(),
};

const release = z.object({
  version: z.string(),
  purl: z.string(),
  publishedAt: instant.nullable(),
  firstSeenAt: instant.nullable().meta({ description: "By this Sluice" }),
  verdict: z.enum(["allow", "warn", "hold", "deny"]),
  rule: z.string().nullable(),
  reason: z.string().nullable(),
  maturesAt: instant.nullable().meta({ description: "When time alone will let it through" }),
  publisher: z.string().nullable().meta({ description: "As the registry names them" }),
  files: z.array(z.object({
    name: z.string(),
    cached: z.object({ sizeBytes: z.number(), digest: z.string(), since: instant }).nullable(),
  })),
});

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
      summary:
        "One package: its releases with date and verdict, its cached files, and (scope audit) who uses it.",
      params: z.object({ purl: z.string() }),
      query: z.strictObject({ limit: limit(10_000, 200), cursor }),
      answer: z.object({
        ...packageRow,
        newestAllowed: z.string().nullable(),
        firstSeenAt: instant.nullable(),
        checkedAt: instant.meta({ description: "When upstream last confirmed it" }),
        releases: z.array(release).meta({ description: "The highest version first" }),
        usedBy: z.array(z.object({
          user: z.string().nullable(),
          versions: z.array(z.string()),
          installs: z.number(),
          last: instant,
        })).nullable().meta({ description: "null: the token does not have the scope audit" }),
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
  deps: Pick<PackageApiDeps, "queries" | "upstreamId">,
  { organisation, principal }: Pick<Call, "organisation" | "principal">,
): Promise<(found: CachedPackage) => boolean> {
  const asked = principal.organisation === null
    ? null
    : new Set((await deps.queries.packages({ organisation: organisation.id })).map(idOf));
  const { ecosystems } = principal;
  return ({ key, name }) =>
    (ecosystems === null || ecosystems.includes(key.ecosystem)) &&
    deps.upstreamId(organisation.id, key.ecosystem, name) === key.upstreamId &&
    (asked === null || asked.has(idOf({ ecosystem: key.ecosystem, package: name })));
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

async function one(
  deps: PackageApiDeps,
  call: Call<{ readonly purl: string }, { readonly limit: number; readonly cursor?: string | undefined }>,
) {
  const { params, query, organisation, principal } = call;
  const asked = readPurlPath(params.purl.split("/"));
  const ecosystem = deps.ecosystems.find(({ purlType }) => purlType === asked?.type);
  if (asked === null || ecosystem === undefined) {
    throw wrongField("path.purl", `${JSON.stringify(params.purl)} is no purl of a package: pkg:npm/left-pad`);
  }
  const name = ecosystem.canonicalName?.(asked.name) ?? asked.name;
  const isVisible = await visibleTo(deps, call);
  const found = await deps.inspect({ organisation, ecosystem, name });
  if (found === null || !isVisible({ key: found.key, name, description: null })) {
    throw notFound("unknown-package", `Nothing is cached of ${JSON.stringify(params.purl)}`);
  }
  const releases = asked.version === null
    ? found.releases
    : found.releases.filter(({ version }) => version === asked.version);
  const from = query.cursor === undefined ? 0 : startOf(query.cursor, releases);
  const files = await deps.files(found.key);
  const users = holds(principal, "audit")
    ? await deps.queries.who(name, {
      organisation: organisation.id,
      ecosystem: ecosystem.id,
      limit: MAX_USERS,
    })
    : null;
  return {
    ecosystem: ecosystem.id,
    package: name,
    purl: found.purl,
    description: found.description,
    newestAllowed: found.newestAllowed,
    firstSeenAt: instantText(found.firstSeenAt),
    checkedAt: instantText(found.checkedAt),
    releases: releases.slice(from, from + query.limit).map((each) => ({
      ...each,
      publishedAt: instantText(each.publishedAt),
      firstSeenAt: instantText(each.firstSeenAt),
      maturesAt: instantText(each.maturesAt),
      files: each.files.map((filename) => ({ name: filename, cached: keptOf(files.get(filename)) })),
    })),
    usedBy: users?.map((row) => ({ ...row, last: instantText(row.last) })) ?? null,
    next: from + query.limit < releases.length ? toCursor([releases[from + query.limit - 1]!.version]) : null,
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

function keptOf(file: FileRecord | undefined) {
  if (file === undefined) return null;
  const digest = `sha256:${file.blob.split("/").at(-1)}`;
  return { sizeBytes: file.sizeBytes, digest, since: instantText(file.filledAt) };
}
