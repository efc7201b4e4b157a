/** A backup of everything, while it runs, and back: the same file that `deno task backup` writes and `restore` reads. */
import * as z from "zod";
import { IntegrityError } from "../../storage/errors.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { ApiError } from "./error.ts";

/** What a restore came to. */
export interface Restored {
  readonly createdAt: string;
  readonly records: number;
  readonly files: number;
  readonly filesLeftOut: number;
  readonly installsAdded: number | null;
}

export interface BackupApiDeps {
  /** Everything in KV, and the files too where `artifacts`; ends with an error where it cannot be read. */
  readonly backup: (options: { readonly artifacts: boolean }) => ReadableStream<Uint8Array>;
  /**
   * Takes the place of everything that is here. Reads `file` to its end, or cancels it. Rejects with SyntaxError or
   * IntegrityError for what is no whole backup: then nothing was changed.
   */
  readonly restore: (file: ReadableStream<Uint8Array>) => Promise<Restored>;
}

const BACKUP = "application/gzip";

const restored = z.object({
  createdAt: z.string().meta({ description: "When the backup was made" }),
  records: z.int(),
  files: z.int(),
  filesLeftOut: z.int().meta({ description: "Of the backup; artifacts are kept in memory here" }),
  installsAdded: z.int().nullable().meta({
    description:
      "Of the backup, that were not in the install log here; null: all of them, since there was none",
  }),
});

export function backupEndpoints({ backup, restore }: BackupApiDeps): readonly Endpoint[] {
  return [
    endpoint({
      id: "backup",
      method: "GET",
      path: "/backup",
      scope: "admin",
      whose: "instance",
      area: "Backup",
      summary: "All that is kept, as one file for deno task restore. It holds secrets: keep it safe.",
      query: z.strictObject({
        artifacts: z.stringbool().default(false).meta({
          description: "With the files, not only what is known of them",
        }),
      }),
      contentTypes: [BACKUP],
      handle: ({ query }) => ({ bytes: () => backup(query), contentType: BACKUP }),
    }),
    endpoint({
      id: "restore",
      method: "POST",
      path: "/restore",
      scope: "admin",
      whose: "instance",
      area: "Backup",
      summary:
        "A backup takes the place of everything that is here: policies, tokens, packages. The install log is joined. " +
        "Every server answers 503 meanwhile.",
      query: z.strictObject({
        replace: z.stringbool().default(false).meta({
          description: "Without it nothing is changed (409): make a backup first",
        }),
      }),
      takes: BACKUP,
      // After a restore that was broken off nothing else works.
      standsAlone: true,
      answer: restored,
      handle: async ({ query, bytes, note }) => {
        if (!query.replace) throw notUnasked();
        const body = await told(() => restore(bytes()));
        note({ subject: `the backup of ${body.createdAt}` });
        return { body };
      },
    }),
  ];
}

function notUnasked(): ApiError {
  return new ApiError(
    409,
    "replace-required",
    "A restore replaces all that this Sluice holds: policies, tokens, packages. Nothing was changed. If that is " +
      "what you want, add ?replace=true; GET /-/api/v1/backup is a copy of what is there now",
  );
}

/** What was sent is the caller's: elsewhere the same errors are an upstream's. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof IntegrityError) {
      throw new ApiError(422, "unusable-backup", error.message);
    }
    throw error;
  }
}
