/** `deno task snapshot create|list|delete`: names for past instants, on the local data folder or a running server. */
import { openApi } from "./api_client.ts";
import { noOperands, onlyOperand, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { UsageError } from "./storage.ts";
import { printTable, safeText } from "./table.ts";
import { minuteText } from "./texts.ts";

const USAGE = `Usage: deno task snapshot COMMAND [flags]

  create NAME     names this instant: clients that ask below /at/NAME/ get what there is now
  list            all of them
  delete NAME     forgets a name, within a second

  --at INSTANT           another time: 2026-03-01, or 2026-03-01T12:00:00Z
  --description TEXT     what it is for
${PLACE_USAGE}`;

const OPTIONS = {
  ...PLACE_OPTIONS,
  at: { type: "string" },
  description: { type: "string" },
  json: { type: "boolean" },
} as const;

/** As the API has it. */
interface Snapshot {
  readonly name: string;
  readonly at: string;
  readonly description: string;
  readonly createdAt: string;
  readonly owner: string;
}

/** Exit code 0: done; 1: refused or failed; 2: the command line is wrong. */
export function snapshot(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "snapshot", usage: USAGE, args, io }, async () => {
    const { values, operands: [word = "", ...operands] } = readFlags(args, OPTIONS);
    const { json = false } = values;
    if (word !== "create" && word !== "list" && word !== "delete") {
      throw new UsageError(`Unknown command "${word}": create, list or delete.`);
    }
    if (word === "list") noOperands(operands);
    const name = word === "list" ? "" : onlyOperand(operands, "name");
    await using api = await openApi(values, io);
    if (word === "list") {
      const { snapshots } = await api.call<{ snapshots: readonly Snapshot[] }>("GET", "/snapshots");
      return io.stdout(json ? `${JSON.stringify(snapshots, null, 2)}\n` : listOf(snapshots, io));
    }
    if (word === "delete") {
      await api.call("DELETE", `/snapshots/${encodeURIComponent(name)}`);
      return io.stdout(json ? `${JSON.stringify({ deleted: name })}\n` : `Deleted ${safeText(name)}.\n`);
    }
    const { at, description } = values;
    const made = await api.call<Snapshot>("POST", "/snapshots", { body: { name, at, description } });
    const place = values.org === undefined ? "" : `/o/${values.org}`;
    io.stdout(
      json
        ? `${JSON.stringify(made, null, 2)}\n`
        : `Made: ${safeText(name)} is ${minuteText(made.at)}. Clients use it below ${place}/at/${name}/, ` +
          `for example ${place}/at/${name}/npm/\n`,
    );
  });
}

function listOf(snapshots: readonly Snapshot[], io: Io): string {
  if (snapshots.length === 0) {
    return "There are no snapshots. Make one: deno task snapshot create NAME\n";
  }
  return printTable(snapshots, [
    { key: "name", title: "name" },
    { key: "at", title: "as of", show: ({ at }) => minuteText(at) },
    { key: "createdAt", title: "made", show: ({ createdAt }) => minuteText(createdAt) },
    { key: "owner", title: "by" },
    { key: "description", title: "description" },
  ], { colour: io.isTty && !io.env.NO_COLOR });
}

if (import.meta.main) {
  Deno.exit(await snapshot(Deno.args, processIo()));
}
