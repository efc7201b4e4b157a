/** A database and a bucket that several Sluices share, from the real servers: nothing of theirs is on a disk of their own. */
import { DENOKV_MISSING, type DenokvServer, startDenokv } from "./denokv_server.ts";
import { S3_MISSING, type S3Server, startS3Server } from "./s3_server.ts";

/** Why a test that needs it cannot run; null: it can. */
export const SHARED_MISSING = DENOKV_MISSING ?? S3_MISSING;

export interface SharedStorage extends AsyncDisposable {
  readonly kv: DenokvServer;
  readonly s3: S3Server;
  /** Of both servers. */
  readonly folders: readonly string[];
  /** What a Sluice is told of it. */
  readonly env: Readonly<Record<string, string>>;
  /** The names of all blobs, and of what is on its way to become one. */
  keys(): Promise<readonly string[]>;
}

/** Its bucket is `sluice`. */
export async function startSharedStorage(): Promise<SharedStorage> {
  const [kv, s3] = await Promise.all([startDenokv(), startS3Server()]);
  await s3.createBucket("sluice");
  return {
    kv,
    s3,
    folders: [kv.folder, s3.folder],
    env: {
      SLUICE_DATA: "none",
      SLUICE_KV: kv.url,
      SLUICE_KV_TOKEN: kv.token,
      SLUICE_ARTIFACTS: `s3://sluice/prod?endpoint=${encodeURIComponent(s3.endpoint)}`,
      AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    },
    async keys() {
      const { text } = await s3.ask("GET", "/sluice?list-type=2");
      return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) => match[1]!);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([kv[Symbol.asyncDispose](), s3[Symbol.asyncDispose]()]);
    },
  };
}
