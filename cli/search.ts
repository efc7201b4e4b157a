/** `deno task search QUERY`: cached packages by words of their names and descriptions. */
import { openApi } from "./api_client.ts";
import { PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { UsageError } from "./storage.ts";
import { printTable } from "./table.ts";

const USAGE = `Usage: deno task search WORDS… [flags]

  Packages that are cached and that may be had, by words of their names and descriptions, of all ecosystems.

  --ecosystem NAME       of this one alone
  --limit N              so many at most (default: 20)
${PLACE_USAGE}`;

const OPTIONS = {
  ...PLACE_OPTIONS,
  ecosystem: { type: "string" },
  limit: { type: "string" },
  json: { type: "boolean" },
} as const;

/** As the API has it. */
interface Found {
  readonly packages: readonly {
    readonly ecosystem: string;
    readonly package: string;
    readonly description: string | null;
    readonly newestAllowed: string;
  }[];
  readonly complete: boolean;
}

const MAX_DESCRIPTION = 60;

/** Exit code 0: done, though nothing may be found; 1: failed; 2: the command line is wrong. */
export function search(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "search", usage: USAGE, args, io }, async () => {
    const { values, operands } = readFlags(args, OPTIONS);
    const { ecosystem, limit } = values;
    if (operands.length === 0) throw new UsageError("This needs a word to look for.");
    await using api = await openApi(values, io);
    const query = { q: operands.join(" "), ecosystem, limit };
    const found = await api.call<Found>("GET", "/search", { query });
    io.stdout(values.json ? `${JSON.stringify(found, null, 2)}\n` : foundText(found, io));
  });
}

function foundText({ packages, complete }: Found, io: Io): string {
  if (packages.length === 0) {
    return "Nothing that is cached matches and may be had. What nobody asked for yet is not cached: " +
      "deno task prefetch fills it.\n";
  }
  const table = printTable(packages, [
    { key: "package", title: "package" },
    { key: "newestAllowed", title: "newest" },
    { key: "ecosystem", title: "ecosystem" },
    { key: "description", title: "description", show: (row) => shortened(row.description ?? "") },
  ], { colour: io.isTty && !io.env.NO_COLOR });
  return complete ? table : `${table}\nThere may be more: --limit 100, or a word more.\n`;
}

function shortened(text: string): string {
  return text.length <= MAX_DESCRIPTION ? text : `${text.slice(0, MAX_DESCRIPTION - 1)}…`;
}

if (import.meta.main) {
  Deno.exit(await search(Deno.args, processIo()));
}
