/** Which form stored records have, and how older ones are brought to it. */
import type { Log } from "../runtime.ts";
import { StorageError } from "../errors.ts";
import { attempt } from "./call.ts";
import { isWhole, type RestoreRecord } from "./fence.ts";
import { keys } from "./keys.ts";

/** The form this program reads and writes. */
export const SCHEMA_VERSION = 1;

/** Brings a store from version `to - 1` to `to`. Idempotent: two processes may start at once, and one may die. */
export interface Migration {
  readonly to: number;
  readonly description: string;
  run(kv: Deno.Kv): Promise<void>;
}

/** In order, without a gap, up to SCHEMA_VERSION. */
export const MIGRATIONS: readonly Migration[] = [
  {
    to: 1,
    description: "stamp a store that was written before versions were",
    // Version 1 is the first form there was: nothing has to be rewritten.
    run: () => Promise.resolve(),
  },
];

interface SchemaRecord {
  readonly v: number;
}

export interface MigrateOptions {
  readonly log?: Log;
  readonly migrations?: readonly Migration[];
}

/**
 * Stamps a fresh store, migrates an older one, and throws StorageError saying what to do for a newer one, for
 * one into which a restore runs or was broken off, and for one whose stamp cannot be read.
 */
export async function migrate(kv: Deno.Kv, options: MigrateOptions = {}): Promise<void> {
  const restore = await attempt(
    "see whether a restore runs",
    () => kv.get<RestoreRecord>(keys.restore()),
  );
  if (!isWhole(restore)) {
    throw new StorageError(
      "Cannot use this store: a restore into it runs, or was broken off. Wait for it, or run it again: " +
        "deno task restore FILE",
    );
  }
  await migrateAll(kv, options);
}

/** The same for what a restore has just written. */
export async function migrateAll(kv: Deno.Kv, options: MigrateOptions = {}): Promise<void> {
  const migrations = options.migrations ?? MIGRATIONS;
  const target = migrations.at(-1)?.to ?? 0;
  const schema = await attempt("read the store's version", () => kv.get<SchemaRecord>(keys.schema()));
  if (schema.value === null && await isEmpty(kv)) return await stamp(kv, target, null);
  const version = versionOf(schema.value);
  if (version > target) {
    throw new StorageError(
      `Cannot use this store: its records have version ${version}, and this program knows versions up to ${target}. ` +
        "Start the newer program that wrote them, or restore a backup made before it ran",
    );
  }
  await run(kv, { version, versionstamp: schema.versionstamp }, migrations, options.log);
}

async function run(
  kv: Deno.Kv,
  from: { readonly version: number; readonly versionstamp: string | null },
  migrations: readonly Migration[],
  log: Log | undefined,
): Promise<void> {
  let { version, versionstamp } = from;
  for (const migration of migrations) {
    if (migration.to <= version) continue;
    if (migration.to !== version + 1) {
      throw new StorageError(
        `Cannot migrate from version ${version}: no migration to version ${version + 1}`,
      );
    }
    log?.("info", `Migrating stored records to version ${migration.to}: ${migration.description}`);
    await attempt(`migrate to version ${migration.to}`, () => migration.run(kv));
    await stamp(kv, migration.to, versionstamp);
    version = migration.to;
    versionstamp = (await kv.get(keys.schema())).versionstamp;
  }
}

async function stamp(kv: Deno.Kv, version: number, expected: string | null): Promise<void> {
  const record: SchemaRecord = { v: version };
  const done = await attempt(
    "stamp the store",
    () =>
      kv.atomic().check({ key: keys.schema(), versionstamp: expected }).set(keys.schema(), record).commit(),
  );
  if (done.ok) return;
  // Another process was faster: good if it came as far or further within what is known.
  const now = await kv.get<SchemaRecord>(keys.schema());
  if (versionOf(now.value) !== version) {
    throw new StorageError(
      "Cannot migrate: another process migrates this store to another version. Start again",
    );
  }
}

function versionOf(record: SchemaRecord | null): number {
  if (record === null) return 0;
  if (typeof record === "object" && Number.isInteger(record.v) && record.v >= 0) return record.v;
  throw new StorageError(`Cannot read the store's version: ${Deno.inspect(record).slice(0, 100)} is none`);
}

/** What a restore leaves behind of itself counts for nothing. */
async function isEmpty(kv: Deno.Kv): Promise<boolean> {
  for await (const { key } of kv.list({ prefix: [] }, { limit: 3 })) {
    if (key[0] !== keys.restore()[0]) return false;
  }
  return true;
}
