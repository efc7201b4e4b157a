/** `deno task backup FILE` and `deno task restore FILE`: all of KV, and with it the artifacts, as one file. */
import { resolve } from "node:path";
import type { BackupCounts } from "../storage/backup.ts";
import { openApi } from "./api_client.ts";
import { amountOf, keepBackup, mustBeNew } from "./backup_file_io.ts";
import { onlyOperand, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { restoreCommand } from "./restore.ts";
import { commandConfig, LOCATION_OPTIONS, UsageError } from "./storage.ts";
import { writeBackup } from "./write_backup.ts";

const USAGE = `Usage: deno task backup FILE [--artifacts] [--force]
       deno task restore FILE [--replace]

Both while the server runs. A restore takes the place of everything: policies, tokens, packages are those of the
backup afterwards. The install log and the audit trail are joined: what was installed or changed since stays there.
While it writes, every server answers 503; files are never deleted.

  --artifacts   backup: the files too, not only what is known of them (a restore takes back whatever is in FILE)
  --force       backup: replace FILE
  --replace     restore: yes, replace what is there now (an empty Sluice needs no yes). A backup of it, without files,
                is written beside FILE first, as FILE.replaced-TIME.gz
  --no-copy     restore: without that backup
  --server URL  a running Sluice, with a token of the instance (scope admin) in SLUICE_TOKEN; without: the local data
  --data FOLDER, --kv PATH|URL, --config FILE (as the server's)
  --json        for programs

FILE holds secrets (addresses of webhooks): keep it as safe as the data folder.
`;

const BACKUP_OPTIONS = {
  ...LOCATION_OPTIONS,
  server: { type: "string" },
  artifacts: { type: "boolean" },
  force: { type: "boolean" },
  json: { type: "boolean" },
} as const;

/** The first argument is `backup` or `restore`. Exit code 0: done; 1: failed; 2: the command line is wrong. */
export async function backupOrRestore(args: readonly string[], io: Io): Promise<number> {
  const [verb, ...more] = args;
  return await runCommand(
    { name: verb === "restore" ? "restore" : "backup", usage: USAGE, args, io },
    async () => {
      if (verb === "restore") return await restoreCommand(more, io);
      if (verb !== "backup") throw new UsageError("Expected backup FILE or restore FILE.");
      return await backupCommand(more, io);
    },
  );
}

async function backupCommand(args: readonly string[], io: Io): Promise<void> {
  const { values, operands } = readFlags(args, BACKUP_OPTIONS);
  const path = resolve(io.cwd, onlyOperand(operands, "FILE"));
  const { artifacts = false } = values;
  await mustBeNew(path, values.force ?? false);
  const counts = values.server === undefined
    ? await writeBackup(path, { io, config: commandConfig(values, io), withArtifacts: artifacts })
    : await fetchBackup(path, { flags: values, io, artifacts });
  const { entries: records, blobs: files } = counts;
  io.stdout(
    values.json
      ? `${JSON.stringify({ file: path, records, files }, null, 2)}\n`
      : `Wrote ${amountOf(counts)} to ${path}.\n`,
  );
}

async function fetchBackup(
  path: string,
  { flags, io, artifacts }: {
    readonly flags: Parameters<typeof openApi>[0];
    readonly io: Io;
    readonly artifacts: boolean;
  },
): Promise<BackupCounts> {
  await using api = await openApi(flags, io);
  return await keepBackup(path, await api.bytes("/backup", { query: { artifacts } }));
}

if (import.meta.main) {
  Deno.exit(await backupOrRestore(Deno.args, processIo()));
}
