/** A backup of everything, while it runs: the same file that `deno task backup` writes. */
import * as z from "zod";
import { type Endpoint, endpoint } from "./endpoint.ts";

export interface BackupApiDeps {
  /** Everything in KV, and the files too where `artifacts`; ends with an error where it cannot be read. */
  readonly backup: (options: { readonly artifacts: boolean }) => ReadableStream<Uint8Array>;
}

export function backupEndpoints({ backup }: BackupApiDeps): readonly Endpoint[] {
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
      contentTypes: ["application/gzip"],
      handle: ({ query }) => ({ bytes: () => backup(query), contentType: "application/gzip" }),
    }),
  ];
}
