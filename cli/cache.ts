/** `deno task cache …`: looks after what is cached, beside a running server. */
import { parseArgs } from "node:util";
import type { ArtifactStore } from "../storage/artifacts/store.ts";
import { StorageError } from "../storage/errors.ts";
import { type CacheCommand, checkEcosystem } from "./cache_command.ts";
import { purgeCommand } from "./cache_purge.ts";
import { verifyCommand } from "./cache_verify.ts";
import type { Config } from "./config.ts";
import { type Io, processIo } from "./io.ts";
import {
  commandConfig,
  commandLog,
  LOCATION_OPTIONS,
  openConfigured,
  openConfiguredArtifacts,
  UsageError,
} from "./storage.ts";

const USAGE = `Usage: deno task cache COMMAND [flags]      while the server runs, or while it does not

  verify                 reads every file and document against its digest, and every record against what it
                         points at; what is wrong is taken away, and fetched anew when it is asked for
  purge WHAT             takes away what is cached of WHAT: a purl (pkg:npm/left-pad, with @1.3.0 that release's
                         files), an ecosystem (npm), or --all; it is fetched anew when it is asked for. Policies,
                         the install log and first-seen times stay

  --ecosystem NAME       verify: only what is of it
  --dry-run              says what would be taken away, and takes away nothing
  --json                 for programs
  --data FOLDER, --kv PATH|URL, --config FILE (as the server's)

Exit code 0: nothing is wrong; 1: something was (verify), or it failed; 2: the command line is wrong.
`;

const OPTIONS = {
  ...LOCATION_OPTIONS,
  ecosystem: { type: "string" },
  all: { type: "boolean" },
  "dry-run": { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const COMMANDS: ReadonlyMap<string, (command: CacheCommand) => Promise<number>> = new Map([
  ["verify", verifyCommand],
  ["purge", purgeCommand],
]);

/** Exit code 0: nothing is wrong; 1: something was, or it failed; 2: the command line is wrong. */
export async function cache(args: readonly string[], io: Io): Promise<number> {
  try {
    return await run(args, io);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof StorageError || error instanceof RangeError)) {
      throw error;
    }
    io.stderr(`${error.message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals: [word = "", ...operands] } = readArguments(args);
  if (values.help || word === "" || word === "help") {
    (values.help || word !== "" ? io.stdout : io.stderr)(USAGE);
    return values.help || word !== "" ? 0 : 2;
  }
  const command = COMMANDS.get(word);
  if (command === undefined) throw new UsageError(`Unknown command "${word}".\n\n${USAGE}`.trimEnd());
  const { ecosystem } = values;
  if (ecosystem !== undefined) checkEcosystem(ecosystem);
  const config = commandConfig(values, io);
  const kv = await openConfigured(config);
  let store: ArtifactStore | null = null;
  try {
    store = await openStore(config, io);
    return await command({
      io,
      kv,
      store,
      operands,
      ecosystem,
      all: values.all ?? false,
      dryRun: values["dry-run"] ?? false,
      json: values.json ?? false,
    });
  } finally {
    await store?.close?.();
    kv.close();
  }
}

async function openStore(config: Config, io: Io): Promise<ArtifactStore> {
  if (config.artifacts.startsWith("memory:")) {
    throw new UsageError("Artifacts are kept in the memory of the server here: no command reaches them.");
  }
  const instance = `cli-${crypto.randomUUID().slice(0, 8)}`;
  return await openConfiguredArtifacts(config, { clock: io.clock, instance, log: commandLog(io) });
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const why = error instanceof Error ? error.message.split(". ", 1)[0] : String(error);
    throw new UsageError(`${why}.\n\n${USAGE}`.trimEnd());
  }
}

if (import.meta.main) {
  Deno.exit(await cache(Deno.args, processIo()));
}
