/** Temporary files of a folder store: each says whose it is and since when, so that nobody cleans what is in use. */
import { join } from "node:path";
import type { Clock, Log } from "../runtime.ts";
import { systemCode } from "./folder_errors.ts";

/** How long a temporary file is left alone after its last byte was written, or after its making. */
export const TEMPORARY_LEASE_MS = 60 * 60 * 1000;

const NAME = /^([A-Za-z0-9_-]{1,64})\.(\d{1,16})\.[0-9a-f-]{36}$/;

/** Throws TypeError for an instance that cannot be part of a file's name. */
export function checkInstance(instance: string): void {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(instance)) return;
  throw new TypeError(
    `Cannot use ${JSON.stringify(instance)} as the name of an instance: letters, digits, - and _`,
  );
}

/** A name that no other process and no other put will choose. */
export function temporaryName(instance: string, clock: Clock): string {
  return `${instance}.${clock()}.${crypto.randomUUID()}`;
}

/** Removes a file that may be gone already. */
export async function removeIfThere(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

/** When a temporary file was last touched: writing renews its lease. null: it is not one of ours, or it is gone. */
async function touchedAt(path: string, name: string): Promise<number | null> {
  const match = NAME.exec(name);
  if (match === null) return null;
  try {
    const { mtime } = await Deno.lstat(path);
    return Math.max(Number(match[2]), mtime?.getTime() ?? 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Removes what processes that died have left: files older than the lease that are not this instance's own.
 * A file that cannot be removed is told and left.
 */
export async function cleanTemporaries(
  options: { readonly folder: string; readonly instance: string; readonly clock: Clock; readonly log: Log },
): Promise<number> {
  const { folder, instance, clock, log } = options;
  let removed = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith(`${instance}.`)) continue;
    const path = join(folder, name);
    try {
      const at = await touchedAt(path, name);
      if (at === null || clock() - at < TEMPORARY_LEASE_MS) continue;
      if (await removeIfThere(path)) removed++;
    } catch (error) {
      log("warn", `Cannot clean the temporary file ${JSON.stringify(path)}: ${systemCode(error) ?? error}`, {
        error,
      });
    }
  }
  if (removed > 0) {
    log("info", `Removed ${removed} temporary files that a process left in ${JSON.stringify(folder)}`, {
      "artifacts.temporary.removed": removed,
    });
  }
  return removed;
}
