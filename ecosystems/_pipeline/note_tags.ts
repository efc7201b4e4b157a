/** Writes down how a package is tagged whenever that changes, for addresses that name a past instant. */
import type { PackageKey } from "../../storage/kv/packages.ts";
import type { Ecosystem, Reading } from "../ecosystem.ts";
import type { Services } from "./services.ts";

/**
 * Called before what was read is committed: whoever sees the new documents sees their tags' history too. The first
 * tags of a package are written behind its answer, since nothing was before them. Throws StorageError.
 */
export async function noteTags(
  services: Services,
  { ecosystem }: { readonly ecosystem: Ecosystem },
  read: { readonly key: PackageKey; readonly reading: Reading; readonly isNew: boolean },
): Promise<void> {
  if (ecosystem.tags === undefined) return;
  const { key, reading, isNew } = read;
  const tags = ecosystem.tags.of(reading);
  const at = services.clock();
  if (!isNew) return await services.tagHistory.note(key, tags, at);
  services.background.run(
    `keep the tags of ${key.name}`,
    () => services.tagHistory.note(key, tags, at),
  );
}
