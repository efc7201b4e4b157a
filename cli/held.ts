/** `deno task held`: what is being held of what was asked for lately, and when each matures. */
import type { ShownHeld } from "../routes/api/held.ts";
import { openApi } from "./api_client.ts";
import { noOperands, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { printTable } from "./table.ts";
import { minuteText } from "./texts.ts";

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
    const { held } = await api.call<{ readonly held: readonly ShownHeld[] }>("GET", "/held", { query });
    if (values.json === true) return io.stdout(`${JSON.stringify(held, null, 2)}\n`);
    if (held.length === 0) return io.stdout("Nothing of what was asked for lately is being held.\n");
    io.stdout(printTable(held, [
      { key: "purl", title: "release" },
      { key: "rule", title: "rule" },
      { key: "maturesAt", title: "matures", show: ({ maturesAt }) => minuteText(maturesAt) },
    ], { colour: io.isTty && !io.env.NO_COLOR }));
  });
}

if (import.meta.main) Deno.exit(await held(Deno.args, processIo()));
