/** `deno task backup FILE` and `deno task restore FILE`: all of KV, and with it the artifacts, as one file. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { ArtifactStore } from "../storage/artifacts/store.ts";
import { backup, type BackupCounts, restore } from "../storage/backup.ts";
import { readBackupFile } from "../storage/backup_file.ts";
import { IntegrityError, StorageError } from "../storage/errors.ts";
import { foldInstalls } from "../storage/installs/fold.ts";
import { openApi } from "./api_client.ts";
import { ApiFailure } from "./api_failure.ts";
import type { Config } from "./config.ts";
import { type Io, processIo } from "./io.ts";
import {
  commandConfig,
  commandLog,
  journalFolder,
  LOCATION_OPTIONS,
  openConfigured,
  openConfiguredArtifacts,
  openUnmigrated,
  UsageError,
} from "./storage.ts";

const USAGE = `Usage: deno task backup FILE [--artifacts]     while the server runs
       deno task restore FILE [--force]        while it does not

  --artifacts   the files too, not only what is known of them (a restore takes back whatever is in FILE)
  --force       backup: replace FILE; restore: delete what the store holds first
  --data FOLDER, --kv PATH|URL, --config FILE (as the server's)
  --server URL  backup: of a running Sluice, with a token of the instance in SLUICE_TOKEN; a restore is made on
                the server's own machine, while it does not run

FILE holds secrets (addresses of webhooks): keep it as safe as the data folder.
`;

const OPTIONS = {
  ...LOCATION_OPTIONS,
  server: { type: "string" },
  artifacts: { type: "boolean" },
  force: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

interface Job {
  readonly io: Io;
  readonly config: Config;
  readonly path: string;
  readonly withArtifacts: boolean;
  readonly force: boolean;
}

/** The first argument is `backup` or `restore`. Exit code 0: done; 1: failed; 2: the command line is wrong. */
export async function backupOrRestore(args: readonly string[], io: Io): Promise<number> {
  try {
    const { values, positionals: [verb, file, ...more] } = readArguments(args);
    if (values.help) {
      io.stdout(USAGE);
      return 0;
    }
    if ((verb !== "backup" && verb !== "restore") || file === undefined || more.length > 0) {
      throw new UsageError(`Expected one FILE.\n\n${USAGE}`.trimEnd());
    }
    const path = resolve(io.cwd, file);
    if (values.server !== undefined) {
      if (verb === "restore") {
        throw new UsageError(
          "A restore replaces everything: stop the server, and run it on its own machine.",
        );
      }
      await fetchBackup(values, io, path);
      return 0;
    }
    const job: Job = {
      io,
      config: commandConfig(values, io),
      path,
      withArtifacts: values.artifacts ?? false,
      force: values.force ?? false,
    };
    await (verb === "backup" ? writeBackup(job) : readBackup(job));
    return 0;
  } catch (error) {
    if (!isExpected(error)) throw error;
    io.stderr(`${error.message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function isExpected(error: unknown): error is Error {
  return error instanceof UsageError || error instanceof StorageError || error instanceof IntegrityError ||
    error instanceof ApiFailure || error instanceof SyntaxError || error instanceof RangeError;
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const why = error instanceof Error ? error.message.split(". ", 1)[0] : String(error);
    throw new UsageError(`${why}.\n\n${USAGE}`.trimEnd());
  }
}

/** The file appears under its name once it is whole. */
async function writeBackup({ io, config, path, withArtifacts, force }: Job): Promise<void> {
  if (!force && await exists(path)) {
    throw new UsageError(`Cannot write ${path}: it is there already. Add --force to replace it.`);
  }
  const partial = `${path}.${crypto.randomUUID().slice(0, 8)}.partial`;
  const kv = await openConfigured(config);
  try {
    // What a journal holds is in no backup before it was folded.
    await foldInstalls({ kv, journal: journalFolder(config), clock: io.clock, log: commandLog(io) });
    const file = await openFile(partial);
    const counts = await backup(kv, file.writable, {
      clock: io.clock,
      ...(withArtifacts ? { artifacts: await openStore(config, io) } : {}),
      onProgress: (soFar) => progress(io, "written", soFar),
    });
    await Deno.rename(partial, path);
    io.stdout(`${endOfProgress(io)}Wrote ${amount(counts)} to ${path}.\n`);
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    throw error;
  } finally {
    kv.close();
  }
}

/** Reads it to its end, which says whether it is whole. Throws SyntaxError or IntegrityError where it is not. */
async function countBackup(file: ReadableStream<Uint8Array>): Promise<BackupCounts> {
  const items = readBackupFile(file);
  for (let next = await items.next();; next = await items.next()) if (next.done) return next.value;
}

/** Of a running server, as it writes it; the file appears under its name once it is whole. */
async function fetchBackup(
  flags: ReturnType<typeof readArguments>["values"],
  io: Io,
  path: string,
): Promise<void> {
  if (!flags.force && await exists(path)) {
    throw new UsageError(`Cannot write ${path}: it is there already. Add --force to replace it.`);
  }
  await using api = await openApi(flags, io);
  const query = { artifacts: flags.artifacts ?? false };
  const bytes = await api.bytes("/backup", { query });
  const partial = `${path}.${crypto.randomUUID().slice(0, 8)}.partial`;
  try {
    await bytes.pipeTo((await openFile(partial)).writable);
    const counts = await countBackup((await Deno.open(partial)).readable);
    await Deno.rename(partial, path);
    io.stdout(`Wrote ${amount(counts)} to ${path}.\n`);
  } catch (cause) {
    await Deno.remove(partial).catch(() => {});
    if (isExpected(cause)) throw cause;
    throw new StorageError(`The backup broke off: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

async function readBackup({ io, config, path, force }: Job): Promise<void> {
  if (!await exists(path)) throw new UsageError(`Cannot read ${path}: there is no such file.`);
  const kv = await openUnmigrated(config);
  try {
    const inMemory = config.artifacts.startsWith("memory:");
    const result = await restore(kv, async () => (await Deno.open(path)).readable, {
      clock: io.clock,
      force,
      ...(inMemory ? {} : { artifacts: await openStore(config, io) }),
      onProgress: (step, soFar) => progress(io, step === "verify" ? "verified" : "restored", soFar),
    });
    io.stdout(`${endOfProgress(io)}Restored ${amount(result)} from the backup of ${result.createdAt}.\n`);
    if (result.blobsLeftOut > 0) {
      io.stderr(`Left out ${result.blobsLeftOut} files: artifacts are kept in memory here.\n`);
    }
  } finally {
    kv.close();
  }
}

function openStore(config: Config, io: Io): Promise<ArtifactStore> {
  const instance = `cli-${crypto.randomUUID().slice(0, 8)}`;
  return openConfiguredArtifacts(config, { clock: io.clock, instance, log: commandLog(io) });
}

async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  } catch (cause) {
    throw new UsageError(`Cannot write ${path}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function progress(io: Io, what: string, counts: BackupCounts): void {
  if (io.isTty) io.stderr(`\r${what} ${amount(counts)} `);
}

function endOfProgress(io: Io): string {
  return io.isTty ? "\n" : "";
}

function amount({ entries, blobs }: BackupCounts): string {
  return `${entries} records${blobs > 0 ? ` and ${blobs} files` : ""}`;
}

if (import.meta.main) {
  Deno.exit(await backupOrRestore(Deno.args, processIo()));
}
