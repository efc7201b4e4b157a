/** What each question of `deno task query` asks of the log, and how its answer is printed. */
import type { InstallRecord } from "../storage/installs/log.ts";
import type {
  CountBy,
  CountRow,
  InstallQueries,
  PackageRow,
  UserRow,
  WhoRow,
} from "../storage/installs/query_types.ts";
import type { Io } from "./io.ts";
import { type Output, packageSpec, type QueryOptions, sameEcosystem } from "./query_options.ts";
import { UsageError } from "./storage.ts";
import { type Column, jsonRow, plainText, printTable, safeText, timeText, toCsv, toJson } from "./table.ts";

/** A question whose words were understood; prints its answer. */
export type Question = (queries: Omit<InstallQueries, "versionsOf" | "page">, io: Io) => Promise<void>;

export interface Answer {
  /** Throws UsageError, before anything is opened. */
  read(options: QueryOptions): Question;
}

interface Printed<R extends object> {
  readonly rows: readonly R[];
  readonly columns: readonly Column<R>[];
  /** Members of a row in a file's order. */
  readonly keys: readonly (keyof R & string)[];
  readonly times: readonly (keyof R & string)[];
  /** Said where there is nothing: what to do next. */
  readonly empty: string;
}

export const ANSWERS: ReadonlyMap<string, Answer> = new Map([
  ["who", { read: readWho }],
  ["packages", { read: readPackages }],
  ["count", { read: readCount }],
  ["user", { read: readUser }],
  ["recent", { read: readRecent }],
  ["refused", { read: readRefused }],
  ["export", { read: readExport }],
]);

function print<R extends object>(io: Io, output: Output, printed: Printed<R>): void {
  const { rows, columns, keys, times } = printed;
  if (output === "json") io.stdout(toJson(rows, times));
  else if (output === "csv") io.stdout(toCsv(rows, keys, { times, header: true }));
  else if (rows.length === 0) io.stdout(`${safeText(printed.empty)}\n`);
  else io.stdout(printTable(rows, columns, { colour: io.isTty && !io.env.NO_COLOR }));
}

/** Most installations have one organisation. */
function organisationColumn<R extends { readonly organisation: string }>(rows: readonly R[]): Column<R>[] {
  const others = rows.some(({ organisation }) => organisation !== "default");
  return others ? [{ key: "organisation", title: "organisation" }] : [];
}

/** Between which times, in every table that adds up. */
const SEEN: readonly Column<Pick<PackageRow, "first" | "last">>[] = [
  { key: "first", title: "first", align: "left", show: ({ first }) => timeText(first) },
  { key: "last", title: "last", align: "left", show: ({ last }) => timeText(last) },
];

function anonymous({ user }: { readonly user?: string | null }): string {
  return user ?? "(no name)";
}

function operand(options: QueryOptions, name: string): string {
  const [first, ...more] = options.operands;
  if (first === undefined || first === "") throw new UsageError(`${options.command} needs ${name}.`);
  if (more.length > 0) {
    throw new UsageError(`${options.command} takes one ${name}; "${more[0]}" is one too many.`);
  }
  return first;
}

function noOperand({ command, operands }: QueryOptions): void {
  if (operands.length > 0) throw new UsageError(`${command} takes no "${operands[0]}".`);
}

function readWho(options: QueryOptions): Question {
  const { output, filters } = options;
  const asked = operand(options, "a package");
  const { name, version, ecosystem } = packageSpec(asked);
  const only = sameEcosystem(asked, ecosystem, filters.ecosystem);
  return async (queries, io) => {
    const rows = await queries.who(name, { ...filters, version, ecosystem: only });
    print<WhoRow>(io, output, {
      rows,
      columns: [
        ...organisationColumn(rows),
        { key: "user", title: "user", show: anonymous },
        { key: "ecosystem", title: "ecosystem" },
        { key: "package", title: "package" },
        { key: "versions", title: "versions", show: shortVersions },
        { key: "installs", title: "installs" },
        ...partialColumn(rows),
        ...SEEN,
      ],
      keys: [
        "organisation",
        "user",
        "ecosystem",
        "package",
        "versions",
        "installs",
        "partial",
        "first",
        "last",
      ],
      times: ["first", "last"],
      empty:
        `Nobody installed "${asked}"${narrowed(filters)}. Names are exact: try "%${
          name.replaceAll("%", "")
        }%", ` +
        "or see them all: deno task query packages",
    });
  };
}

function shortVersions({ versions }: WhoRow): string {
  const shown = versions.slice(0, 5).join(" ");
  return versions.length > 5 ? `${shown} and ${versions.length - 5} more` : shown;
}

/** Shown where there is something to say. */
function partialColumn<R extends { readonly partial: number }>(rows: readonly R[]): Column<R>[] {
  return rows.some(({ partial }) => partial !== 0) ? [{ key: "partial", title: "cut off" }] : [];
}

function readPackages(options: QueryOptions): Question {
  noOperand(options);
  const { filters, output } = options;
  return async (queries, io) => {
    const rows = await queries.packages(filters);
    print<PackageRow>(io, output, {
      rows,
      columns: [
        ...organisationColumn(rows),
        { key: "ecosystem", title: "ecosystem" },
        { key: "package", title: "package" },
        { key: "installs", title: "installs" },
        ...partialColumn(rows),
        { key: "refused", title: "refused" },
        ...SEEN,
      ],
      keys: ["organisation", "ecosystem", "package", "installs", "partial", "refused", "first", "last"],
      times: ["first", "last"],
      empty: nothingYet(filters),
    });
  };
}

function readCount(options: QueryOptions): Question {
  noOperand(options);
  const { filters, output, by } = options;
  const named: (keyof CountRow & string)[] = by === "package"
    ? ["ecosystem", "package"]
    : by === undefined
    ? []
    : [by];
  return async (queries, io) => {
    const rows = await queries.count(filters, by);
    print<CountRow>(io, output, {
      rows,
      columns: [
        ...named.map((key): Column<CountRow> => ({ key, title: key, show: (row) => countName(row, key) })),
        { key: "installs", title: "installs" },
        { key: "partial", title: "cut off" },
        { key: "refused", title: "refused" },
        { key: "observed", title: "observed" },
        { key: "bytes", title: "bytes" },
      ],
      keys: [...named, "installs", "partial", "refused", "observed", "bytes"],
      times: [],
      empty: nothingYet(filters),
    });
  };
}

function countName(row: CountRow, key: keyof CountRow & (CountBy | string)): string {
  return key === "user" ? anonymous(row) : plainText(row[key]);
}

function readUser(options: QueryOptions): Question {
  const { filters, output } = options;
  const name = operand(options, "a user's name");
  return async (queries, io) => {
    const rows = await queries.user(name, filters);
    print<UserRow>(io, output, {
      rows,
      columns: [
        ...organisationColumn(rows),
        ...(name.includes("%") ? [{ key: "user", title: "user" }] as const : []),
        { key: "ecosystem", title: "ecosystem" },
        { key: "package", title: "package" },
        { key: "version", title: "version" },
        { key: "installs", title: "installs" },
        ...partialColumn(rows),
        { key: "refused", title: "refused" },
        ...SEEN,
      ],
      keys: [
        "organisation",
        "user",
        "ecosystem",
        "package",
        "version",
        "installs",
        "partial",
        "refused",
        "first",
        "last",
      ],
      times: ["first", "last"],
      empty: `"${name}" installed nothing${narrowed(filters)}. See who did: deno task query count --by user`,
    });
  };
}

const RECORD_KEYS: readonly (keyof InstallRecord)[] = [
  ...[
    "id",
    "at",
    "organisation",
    "user",
    "address",
    "client",
    "clientVersion",
    "ecosystem",
    "package",
  ] as const,
  ...["version", "file", "digest", "bytes", "cache", "outcome", "rule", "decisionId", "asOf"] as const,
];
const RECORD_TIMES: readonly (keyof InstallRecord)[] = ["at", "asOf"];

function readRecent(options: QueryOptions): Question {
  noOperand(options);
  return async (queries, io) => {
    const rows = await queries.recent(options.filters);
    printRecords(io, options, rows, nothingYet(options.filters));
  };
}

function readRefused(options: QueryOptions): Question {
  noOperand(options);
  return async (queries, io) => {
    const rows = await queries.refused(options.filters);
    const empty = `Nothing was refused${
      narrowed(options.filters)
    }. What was let through: deno task query recent`;
    printRecords(io, options, rows, empty);
  };
}

function printRecords(io: Io, options: QueryOptions, rows: readonly InstallRecord[], empty: string): void {
  const columns: Column<InstallRecord>[] = [
    { key: "at", title: "time", align: "left", show: ({ at }) => timeText(at) },
    ...organisationColumn(rows),
    { key: "user", title: "user", show: anonymous },
    { key: "address", title: "address" },
    {
      key: "client",
      title: "client",
      show: ({ client, clientVersion }) => `${client} ${clientVersion}`.trim(),
    },
    { key: "ecosystem", title: "ecosystem" },
    { key: "package", title: "package" },
    { key: "version", title: "version" },
    { key: "outcome", title: "outcome" },
  ];
  if (rows.some(({ rule }) => rule !== "")) columns.push({ key: "rule", title: "rule" });
  print(io, options.output, { rows, columns, keys: RECORD_KEYS, times: RECORD_TIMES, empty });
  if (options.output !== "table" || options.filters.limit !== undefined || rows.length < 50) return;
  io.stderr("These are the newest 50; --limit shows more.\n");
}

function readExport(options: QueryOptions): Question {
  noOperand(options);
  const { filters, output } = options;
  return async (queries, io) => {
    let count = 0;
    if (output === "csv") io.stdout(toCsv<InstallRecord>([], RECORD_KEYS, { times: [], header: true }));
    if (output === "json") io.stdout("[");
    for await (const record of queries.export(filters)) {
      if (output === "csv") io.stdout(toCsv([record], RECORD_KEYS, { times: RECORD_TIMES, header: false }));
      else if (output === "json") io.stdout(`${count === 0 ? "" : ","}\n  ${jsonRow(record, RECORD_TIMES)}`);
      else io.stdout(`${jsonRow(record, RECORD_TIMES)}\n`);
      count += 1;
    }
    if (output === "json") io.stdout(count === 0 ? "]\n" : "\n]\n");
    if (output === "table" && count === 0) io.stderr(`${safeText(nothingYet(filters))}\n`);
  };
}

function nothingYet(filters: QueryOptions["filters"]): string {
  const narrow = narrowed(filters);
  if (narrow !== "") return `Nothing is in the install log${narrow}. Ask without those flags to see what is.`;
  return "Nothing is in the install log yet. Point a client at Sluice and install something: deno task start says how.";
}

/** What an empty answer may be due to. */
function narrowed(filters: QueryOptions["filters"]): string {
  const { organisation, ecosystem, since, until, user, version, outcome } = filters;
  const words = [
    outcome === undefined ? "" : ` as ${outcome}`,
    filters.package === undefined
      ? ""
      : ` of ${filters.package}${version === undefined ? "" : ` ${version}`}`,
    user === undefined ? "" : ` by "${user}"`,
    organisation === undefined ? "" : ` in organisation "${organisation}"`,
    ecosystem === undefined ? "" : ` from ${ecosystem}`,
    since === undefined ? "" : ` since ${timeText(since)}`,
    until === undefined ? "" : ` before ${timeText(until)}`,
  ];
  return words.join("");
}
