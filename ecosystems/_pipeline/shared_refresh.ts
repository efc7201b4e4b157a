/** Asking upstream about a package, by one process at a time: the others take what that one has found. */
import type { EpochMs } from "../../policy/types.ts";
import type { PackageKey } from "../../storage/kv/packages.ts";
import { fromStorage, keyText } from "./load.ts";
import { refresh, type Refreshed, type RefreshRequest } from "./refresh.ts";
import type { Known, Services } from "./services.ts";

/**
 * An index is of no use before it is whole, so nobody is served sooner by fetching it beside a process that is at it;
 * this is for one that is alive and has come to a stop.
 */
export const INDEX_PATIENCE_MS = 30_000;

/** As `refresh`. `known`: what the storage had when the caller looked. */
export async function refreshOnce(
  services: Services,
  request: RefreshRequest,
  key: PackageKey,
  known: Known | null,
): Promise<Refreshed | "absent"> {
  const result = await services.once.run<Refreshed | "absent">({
    name: `load\n${keyText(key)}`,
    find: () => refreshedElsewhere(services, key, known),
    work: () => refresh(services, request, key, known),
    nothing: "absent",
    patienceMs: INDEX_PATIENCE_MS,
  });
  if (result === "absent") noteAbsent(services, key);
  return result;
}

/** Whatever replaced the record, upstream was asked for it. */
async function refreshedElsewhere(
  services: Services,
  key: PackageKey,
  known: Known | null,
): Promise<Refreshed | null> {
  const stored = await services.packages.get(key);
  if (stored === null || stored.record.absent || stored.versionstamp === known?.versionstamp) return null;
  const theirs = await fromStorage(services, key);
  return theirs === null ? null : { known: theirs, changed: theirs.revision !== known?.revision };
}

function noteAbsent(services: Services, key: PackageKey): void {
  const id = keyText(key);
  services.absent.set(id, (services.clock() + services.lifetimes(key).absentTtl) as EpochMs);
  services.known.delete(id);
}
