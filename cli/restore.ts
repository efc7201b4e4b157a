/** `deno task restore FILE`: a backup takes the place of what is there, of the local data or of a running Sluice. */
import { resolve } from "node:path";
import type { Restored } from "../routes/api/backup.ts";
import { NotEmptyError, restore, type RestoreStep } from "../storage/backup.ts";
import { createAuditTrail } from "../storage/kv/audit_trail.ts";
import { openApi } from "./api_client.ts";
import { ApiFailure } from "./api_failure.ts";
import { amountOf, countBackup, endProgress, exists, keepBackup, showProgress } from "./backup_file_io.ts";
import { onlyOperand, readFlags } from "./command.ts";
import type { Io } from "./io.ts";
import {
  commandConfig,
  commandLog,
  journalFolder,
  LOCATION_OPTIONS,
  openConfiguredArtifacts,
  openUnmigrated,
  UsageError,
} from "./storage.ts";
import { writeBackup } from "./write_backup.ts";

const OPTIONS = {
  ...LOCATION_OPTIONS,
  server: { type: "string" },
  replace: { type: "boolean" },
  "no-copy": { type: "boolean" },
  json: { type: "boolean" },
} as const;

type Flags = ReturnType<typeof readFlags<typeof OPTIONS>>["values"];

interface Job {
  readonly io: Io;
  readonly flags: Flags;
  readonly path: string;
  /** Where what was there before is kept. */
  readonly copy: string;
}

/** Exit code 0, or an error. Throws UsageError, StorageError, ApiFailure, SyntaxError, IntegrityError. */
export async function restoreCommand(args: readonly string[], io: Io): Promise<void> {
  const { values: flags, operands } = readFlags(args, OPTIONS);
  const path = resolve(io.cwd, onlyOperand(operands, "FILE"));
  if (!await exists(path)) throw new UsageError(`Cannot read ${path}: there is no such file.`);
  const time = new Date(io.clock()).toISOString().replace(/[-:]|\.\d+/g, "");
  const job: Job = { io, flags, path, copy: `${path}.replaced-${time}.gz` };
  const restored = await (flags.server === undefined ? restoreHere : restoreThere)(job).catch(
    async (error) => {
      if (await exists(job.copy)) io.stderr(`What was there before: ${job.copy}\n`);
      throw error;
    },
  );
  const copy = await exists(job.copy) ? job.copy : null;
  io.stdout(flags.json ? `${JSON.stringify({ ...restored, copy }, null, 2)}\n` : textOf(restored, copy));
}

function textOf({ records, files, createdAt, filesLeftOut, installsAdded }: Restored, copy: string | null) {
  const left = filesLeftOut === 0
    ? []
    : [`Left out ${filesLeftOut} files: artifacts are kept in memory here.`];
  const installs = installsAdded === 0 || installsAdded === null
    ? []
    : [`Added ${installsAdded} installs to the log.`];
  const kept = copy === null
    ? []
    : [`What was there before: ${copy} (to undo: deno task restore that file --replace).`];
  const amount = amountOf({ entries: records, blobs: files });
  return [`Restored ${amount} from the backup of ${createdAt}.`, ...installs, ...left, ...kept].map((line) =>
    `${line}\n`
  ).join("");
}

const STEPS: Readonly<Record<RestoreStep, string>> = {
  verify: "verified",
  files: "looked at",
  write: "servers wait; restored",
};

/** Beside the server, if one runs: it refuses meanwhile, and takes up what is there then. */
async function restoreHere({ io, flags, path, copy }: Job): Promise<Restored> {
  const config = commandConfig(flags, io);
  const kv = await openUnmigrated(config);
  const log = commandLog(io);
  const { clock } = io;
  const isInMemory = config.artifacts.startsWith("memory:");
  const instance = `cli-${crypto.randomUUID().slice(0, 8)}`;
  try {
    const { createdAt, entries, blobs, blobsLeftOut, installsAdded } = await restore(
      kv,
      async () => (await Deno.open(path)).readable,
      {
        clock,
        log,
        journal: journalFolder(config),
        replace: flags.replace ?? false,
        ...(isInMemory ? {} : { artifacts: await openConfiguredArtifacts(config, { clock, instance, log }) }),
        ...(flags["no-copy"] === true ? {} : {
          beforeReplacing: async () => void await writeBackup(copy, { io, config, withArtifacts: false }),
        }),
        onProgress: (step, soFar) => showProgress(io, `${STEPS[step]} ${amountOf(soFar)}`),
      },
    );
    endProgress(io);
    await createAuditTrail(kv, io).append({
      organisation: null,
      user: io.user,
      principal: "local",
      from: "",
      action: "restore",
      subject: `the backup of ${createdAt}`,
      changes: [],
    });
    return { createdAt, records: entries, files: blobs, filesLeftOut: blobsLeftOut, installsAdded };
  } finally {
    kv.close();
  }
}

/** Throws ApiFailure. */
async function restoreThere({ io, flags, path, copy }: Job): Promise<Restored> {
  if (flags.replace !== true) {
    throw new NotEmptyError(
      `Cannot restore: everything that ${flags.server} holds would be replaced: policies, tokens, packages. ` +
        "Nothing was changed. If that is what you want, add --replace",
    );
  }
  await using api = await openApi(flags, io);
  // Before anything is sent.
  await countBackup(path);
  if (flags["no-copy"] !== true) await copyOf(copy, { io, fetch: () => api.bytes("/backup") });
  const { size } = await Deno.stat(path);
  let sent = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      sent += chunk.byteLength;
      const percent = Math.floor(100 * sent / size);
      showProgress(io, sent < size ? `sent ${percent} %` : "sent; it is being restored");
      controller.enqueue(chunk);
    },
  });
  const file = (await Deno.open(path)).readable.pipeThrough(counted);
  const contentType = "application/gzip";
  const restored = await api.send<Restored>("/restore", file, { query: { replace: true }, contentType });
  endProgress(io);
  return restored;
}

/** Of what a restore that was broken off has left there is none. */
async function copyOf(
  path: string,
  { io, fetch }: { readonly io: Io; readonly fetch: () => Promise<ReadableStream<Uint8Array>> },
): Promise<void> {
  try {
    await keepBackup(path, await fetch());
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.code !== "restoring") throw error;
    io.stderr("A restore was interrupted there: what it has left is not kept.\n");
  }
}
