/** `deno task stats`: what is cached and what was installed, by ecosystem and day. */
import { sizeText } from "../storage/cache/size_text.ts";
import { openApi } from "./api_client.ts";
import { noOperands, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { UsageError } from "./storage.ts";
import { printTable } from "./table.ts";

const USAGE = `Usage: deno task stats [flags]

  What is cached, of all organisations; what was installed and refused in the last thirty days, of one; which
  packages most, and which last.

  --popular N            so many packages (default: 10)
  --days                 by day
${PLACE_USAGE}`;

const OPTIONS = {
  ...PLACE_OPTIONS,
  popular: { type: "string" },
  days: { type: "boolean" },
  json: { type: "boolean" },
} as const;

/** As the API has it. */
interface Stats {
  readonly since: string;
  readonly ecosystems: readonly Row[];
  readonly days: readonly (Row & { readonly day: string; readonly filled: number })[];
  readonly popular: readonly {
    readonly ecosystem: string;
    readonly package: string;
    readonly installs: number;
  }[];
  readonly recent: readonly {
    readonly at: string;
    readonly ecosystem: string;
    readonly package: string;
    readonly version: string;
  }[];
}

interface Row {
  readonly ecosystem: string;
  readonly packages: number;
  readonly artifacts: number;
  readonly bytes: number;
  readonly installs: number;
  readonly refusals: number;
  readonly bytesServed: number;
  readonly hits: number;
  readonly misses: number;
}

/** Exit code 0: done; 1: failed; 2: the command line is wrong. */
export function stats(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "stats", usage: USAGE, args, io }, async () => {
    const { values, operands } = readFlags(args, OPTIONS);
    noOperands(operands);
    const popular = countOf(values.popular ?? "10");
    await using api = await openApi(values, io);
    const found = await api.call<Stats>("GET", "/stats", { query: { popular, recent: 10 } });
    io.stdout(
      values.json ? `${JSON.stringify(found, null, 2)}\n` : statsText(found, values.days ?? false, io),
    );
  });
}

function countOf(text: string): number {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= 1_000) return value;
  throw new UsageError(`--popular "${text}" is not a whole number from 1 to 1000.`);
}

function statsText(found: Stats, byDay: boolean, io: Io): string {
  const options = { colour: io.isTty && !io.env.NO_COLOR };
  const parts = [
    printTable(found.ecosystems, [
      { key: "ecosystem", title: "ecosystem" },
      { key: "packages", title: "packages" },
      { key: "artifacts", title: "files" },
      { key: "bytes", title: "size", align: "right", show: ({ bytes }) => sizeText(bytes) },
      { key: "installs", title: "installs" },
      { key: "refusals", title: "refusals" },
      { key: "bytesServed", title: "served", align: "right", show: (row) => sizeText(row.bytesServed) },
      { key: "hits", title: "hits", align: "right", show: hitRate },
    ], options),
  ];
  if (byDay && found.days.length > 0) {
    parts.push(printTable(found.days, [
      { key: "day", title: "day" },
      { key: "ecosystem", title: "ecosystem" },
      { key: "installs", title: "installs" },
      { key: "refusals", title: "refusals" },
      { key: "filled", title: "new files" },
      { key: "hits", title: "hits", align: "right", show: hitRate },
    ], options));
  }
  if (found.popular.length === 0) {
    return `${parts.join("\n")}\nNothing was installed since ${found.since.slice(0, 10)}. The address that ` +
      "deno task start prints has the line for each client.\n";
  }
  parts.push(
    printTable(found.popular, [
      { key: "package", title: "most installed" },
      { key: "ecosystem", title: "ecosystem" },
      { key: "installs", title: "installs" },
    ], options),
    printTable(found.recent, [
      { key: "package", title: "installed last" },
      { key: "version", title: "version" },
      { key: "ecosystem", title: "ecosystem" },
      { key: "at", title: "when", show: ({ at }) => at.slice(0, 16).replace("T", " ") },
    ], options),
  );
  return parts.join("\n");
}

function hitRate({ hits, misses }: Pick<Row, "hits" | "misses">): string {
  return hits + misses === 0 ? "" : `${Math.round(100 * hits / (hits + misses))} %`;
}

if (import.meta.main) {
  Deno.exit(await stats(Deno.args, processIo()));
}
