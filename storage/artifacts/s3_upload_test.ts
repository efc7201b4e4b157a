import assert from "node:assert/strict";
import type { S3Client } from "./s3_client.ts";
import { beginUpload } from "./s3_upload.ts";

Deno.test("beginUpload: given up while the server begins it, it is taken back, since only now its id is known", async () => {
  const asked: string[] = [];
  const abort = new AbortController();
  const client = {
    place: { bucket: "bucket", prefix: "" },
    send: ({ method, query = {}, signal }: Parameters<S3Client["send"]>[0]) => {
      asked.push(`${method} ${new URLSearchParams(query)}`);
      if (method === "POST") abort.abort(new Error("enough"));
      // What was given up would not be told its id.
      if (signal?.aborted === true) return Promise.reject(signal.reason);
      const body = new TextEncoder().encode("<R><UploadId>one</UploadId></R>");
      return Promise.resolve({ ok: true, status: 200, body, header: () => null });
    },
  } as unknown as S3Client;
  const options = { key: "staging/x", headers: {}, signal: abort.signal, action: "put a blob" };
  await assert.rejects(beginUpload(client, options), /enough/);
  assert.deepEqual(asked, ["POST uploads=", "DELETE uploadId=one"]);
  await assert.rejects(beginUpload(client, options), /enough/);
  assert.equal(asked.length, 2, "nothing is begun for whoever has given up");
});
