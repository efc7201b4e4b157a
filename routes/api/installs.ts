/** The install log: pages of records, and the questions that are answered without scanning it. */
import { stringify } from "csv-stringify/sync";
import * as z from "zod";
import type { EpochMs } from "../../policy/types.ts";
import type { InstallRecord } from "../../storage/installs/log.ts";
import type {
  InstallFilters,
  InstallQueries,
  Position,
  RecordFilters,
} from "../../storage/installs/query_types.ts";
import { utf8 } from "../text.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { ApiError, wrongField } from "./error.ts";
import { cursor, fromCursor, givenInstant, instant, instantText, limit, next, toCursor } from "./schemas.ts";

const AREA = "Installs";
/** Records looked at for one page, however few of them match; the cursor goes on from there. */
const LOOKED_AT = 5_000;

export interface InstallApiDeps {
  readonly queries: InstallQueries;
  /** Takes a person out of an organisation's log. */
  readonly forgetUser: (user: { readonly organisation: string; readonly user: string }) => Promise<void>;
}

const narrowing = {
  ecosystem: z.string().optional(),
  since: givenInstant.optional().meta({ description: "From this instant on" }),
  until: givenInstant.optional().meta({ description: "Before this instant" }),
  everywhere: z.stringbool().default(false).meta({
    description: "Of every organisation; for the instance's tokens alone",
  }),
};
const named = {
  user: z.string().optional(),
  package: z.string().optional().meta({ description: "Exact" }),
  version: z.string().optional(),
};
/** What is held against each record. */
const matching = {
  ...named,
  outcome: z.enum(["served", "partial", "refused", "observed"]).optional(),
};
const rows = limit(10_000, 1_000);

type Narrowing = {
  readonly ecosystem?: string | undefined;
  readonly since?: EpochMs | undefined;
  readonly until?: EpochMs | undefined;
  readonly everywhere: boolean;
  readonly limit?: number | undefined;
};

const record = z.object({
  id: z.string(),
  at: instant,
  organisation: z.string(),
  user: z.string().nullable(),
  address: z.string(),
  client: z.string(),
  clientVersion: z.string(),
  ecosystem: z.string(),
  package: z.string(),
  version: z.string(),
  file: z.string(),
  digest: z.string(),
  bytes: z.number(),
  cache: z.enum(["hit", "miss", "none"]),
  outcome: z.enum(["served", "partial", "refused", "observed"]),
  rule: z.string(),
  decisionId: z.string(),
  asOf: instant.optional().meta({ description: "The past instant that the address named" }),
}).meta({ id: "InstallRecord" });

const counted = { installs: z.number(), partial: z.number() };
const span = { first: instant, last: instant };
const packageRow = {
  organisation: z.string(),
  ecosystem: z.string(),
  package: z.string(),
  ...counted,
  refused: z.number(),
  ...span,
};

export function installEndpoints({ queries, forgetUser }: InstallApiDeps): readonly Endpoint[] {
  const common = { method: "GET", scope: "audit", whose: "address", area: AREA } as const;
  return [
    endpoint({
      ...common,
      id: "listInstalls",
      path: "/installs",
      summary: "Records, the newest first.",
      query: z.strictObject({
        ...narrowing,
        ...matching,
        limit: limit(1_000, 100),
        cursor,
      }),
      answer: z.object({ installs: z.array(record), next }),
      handle: async (call) => ({ body: await page(queries, call) }),
    }),
    endpoint({
      ...common,
      id: "exportInstalls",
      path: "/installs/export",
      summary: "All records, the oldest first: one JSON value a line, or CSV.",
      query: z.strictObject({
        ...narrowing,
        ...matching,
        format: z.enum(["ndjson", "csv"]).default("ndjson"),
        limit: rows.optional(),
      }),
      line: record,
      contentTypes: ["application/x-ndjson", "text/csv"],
      handle: (call) => {
        const records = exported(queries, call);
        if (call.query.format === "ndjson") return { ndjson: records };
        return { bytes: () => csvOf(records), contentType: "text/csv; charset=utf-8" };
      },
    }),
    endpoint({
      ...common,
      id: "whoInstalled",
      path: "/installs/who",
      summary: "Who installed a package: every user once, with all versions.",
      query: z.strictObject({
        ...narrowing,
        package: z.string().min(1).meta({ description: "Exact, or with % at either end" }),
        version: z.string().optional(),
        limit: rows,
      }),
      answer: z.object({
        rows: z.array(z.object({
          organisation: z.string(),
          ecosystem: z.string(),
          package: z.string(),
          user: z.string().nullable(),
          versions: z.array(z.string()),
          ...counted,
          ...span,
        })),
      }),
      handle: async (call) => {
        const { package: name, version } = call.query;
        return {
          body: { rows: (await queries.who(name, { ...filtersOf(call, call.query), version })).map(dated) },
        };
      },
    }),
    endpoint({
      ...common,
      id: "installedPackages",
      path: "/installs/packages",
      summary: "Every package that was ever asked for.",
      query: z.strictObject({ ...narrowing, limit: rows }),
      answer: z.object({ rows: z.array(z.object(packageRow)) }),
      handle: async (call) => ({
        body: { rows: (await queries.packages(filtersOf(call, call.query))).map(dated) },
      }),
    }),
    endpoint({
      ...common,
      id: "installsOfUser",
      path: "/installs/user",
      summary: "What one user took and was refused.",
      query: z.strictObject({ ...narrowing, name: z.string().min(1), limit: rows }),
      answer: z.object({
        rows: z.array(z.object({ user: z.string(), version: z.string(), ...packageRow })),
      }),
      handle: async (call) => ({
        body: { rows: (await queries.user(call.query.name, filtersOf(call, call.query))).map(dated) },
      }),
    }),
    endpoint({
      ...common,
      id: "countInstalls",
      path: "/installs/count",
      summary: "How much, in total or by ecosystem, package, user or day.",
      query: z.strictObject({
        ...narrowing,
        ...named,
        by: z.enum(["ecosystem", "package", "user", "day"]).optional(),
        limit: rows,
      }),
      answer: z.object({
        rows: z.array(z.object({
          ecosystem: z.string().optional(),
          package: z.string().optional(),
          user: z.string().nullable().optional(),
          day: z.string().optional(),
          ...counted,
          refused: z.number(),
          observed: z.number(),
          bytes: z.number(),
        })),
      }),
      handle: async (call) => ({
        body: { rows: await queries.count(recordFiltersOf(call), call.query.by) },
      }),
    }),
    endpoint({
      ...common,
      id: "refusedInstalls",
      path: "/installs/refused",
      summary: "What was refused, or would have been in observe, the newest first.",
      query: z.strictObject({ ...narrowing, ...named, limit: limit(10_000, 50) }),
      answer: z.object({ installs: z.array(record) }),
      handle: async (call) => ({
        body: { installs: (await queries.refused(recordFiltersOf(call))).map(shown) },
      }),
    }),
    endpoint({
      ...common,
      id: "forgetUser",
      method: "DELETE",
      path: "/installs/user",
      scope: "admin",
      summary: "Takes a person out of the log: its records stay, without user and address.",
      query: z.strictObject({ name: z.string().min(1) }),
      handle: async (call) => {
        await forgetUser({ organisation: call.organisation.id, user: call.query.name });
        // The trail is kept for ever: whoever is forgotten is not named there.
        call.note({ subject: "a person" });
        return { status: 204 };
      },
    }),
  ];
}

/** WARNING: what keeps an organisation's log its own: no question is asked without an organisation but by the instance. */
function filtersOf({ principal, organisation }: Call, query: Narrowing): InstallFilters {
  const { ecosystem, since, until } = query;
  if (query.everywhere && principal.organisation !== null) {
    throw new ApiError(403, "not-yours", "This token is not for every organisation: leave everywhere away");
  }
  return {
    ...(query.everywhere ? {} : { organisation: organisation.id }),
    ...(query.limit === undefined ? {} : { limit: query.limit }),
    ecosystem,
    since,
    until,
  };
}

type Matching = Pick<RecordFilters, "user" | "package" | "version" | "outcome">;

interface PageQuery extends Narrowing, Matching {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

async function page(queries: InstallQueries, call: Call<unknown, PageQuery>) {
  const { limit, cursor } = call.query;
  const below = cursor === undefined ? null : positionOf(cursor);
  const found = await queries.page(recordFiltersOf(call), { limit, below, mostLooked: LOOKED_AT });
  const { records, next } = found;
  return { installs: records.map(shown), next: next === null ? null : toCursor([next.at, next.id]) };
}

function positionOf(text: string): Position {
  const value = fromCursor(text);
  if (Array.isArray(value) && Number.isSafeInteger(value[0]) && typeof value[1] === "string") {
    return { at: value[0] as EpochMs, id: value[1] };
  }
  throw wrongField("query.cursor", "Cannot read query.cursor: it is what an answer's next said");
}

/** The limit is of those that match. */
async function* exported(queries: InstallQueries, call: Call<unknown, Narrowing & Matching>) {
  for await (const each of queries.export(recordFiltersOf(call))) yield shown(each);
}

function recordFiltersOf(call: Call<unknown, Narrowing & Matching>): RecordFilters {
  const { user, package: name, version, outcome } = call.query;
  return { ...filtersOf(call, call.query), user, package: name, version, outcome };
}

/** A heading, then a line for each; what a spreadsheet would take for a formula is escaped. */
function csvOf(records: AsyncIterable<ReturnType<typeof shown>>): ReadableStream<Uint8Array> {
  const columns = Object.keys(record.shape);
  const line = (values: readonly unknown[]) => utf8(stringify([values], { escape_formulas: true }));
  return ReadableStream.from((async function* () {
    yield line(columns);
    for await (const each of records) {
      yield line(columns.map((name) => (each as Readonly<Record<string, unknown>>)[name] ?? ""));
    }
  })());
}

function shown(each: InstallRecord) {
  const { asOf, ...record } = each;
  return { ...record, at: instantText(each.at), ...(asOf === undefined ? {} : { asOf: instantText(asOf) }) };
}

function dated<R extends { readonly first: EpochMs; readonly last: EpochMs }>(row: R) {
  return { ...row, first: instantText(row.first), last: instantText(row.last) };
}
