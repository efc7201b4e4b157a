/** Opens KV. Its keys are in keys.ts, what brings an older store up to date in schema.ts. */
import { dirname } from "node:path";
import { StorageError } from "../errors.ts";
import { withBound } from "./bounded.ts";
import { patiently, withPatience } from "./patience.ts";

export { installKeys, keys } from "./keys.ts";
export { migrate, SCHEMA_VERSION } from "./schema.ts";

/**
 * `undefined`: the platform's own. A path's folder is made, and the store shares its file with other processes.
 * Throws StorageError naming the address without its query.
 */
export async function openStorage(address: string | undefined): Promise<Deno.Kv> {
  try {
    if (address === undefined) return withBound(await Deno.openKv());
    if (!isFile(address)) return withBound(await Deno.openKv(address));
    await Deno.mkdir(dirname(address), { recursive: true });
    return withBound(withPatience(await patiently(() => Deno.openKv(address))));
  } catch (cause) {
    const shown = address === undefined ? "the platform's KV" : JSON.stringify(withoutSecrets(address));
    throw new StorageError(`Cannot open ${shown}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

function isFile(address: string): boolean {
  return address !== ":memory:" && !/^https?:\/\//i.test(address);
}

function withoutSecrets(address: string): string {
  if (isFile(address) || !URL.canParse(address)) return address;
  const url = new URL(address);
  return `${url.protocol}//${url.host}${url.pathname}`;
}
