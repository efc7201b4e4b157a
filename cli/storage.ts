/** The stored state, as the commands open it: the server's own settings, beside a running server. */
import { ECOSYSTEMS } from "../ecosystems/mod.ts";
import { createParsers } from "../policy/usable.ts";
import { openArtifactStore, type OpenStoreOptions } from "../storage/artifacts/open.ts";
import type { ArtifactStore } from "../storage/artifacts/store.ts";
import { StorageError } from "../storage/errors.ts";
import { createFence } from "../storage/kv/fence.ts";
import { openStorage } from "../storage/kv/kv.ts";
import { migrate } from "../storage/kv/schema.ts";
import { createLog } from "../routes/log.ts";
import type { Log } from "../storage/runtime.ts";
import { createOrganisations, type Organisations } from "../storage/kv/organisations.ts";
import { type Config, formatMistakes, loadConfig } from "./config.ts";
import type { ConfigInput } from "./config_sources.ts";
import type { Io } from "./io.ts";

/** What is wrong with the command line or the configuration; ends a command with exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The flags that say where the state is; each command takes them, with the server's meaning. */
export interface LocationFlags {
  readonly config?: string | undefined;
  readonly data?: string | undefined;
  readonly kv?: string | undefined;
}

/** For `parseArgs`. */
export const LOCATION_OPTIONS = {
  config: { type: "string" },
  data: { type: "string" },
  kv: { type: "string" },
} as const;

/** What `loadConfig` must know of the mounted ecosystems. */
export function configEcosystems(): ConfigInput["ecosystems"] {
  return ECOSYSTEMS.map(({ id, upstreams }) => ({ id, upstreams: Object.keys(upstreams) }));
}

/** The server's configuration with a command's own location; throws UsageError with every mistake. */
export function commandConfig(flags: LocationFlags, io: Pick<Io, "env" | "readTextFile">): Config {
  const args = (["config", "data", "kv"] as const).flatMap((name) => {
    const value = flags[name];
    return value === undefined ? [] : [`--${name}=${value}`];
  });
  const loaded = loadConfig({
    args,
    env: io.env,
    readTextFile: io.readTextFile,
    ecosystems: configEcosystems(),
  });
  if (loaded.ok) return loaded.config;
  throw new UsageError(`Cannot read the configuration:\n${formatMistakes(loaded.errors)}`.trimEnd());
}

/** To open a database makes it: a mistyped folder would be answered with nothing. Throws StorageError. */
export async function mustExist({ kv, data }: Config): Promise<void> {
  if (kv === undefined || kv === ":memory:" || /^https?:/.test(kv)) return;
  try {
    await Deno.stat(kv);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new StorageError(
        `Cannot open ${kv}: ${error instanceof Error ? error.message : error}`,
        {
          cause: error,
        },
      );
    }
    throw new StorageError(
      `There is no Sluice at ${kv}. Name the server's folder with --data (now ${data}), ` +
        "or start it once: deno task start",
    );
  }
}

/** Opens the configured KV as it is, whatever form its records have. Throws StorageError. The caller closes it. */
export async function openUnmigrated(config: Config): Promise<Deno.Kv> {
  // Deno reads the token of a KV Connect server from its environment and from nowhere else.
  if (config.kvToken !== null) Deno.env.set("DENO_KV_ACCESS_TOKEN", config.kvToken);
  return await openStorage(config.kv);
}

/** Opens the configured KV; a fresh one is stamped, an older one migrated. Throws StorageError. */
export async function openConfigured(config: Config): Promise<Deno.Kv> {
  const kv = await openUnmigrated(config);
  try {
    await migrate(kv);
  } catch (error) {
    kv.close();
    throw error;
  }
  return kv;
}

/**
 * The same for a command that reads or writes beside servers: what it does is refused from a restore's beginning on.
 */
export async function openGuarded(config: Config, { clock }: Pick<Io, "clock">): Promise<Deno.Kv> {
  const bare = await openConfigured(config);
  try {
    return (await createFence(bare, { clock })).kv;
  } catch (error) {
    bare.close();
    throw error;
  }
}

/** Opens the configured artifacts. Throws StorageError, or RangeError. The caller closes it. */
export async function openConfiguredArtifacts(
  config: Config,
  deps: Omit<OpenStoreOptions, "credentials" | "caPem">,
): Promise<ArtifactStore> {
  const { artifactsCredentials: credentials, network: { caPem } } = config;
  return await openArtifactStore(config.artifacts, { ...deps, credentials, caPem });
}

/** The organisations of an open KV, with the schema of this release. */
export async function openOrganisations(kv: Deno.Kv, clock: Io["clock"]): Promise<Organisations> {
  const organisations = createOrganisations(kv, { clock, ...policyParsers() });
  await organisations.ensureDefault();
  return organisations;
}

/** The parsers of what people write, which know the version orders of the mounted ecosystems. */
export function policyParsers(): ReturnType<typeof createParsers> {
  return createParsers(ECOSYSTEMS);
}

/** Where the server keeps the install log's journal; null: in KV. */
export function journalFolder(config: Config): string | null {
  return config.data === null ? null : `${config.data}/journal`;
}

/** What goes wrong on the side, for the person at the terminal. */
export function commandLog(io: Pick<Io, "stderr" | "clock">): Log {
  return createLog({ format: "text", level: "warn", write: io.stderr, clock: io.clock });
}
