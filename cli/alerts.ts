/** `deno task alerts [ack ID]`: what is wrong, and that somebody knows. */
import { openApi } from "./api_client.ts";
import { noOperands, onlyOperand, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { UsageError } from "./storage.ts";
import { printTable, safeText } from "./table.ts";

const USAGE = `Usage: deno task alerts [ack ID] [flags]

  What is wrong, the newest first; each is told to the webhooks when it is raised and when it is over.

  ack ID                 says that somebody knows; a changed digest is over with it
  --over                 also what is over, within a month
${PLACE_USAGE}
Exit code 0: nothing is wrong that nobody has acknowledged; 1: something is, or it failed.
`;

const OPTIONS = { ...PLACE_OPTIONS, over: { type: "boolean" }, json: { type: "boolean" } } as const;

/** As the API has it. */
interface Alert {
  readonly id: string;
  readonly kind: string;
  readonly detail: string;
  readonly organisation: string | null;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly count: number;
  readonly acknowledgedAt: string | null;
  readonly acknowledgedBy: string | null;
  readonly overAt: string | null;
}

/** Exit code 0: nothing is wrong that nobody knows of; 1: something is, or it failed; 2: the command line is wrong. */
export function alerts(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "alerts", usage: USAGE, args, io }, async () => {
    const { values, operands: [word, ...operands] } = readFlags(args, OPTIONS);
    const { json = false, over = false } = values;
    if (word !== undefined && word !== "ack") {
      throw new UsageError(`Unknown command "${word}": ack, or nothing.`);
    }
    if (word === undefined) noOperands(operands);
    const id = word === undefined ? null : onlyOperand(operands, "alert's id");
    await using api = await openApi(values, io);
    if (id !== null) {
      const known = await api.call<Alert>("POST", `/alerts/${encodeURIComponent(id)}/acknowledge`, {
        body: {},
      });
      io.stdout(json ? `${JSON.stringify(known, null, 2)}\n` : `Acknowledged: ${safeText(known.detail)}\n`);
      return 0;
    }
    const found =
      (await api.call<{ alerts: readonly Alert[] }>("GET", "/alerts", { query: { over } })).alerts;
    io.stdout(json ? `${JSON.stringify(found, null, 2)}\n` : listOf(found, io));
    return found.some(({ acknowledgedAt, overAt }) => acknowledgedAt === null && overAt === null) ? 1 : 0;
  });
}

function listOf(found: readonly Alert[], io: Io): string {
  if (found.length === 0) return "Nothing is wrong.\n";
  return printTable(found, [
    { key: "id", title: "id" },
    { key: "kind", title: "kind" },
    { key: "overAt", title: "state", show: stateOf },
    { key: "firstAt", title: "first", show: ({ firstAt }) => minute(firstAt) },
    { key: "lastAt", title: "last", show: ({ lastAt }) => minute(lastAt) },
    { key: "count", title: "count" },
    { key: "detail", title: "what" },
  ], { colour: io.isTty && !io.env.NO_COLOR });
}

function stateOf({ overAt, acknowledgedBy }: Alert): string {
  if (overAt !== null) return `over since ${minute(overAt)}`;
  return acknowledgedBy === null ? "open" : `known to ${acknowledgedBy}`;
}

function minute(at: string): string {
  return at.slice(0, 16).replace("T", " ");
}

if (import.meta.main) {
  Deno.exit(await alerts(Deno.args, processIo()));
}
