/** One storage that outlives every kill: a data folder, with artifacts in it or in the real S3 server's bucket. */
import { createFolderStore } from "../../storage/artifacts/folder.ts";
import { openArtifactStore } from "../../storage/artifacts/open.ts";
import { createS3Client } from "../../storage/artifacts/s3_client.ts";
import { cleanLeftovers } from "../../storage/artifacts/s3_leftovers.ts";
import type { ArtifactStore } from "../../storage/artifacts/store.ts";
import { createInstallQueries } from "../../storage/installs/queries.ts";
import { foldInstalls } from "../../storage/installs/fold.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import { migrate } from "../../storage/kv/schema.ts";
import { openOrganisations } from "../../cli/storage.ts";
import type { EpochMs } from "../../policy/types.ts";
import { createS3World } from "../fakes/s3_server.ts";
import { type SpawnedServer, spawnServer } from "../e2e/server.ts";
import { temporariesIn } from "./inspect.ts";

export type StoreKind = "folder" | "s3";

/** What the log says of one caller's file. */
export interface Logged {
  readonly user: string | null;
  readonly file: string;
  readonly outcome: string;
}

export interface World extends AsyncDisposable {
  readonly data: string;
  /** Beside the server, as a command would have them. */
  readonly kv: Deno.Kv;
  readonly artifacts: ArtifactStore;
  start(): Promise<SpawnedServer>;
  /** Durable once it resolves; in force within a second. */
  block(packages: readonly string[]): Promise<void>;
  /** From so many milliseconds before now on. */
  logged(withinMs: number): Promise<readonly Logged[]>;
  /** Temporary files, staged objects and open uploads. */
  leftovers(): Promise<readonly string[]>;
  /** What a start does to the store whose clock is ahead by so much. */
  cleanLater(aheadMs: number): Promise<void>;
  /** The journal's files, once all of it was folded by a clock that is ahead by so much. */
  journalLater(aheadMs: number): Promise<readonly string[]>;
  /** The folder stays, for a person to look at. */
  keep(): void;
}

export async function createWorld(
  kind: StoreKind,
  upstreams: Readonly<Record<string, string>>,
): Promise<World> {
  const data = await Deno.makeTempDir({ prefix: `sluice-soak-${kind}-` });
  const s3 = kind === "s3" ? createS3World() : null;
  await s3?.start();
  const place = s3?.place("soak") ?? null;
  const address = s3 === null || place === null
    ? `file:${data}/artifacts`
    : `s3://${place.bucket}/${place.prefix.replace(/\/$/, "")}?endpoint=${
      encodeURIComponent(s3.server.endpoint)
    }`;
  const credentials = s3?.server.credentials ?? null;
  const env: Readonly<Record<string, string>> = {
    ...upstreams,
    SLUICE_ARTIFACTS: address,
    // Indexes are looked at anew all the time, so that their records change under the load.
    SLUICE_METADATA_TTL: "1s",
    SLUICE_STALE_WHILE_REVALIDATE: "1s",
    ...(credentials === null ? {} : {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    }),
  };
  const clock = () => Date.now() as EpochMs;
  const kv = await openStorage(`${data}/kv.sqlite3`);
  await migrate(kv);
  const organisations = await openOrganisations(kv, clock);
  const artifacts = await openArtifactStore(address, { clock, instance: "soak", credentials, log: () => {} });
  const journal = `${data}/journal`;
  let kept = false;

  async function logged(withinMs: number): Promise<readonly Logged[]> {
    const found: Logged[] = [];
    const queries = createInstallQueries({ kv, journal, clock });
    const since = clock() - withinMs as EpochMs;
    for await (const { user, file, outcome } of queries.export({ since })) {
      found.push({ user, file, outcome });
    }
    return found;
  }

  async function journalLater(aheadMs: number): Promise<readonly string[]> {
    const later = { kv, journal, clock: () => Date.now() + aheadMs as EpochMs, log: () => {} };
    await foldInstalls(later);
    return await Array.fromAsync(Deno.readDir(journal), ({ name }) => name);
  }

  async function cleanLater(aheadMs: number): Promise<void> {
    const later = () => Date.now() + aheadMs as EpochMs;
    if (s3 === null || place === null) {
      await createFolderStore({ path: `${data}/artifacts`, clock: later, instance: "later" });
      return;
    }
    // Requests are signed by the server's own time: only what counts as old is decided by the later one.
    const client = createS3Client({ ...s3.deps(), place, caPem: null });
    await cleanLeftovers({ client, instance: "later", clock: later, log: () => {} });
    await client.close();
  }

  return {
    data,
    kv,
    artifacts,
    start: () => spawnServer({ data, env }),
    async block(packages) {
      await organisations.set({ id: "default", source: { block: packages }, author: "soak" });
    },
    logged,
    leftovers: async () =>
      s3 === null || place === null ? await temporariesIn(`${data}/artifacts`) : await s3.leftovers(place),
    cleanLater,
    journalLater,
    keep: () => void (kept = true),
    async [Symbol.asyncDispose]() {
      await artifacts.close?.();
      kv.close();
      await s3?.stop();
      if (!kept) await Deno.remove(data, { recursive: true });
    },
  };
}
