/** `deno task cache …`: looks after what is cached, on the local data folder or a running server. */
import { openApi } from "./api_client.ts";
import { pinCommand, pinsCommand, unpinCommand } from "./cache_pins.ts";
import { sizeText } from "./cache_print.ts";
import { purgeCommand } from "./cache_purge.ts";
import { verifyCommand } from "./cache_verify.ts";
import { noOperands, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { commandConfig, UsageError } from "./storage.ts";

const USAGE = `Usage: deno task cache COMMAND [flags]      while the server runs, or while it does not

  status                 how much is cached, of how much (maxSize)
  verify                 reads every file and document against its digest, and every record against what it
                         points at; what is wrong is taken away, and fetched anew when it is asked for
  purge [WHAT]           takes away what is cached of WHAT: a package (pkg:npm/left-pad or npm/left-pad, with @1.3.0
                         that release's files), an ecosystem (npm), or --all; it is fetched anew when it is asked for. Policies,
                         tokens, the install log and first-seen times stay
  pin PURL               keeps what is cached of a package (or of one release) whatever is evicted
  unpin PURL             lets it be evicted again
  pins                   lists what is pinned

  --ecosystem NAME       verify: only what is of it
  --older-than 30d       purge: only what upstream gave or confirmed before that, and is neither pinned nor frozen
  --unused-for 90d       purge: only what nobody has used for that long, and is neither pinned nor frozen
  --dry-run              says what would be taken away, and takes away nothing
  --list                 purge: names all that goes, on a terminal too (else the first 50)
  --yes                  purge: does not ask first (it asks on a terminal only)
  --reason TEXT          pin: why
${PLACE_USAGE}
Exit code 0: nothing is wrong; 1: something was (verify), or it failed; 2: the command line is wrong.
`;

const OPTIONS = {
  ...PLACE_OPTIONS,
  ecosystem: { type: "string" },
  all: { type: "boolean" },
  "older-than": { type: "string" },
  "unused-for": { type: "string" },
  "dry-run": { type: "boolean" },
  list: { type: "boolean" },
  yes: { type: "boolean" },
  reason: { type: "string" },
  json: { type: "boolean" },
} as const;

/** What each command is given. */
export interface CacheCommand {
  readonly io: Io;
  /** After the command's own word. */
  readonly operands: readonly string[];
  readonly values: ReturnType<typeof readFlags<typeof OPTIONS>>["values"];
}

const COMMANDS = new Map<string, (command: CacheCommand) => Promise<number | void>>([
  ["status", statusCommand],
  ["verify", verifyCommand],
  ["purge", purgeCommand],
  ["pin", pinCommand],
  ["unpin", unpinCommand],
  ["pins", pinsCommand],
]);

/** Exit code 0: nothing is wrong; 1: something was, or it failed; 2: the command line is wrong. */
export function cache(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "cache", usage: USAGE, args, io }, async () => {
    const { values, operands: [word = "", ...operands] } = readFlags(args, OPTIONS);
    if (word === "") {
      io.stderr(USAGE);
      return 2;
    }
    const command = COMMANDS.get(word);
    if (command === undefined) {
      throw new UsageError(`Unknown command "${word}": ${[...COMMANDS.keys()].join(", ")}.`);
    }
    if (values.server === undefined && commandConfig(values, io).artifacts.startsWith("memory:")) {
      throw new UsageError(
        "Artifacts are kept in the memory of the server here: ask it, with --server URL and SLUICE_TOKEN.",
      );
    }
    return await command({ io, operands, values });
  });
}

/** As the API has it. */
interface Usage {
  readonly bytes: number | null;
  readonly blobs: number | null;
  readonly maxBytes: number | null;
}

async function statusCommand({ io, operands, values }: CacheCommand): Promise<void> {
  noOperands(operands);
  await using api = await openApi(values, io);
  const usage = await api.call<Usage>("GET", "/cache");
  if (values.json) return io.stdout(`${JSON.stringify(usage, null, 2)}\n`);
  const { bytes, blobs, maxBytes } = usage;
  const bound = maxBytes === null
    ? "without a bound"
    : `of ${sizeText(maxBytes)} (${Math.round(100 * (bytes ?? 0) / maxBytes)} %)`;
  io.stdout(
    `${sizeText(bytes ?? 0)} ${bound}, in ${(blobs ?? 0).toLocaleString("en")} files and documents.\n`,
  );
}

if (import.meta.main) {
  Deno.exit(await cache(Deno.args, processIo()));
}
