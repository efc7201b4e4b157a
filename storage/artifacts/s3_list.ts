/** The objects of a bucket, page after page. */
import { StorageError } from "../errors.ts";
import type { S3Client } from "./s3_client.ts";
import { sendOrThrow } from "./s3_upload.ts";
import { elements, textOf } from "./s3_xml.ts";

export interface ListedObject {
  /** Below the place's prefix. */
  readonly key: string;
  readonly sizeBytes: number;
  /** As the server writes it (ISO 8601); null where it does not. */
  readonly modified: string | null;
}

/** In the order of their keys, a thousand for each request. Throws StorageError. */
export async function* listObjects(
  client: S3Client,
  prefix: string,
  action: string,
): AsyncIterable<ListedObject> {
  const root = client.place.prefix;
  let token: string | null = null;
  while (true) {
    const query: Record<string, string> = { "list-type": "2", prefix: root + prefix };
    if (token !== null) query["continuation-token"] = token;
    const answer = await sendOrThrow(client, { method: "GET", key: "", query, action });
    const xml = new TextDecoder().decode(answer.body);
    for (const entry of elements(xml, "Contents")) {
      const key = textOf(entry, "Key") ?? "";
      if (!key.startsWith(root)) continue;
      yield {
        key: key.slice(root.length),
        sizeBytes: Number(textOf(entry, "Size")),
        modified: textOf(entry, "LastModified"),
      };
    }
    if (textOf(xml, "IsTruncated") !== "true") return;
    const next = textOf(xml, "NextContinuationToken");
    if (next === null || next === token) {
      throw new StorageError(`Cannot ${action}: the server's list goes on without saying where`);
    }
    token = next;
  }
}
