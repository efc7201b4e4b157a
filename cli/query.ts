/** `deno task query …`: asks the install log on the local data folder, beside a running server. */
import { StorageError } from "../storage/errors.ts";
import { createInstallQueries } from "../storage/installs/queries.ts";
import { openApi } from "./api_client.ts";
import { ApiFailure } from "./api_failure.ts";
import type { Config } from "./config.ts";
import { type Io, processIo } from "./io.ts";
import { ANSWERS, type Question } from "./query_answers.ts";
import { readQueryOptions } from "./query_options.ts";
import { remoteQueries } from "./remote_queries.ts";
import { commandConfig, journalFolder, mustExist, openGuarded, UsageError } from "./storage.ts";

const USAGE = `Usage: deno task query COMMAND [flags]

  who PACKAGE     who installed it: every user once, with all versions, first and last time
                  (left-pad, @acme/ui, npm/left-pad, left-pad@1.3.0, pkg:npm/left-pad@1.3.0)
  packages        every package that was ever asked for
  count           how much: in total, or --by ecosystem|package|user|day
  user NAME       what one user installed and was refused
  recent          the newest records (50, or --limit)
  refused         the newest refusals, and what observe would have refused (50, or --limit)
  export          all records, oldest first: one JSON record a line, or --json, or --csv

  A name may have % at either end: "@acme/%", "%pad%".

  --org NAME, --ecosystem NAME  only these (default: all)
  --since WHEN, --until WHEN    7d, 36h (ago); 2026-11-01 (that day in UTC, --until includes it);
                                2026-11-01T12:00:00Z
  --package PACKAGE, --user NAME   count, recent, refused and export: of one package (npm/left-pad@1.3.0),
                                   of one user
  --outcome served|partial|refused|observed   recent and export: only these
  --limit N                     rows at most
  --json, --csv                 for programs: an array of records; a header and lines
  --data FOLDER, --kv PATH|URL, --config FILE  as the server's
  --server URL                  a running Sluice, with a token in SLUICE_TOKEN
`;

/** Exit code 0: answered, with nothing too; 1: failed; 2: the command line is wrong. */
export async function query(args: readonly string[], io: Io): Promise<number> {
  try {
    return await run(args, io);
  } catch (error) {
    // Whoever read the answer has seen enough (`| head`).
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    if (error instanceof UsageError) {
      io.stderr(`${error.message}\nSee: deno task query --help\n`);
      return 2;
    }
    if (!(error instanceof StorageError || error instanceof ApiFailure)) throw error;
    io.stderr(`${error.message}\n`);
    return 1;
  }
}

async function run(args: readonly string[], io: Io): Promise<number> {
  const options = readQueryOptions(args, io.clock());
  if (options.help || options.command === "help") {
    io.stdout(USAGE);
    return 0;
  }
  if (options.command === "") throw new UsageError(`What do you want to know?\n\n${USAGE}`.trimEnd());
  const answer = ANSWERS.get(options.command);
  if (answer === undefined) {
    throw new UsageError(
      `Unknown question "${options.command}": ask one of ${[...ANSWERS.keys()].join(", ")}.`,
    );
  }
  const question = answer.read(options);
  if (options.location.server !== undefined) {
    await using api = await openApi({ ...options.location, org: options.filters.organisation }, io);
    await question(remoteQueries(api, { named: options.filters.organisation !== undefined }), io);
    return 0;
  }
  const config = commandConfig(options.location, io);
  await mustExist(config);
  await ask(question, config, io);
  return 0;
}

async function ask(question: Question, config: Config, io: Io): Promise<void> {
  const kv = await openGuarded(config, io);
  try {
    const journal = journalFolder(config);
    await question(createInstallQueries({ kv, journal, clock: io.clock }), io);
  } finally {
    kv.close();
  }
}

if (import.meta.main) {
  Deno.exit(await query(Deno.args, processIo()));
}
