/** `deno task held`: what is being held of what was asked for lately, and when each matures. */
import type { HeldAnswer } from "../routes/api/held.ts";
import { openApi } from "./api_client.ts";
import { noOperands, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { printTable } from "./table.ts";
import { minuteUpText } from "./texts.ts";

const USAGE = `Usage: deno task held [flags]

  What time alone will let through, of the packages that were asked for last; the next to mature first.

  --limit N              releases at most (default: 20)
${PLACE_USAGE}`;

const OPTIONS = { ...PLACE_OPTIONS, limit: { type: "string" }, json: { type: "boolean" } } as const;

/** Exit code 0: done; 1: refused or failed; 2: the command line is wrong. */
export function held(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "held", usage: USAGE, args, io }, async () => {
    const { values, operands } = readFlags(args, OPTIONS);
    noOperands(operands);
    await using api = await openApi(values, io);
    const query = { limit: values.limit ?? "20" };
    const { held, total, packages } = await api.call<HeldAnswer>("GET", "/held", { query });
    const isBlind = packages.looked > 0 && packages.uncached === packages.looked;
    if (isBlind) io.stderr(UNCACHED);
    if (values.json === true) return io.stdout(`${JSON.stringify(held, null, 2)}\n`);
    const bounds = boundsText(packages);
    if (held.length === 0) {
      return io.stdout(isBlind ? bounds : `Nothing of what was asked for lately is being held. ${bounds}`);
    }
    const table = printTable(held, [
      { key: "purl", title: "release" },
      { key: "rule", title: "rule" },
      { key: "maturesAt", title: "matures", show: ({ maturesAt }) => minuteUpText(maturesAt) },
    ], { colour: io.isTty && !io.env.NO_COLOR });
    const more = total - held.length;
    io.stdout(`${table}${more > 0 ? `and ${more} more. ` : ""}${bounds}`);
  });
}

/** The address of a package's upstream is a part of its place in the cache. */
const UNCACHED =
  "Warning: of none of the packages that were asked for is anything cached under the upstreams that " +
  "this command knows. Give it the server's own settings (its environment, or --config FILE), or ask the server " +
  "(--server URL).\n";

function boundsText({ looked, of, uncached, more }: HeldAnswer["packages"]): string {
  if (of === 0) return "No package was asked for yet.\n";
  const known = `${more ? "more than " : ""}${of} package${of === 1 && !more ? "" : "s"}`;
  const gone = uncached === 0 ? "" : `; of ${uncached} of them nothing is cached`;
  return `Looked at ${looked} of ${known} that ${
    of === 1 && !more ? "was" : "were"
  } asked for lately${gone}.\n`;
}

if (import.meta.main) Deno.exit(await held(Deno.args, processIo()));
