/** `deno task audit`: every change by whom, when, from what to what, and from where. */
import type { ShownEntry } from "../routes/api/audit_trail.ts";
import { openApi } from "./api_client.ts";
import { noOperands, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { safeText } from "./table.ts";
import { minuteText } from "./texts.ts";

const USAGE = `Usage: deno task audit [flags]

  Every change by whom, when, from what to what, and from where; the newest first.

  --limit N              entries at most (default: 50)
  --everywhere           of every organisation, and of the instance itself
${PLACE_USAGE}`;

const OPTIONS = {
  ...PLACE_OPTIONS,
  limit: { type: "string" },
  everywhere: { type: "boolean" },
  json: { type: "boolean" },
} as const;

/** Exit code 0: done; 1: refused or failed; 2: the command line is wrong. */
export function audit(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "audit", usage: USAGE, args, io }, async () => {
    const { values, operands } = readFlags(args, OPTIONS);
    noOperands(operands);
    const { json = false, everywhere = false, limit = "50" } = values;
    await using api = await openApi(values, io);
    const { entries } = await api.call<{ readonly entries: readonly ShownEntry[] }>("GET", "/audit", {
      query: { limit, everywhere },
    });
    if (json) return io.stdout(`${JSON.stringify(entries, null, 2)}\n`);
    io.stdout(entries.length === 0 ? "Nothing was changed yet.\n" : entries.map(textOf).join(""));
  });
}

function textOf({ at, organisation, user, from, action, subject, changes }: ShownEntry): string {
  const where = from === "" ? "on the machine" : `from ${from}`;
  const head = `${minuteText(at)}  ${user} ${where}, ${organisation ?? "the instance"}: ${action} ${subject}`;
  return [safeText(head), ...changes.map((line) => `    ${safeText(line)}`), ""].join("\n");
}

if (import.meta.main) Deno.exit(await audit(Deno.args, processIo()));
