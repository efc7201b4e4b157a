/** `deno task freeze|unfreeze|frozen`: packages held at what they were, on the local data folder or a running server. */
import { openApi } from "./api_client.ts";
import { noOperands, onlyOperand, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { UsageError } from "./storage.ts";
import { printTable, safeText } from "./table.ts";
import { endOf, minuteText, purlOf } from "./texts.ts";

const USAGES = {
  freeze: `Usage: deno task freeze PURL [flags]

Withholds what came later, from a second on: pkg:npm/left-pad (or npm/left-pad) as of now;
pkg:npm/left-pad@1.3.0 as of when that release was published. A freeze that there is, is replaced.

  --at INSTANT           as of another time: 2026-03-01, or 2026-03-01T12:00:00Z
  --reason TEXT          shown to whoever is refused
  --until 30d            when it ends by itself (default: never; an instant will do: 2027-01-01)
${PLACE_USAGE}`,
  unfreeze: `Usage: deno task unfreeze PURL [flags]

Lifts a package's freeze, within a second.

${PLACE_USAGE}`,
  frozen: `Usage: deno task frozen [PURL] [flags]

Lists the packages that are frozen.

${PLACE_USAGE}`,
} as const;

const OPTIONS = {
  ...PLACE_OPTIONS,
  at: { type: "string" },
  reason: { type: "string" },
  until: { type: "string" },
  json: { type: "boolean" },
} as const;
const PLAIN_OPTIONS = { ...PLACE_OPTIONS, json: { type: "boolean" } } as const;

/** As the API has it. */
interface Freeze {
  readonly purl: string;
  readonly at: string;
  readonly reason: string | null;
  readonly owner: string | null;
  readonly until: string | null;
}

/** Which of the three commands it is. */
export type FreezeCommand = keyof typeof USAGES;

/** Exit code 0: done; 1: refused or failed; 2: the command line is wrong. */
export function freeze(name: FreezeCommand, args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name, usage: USAGES[name], args, io }, async () => {
    switch (name) {
      case "freeze":
        return await add(args, io);
      case "unfreeze":
        return await lift(args, io);
      case "frozen":
        return await list(args, io);
    }
  });
}

async function add(args: readonly string[], io: Io): Promise<void> {
  const { values, operands } = readFlags(args, OPTIONS);
  const body = {
    purl: purlOf(onlyOperand(operands, "package")),
    at: values.at,
    reason: values.reason,
    until: values.until === undefined ? undefined : endOf(values.until, io),
  };
  await using api = await openApi(values, io);
  const made = await api.call<Freeze>("POST", "/freeze", { body });
  const end = made.until === null ? "until it is lifted" : `until ${minuteText(made.until)}`;
  io.stdout(
    values.json
      ? `${JSON.stringify(made, null, 2)}\n`
      : `${safeText(made.purl)} is frozen as of ${minuteText(made.at)}, ${end}. Lift it: deno task unfreeze ${
        safeText(made.purl)
      }\n`,
  );
}

async function lift(args: readonly string[], io: Io): Promise<void> {
  const { values, operands } = readFlags(args, PLAIN_OPTIONS);
  const body = { purl: purlOf(onlyOperand(operands, "package")) };
  await using api = await openApi(values, io);
  const { purl } = await api.call<{ purl: string }>("POST", "/unfreeze", { body });
  io.stdout(values.json ? `${JSON.stringify({ purl })}\n` : `${safeText(purl)} is frozen no more.\n`);
}

async function list(args: readonly string[], io: Io): Promise<void> {
  const { values, operands: [wanted, ...more] } = readFlags(args, PLAIN_OPTIONS);
  noOperands(more);
  const purl = wanted === undefined ? undefined : purlOf(wanted);
  await using api = await openApi(values, io);
  const { frozen } = await api.call<{ frozen: readonly Freeze[] }>("GET", "/frozen", { query: { purl } });
  if (values.json) return io.stdout(`${JSON.stringify(frozen, null, 2)}\n`);
  if (frozen.length === 0) return io.stdout("Nothing is frozen. Freeze a package: deno task freeze PURL\n");
  io.stdout(printTable(frozen, [
    { key: "purl", title: "package" },
    { key: "at", title: "as of", show: ({ at }) => minuteText(at) },
    { key: "until", title: "until", show: ({ until }) => until === null ? "lifted" : minuteText(until) },
    { key: "owner", title: "by" },
    { key: "reason", title: "reason" },
  ], { colour: io.isTty && !io.env.NO_COLOR }));
}

if (import.meta.main) {
  const [name, ...args] = Deno.args;
  if (name !== "freeze" && name !== "unfreeze" && name !== "frozen") {
    throw new UsageError("cli/freeze.ts is told by its task which command it is");
  }
  Deno.exit(await freeze(name, args, processIo()));
}
