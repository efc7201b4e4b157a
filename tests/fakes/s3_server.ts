/** The real S3 server of the tests (versitygw), one process and one folder for each; nothing of it outlives it. */
import { AwsV4Signer } from "aws4fetch";
import type { EpochMs } from "../../policy/types.ts";
import { createS3Store, type S3Store, type S3StoreOptions } from "../../storage/artifacts/s3.ts";
import { escapeKey, parseS3Address, type S3Place } from "../../storage/artifacts/s3_address.ts";
import { GIVE_BACK_MS } from "../../storage/artifacts/s3_body.ts";
import type { S3Credentials } from "../../storage/artifacts/s3_client.ts";
import { elements, textOf } from "../../storage/artifacts/s3_xml.ts";
import { realTimers } from "../../storage/timers.ts";
import { freePort } from "./program.ts";

const BINARY = new URL("../../.cache/bin/versitygw", import.meta.url).pathname;

/** Why a test that needs the server cannot run; null: it can. */
export const S3_MISSING = await isExecutable(BINARY) ? null : "versitygw is missing: deno task components";

/** For a test's name. */
export const s3Skip = S3_MISSING === null ? "" : ` (skipped: ${S3_MISSING})`;

export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly port: number;
  readonly credentials: S3Credentials;
  /** With a folder for each bucket. */
  readonly folder: string;
  createBucket(name: string): Promise<void>;
  /** Signed by the root's keys; the path begins with the bucket. */
  ask(
    method: string,
    path: string,
    body?: Uint8Array<ArrayBuffer>,
  ): Promise<{ status: number; text: string }>;
}

const CREDENTIALS: S3Credentials = {
  accessKeyId: "test",
  secretAccessKey: "testsecret",
  sessionToken: null,
};

async function isExecutable(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

/** Resolves when it answers. */
export async function startS3Server(): Promise<S3Server> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-s3-" });
  const port = freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = new Deno.Command(BINARY, {
    args: ["--port", `127.0.0.1:${port}`, "--quiet", "posix", folder],
    env: { ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId, ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey },
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();

  async function ask(method: string, path: string, body?: Uint8Array<ArrayBuffer>) {
    const { url, headers } = await new AwsV4Signer({
      method,
      url: `${endpoint}${path}`,
      accessKeyId: CREDENTIALS.accessKeyId,
      secretAccessKey: CREDENTIALS.secretAccessKey,
      service: "s3",
      region: "us-east-1",
    }).sign();
    const answer = await fetch(url, { method, headers, body: body ?? null });
    return { status: answer.status, text: await answer.text() };
  }

  async function stop(): Promise<void> {
    child.kill("SIGKILL");
    await child.status;
    await Deno.remove(folder, { recursive: true });
  }

  async function untilItAnswers(): Promise<void> {
    for (let tried = 0; tried < 200; tried++) {
      const status = await ask("GET", "/").then((answer) => answer.status, () => 0);
      if (status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error("The S3 server does not answer");
  }

  try {
    await untilItAnswers();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    endpoint,
    port,
    credentials: CREDENTIALS,
    folder,
    ask,
    async createBucket(name) {
      const { status, text } = await ask("PUT", `/${name}`);
      if (status !== 200) throw new Error(`Cannot create the bucket: ${status} ${text}`);
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** One server for the tests of a file, which share its bucket `suite` and nothing in it. */
export interface S3World {
  readonly server: S3Server;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** A part of the bucket that no other test has. */
  place(prefix: string): S3Place;
  /** What a store is opened with beside its place; a wait before another try takes no time. */
  deps(): Omit<S3StoreOptions, "place" | "instance">;
  /** Closed by `close`. */
  open(place: S3Place, options?: Partial<S3StoreOptions>): Promise<S3Store>;
  /** Staged objects and open uploads. */
  leftovers(place: S3Place): Promise<readonly string[]>;
  /** How many parts the open uploads have together. */
  parts(place: S3Place): Promise<number>;
  /** Closes what was opened since. */
  close(): Promise<void>;
}

/** Nothing runs before `start`. */
export function createS3World(): S3World {
  let started: S3Server | null = null;
  let places = 0;
  let instances = 0;
  const stores: S3Store[] = [];

  function running(): S3Server {
    if (started === null) throw new Error("The S3 server is not started");
    return started;
  }

  function deps() {
    const clock = () => Date.now() as EpochMs;
    const timers = {
      sleep: (ms: number, signal?: AbortSignal) =>
        realTimers.sleep(ms === GIVE_BACK_MS ? GIVE_BACK_MS : 1, signal),
    };
    return { credentials: running().credentials, clock, timers, random: () => 0.5 };
  }

  async function leftovers(place: S3Place): Promise<readonly string[]> {
    const prefix = encodeURIComponent(`${place.prefix}staging/`);
    const objects = await running().ask("GET", `/${place.bucket}?list-type=2&prefix=${prefix}`);
    const uploads = await running().ask("GET", `/${place.bucket}?uploads=&prefix=${prefix}`);
    if (objects.status !== 200 || uploads.status !== 200) throw new Error(objects.text + uploads.text);
    return [...elements(objects.text, "Contents"), ...elements(uploads.text, "Upload")];
  }

  return {
    get server() {
      return running();
    },
    async start() {
      started = await startS3Server();
      await started.createBucket("suite");
    },
    stop: async () => await started?.[Symbol.asyncDispose](),
    place: (prefix) =>
      parseS3Address(`s3://suite/place-${++places}/${prefix}?endpoint=${running().endpoint}`),
    deps,
    async open(place, options = {}) {
      const store = await createS3Store({
        ...deps(),
        instance: `instance-${++instances}`,
        ...options,
        place,
      });
      stores.push(store);
      return store;
    },
    leftovers,
    async parts(place) {
      let count = 0;
      for (const upload of await leftovers(place)) {
        const uploadId = textOf(upload, "UploadId");
        const key = escapeKey(textOf(upload, "Key") ?? "");
        const { text } = await running().ask("GET", `/${place.bucket}/${key}?uploadId=${uploadId}`);
        count += elements(text, "Part").length;
      }
      return count;
    },
    async close() {
      for (const store of stores.splice(0)) {
        await store.cleaned;
        await store.close();
      }
    },
  };
}
