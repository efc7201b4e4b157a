/** A backup of the local data, beside the server. */
import type { ArtifactStore } from "../storage/artifacts/store.ts";
import { backup, type BackupCounts } from "../storage/backup.ts";
import { foldInstalls } from "../storage/installs/fold.ts";
import { amountOf, endProgress, showProgress, writeWhole } from "./backup_file_io.ts";
import type { Config } from "./config.ts";
import type { Io } from "./io.ts";
import { commandLog, journalFolder, openConfiguredArtifacts, openGuarded } from "./storage.ts";

/** The file appears under its name once it is whole. */
export async function writeBackup(
  path: string,
  { io, config, withArtifacts }: {
    readonly io: Io;
    readonly config: Config;
    readonly withArtifacts: boolean;
  },
): Promise<BackupCounts> {
  const { clock } = io;
  const kv = await openGuarded(config, io);
  try {
    // What a journal holds is in no backup before it was folded.
    await foldInstalls({ kv, journal: journalFolder(config), clock, log: commandLog(io) });
    const counts = await writeWhole(path, async (out) =>
      await backup(kv, out, {
        clock,
        ...(withArtifacts ? { artifacts: await openStore(config, io) } : {}),
        onProgress: (soFar) => showProgress(io, `written ${amountOf(soFar)}`),
      }));
    endProgress(io);
    return counts;
  } finally {
    kv.close();
  }
}

/** The artifacts as configured. The process's end closes it. */
function openStore(config: Config, io: Io): Promise<ArtifactStore> {
  const instance = `cli-${crypto.randomUUID().slice(0, 8)}`;
  return openConfiguredArtifacts(config, { clock: io.clock, instance, log: commandLog(io) });
}
