/** What processes that died have left in a bucket: staged objects, and uploads that were never ended. */
import type { Clock, Log } from "../runtime.ts";
import { TEMPORARY_LEASE_MS } from "./folder_temporary.ts";
import type { S3Client } from "./s3_client.ts";
import { nameOf } from "./s3_errors.ts";
import { listObjects } from "./s3_list.ts";
import { sendOrThrow } from "./s3_upload.ts";
import { elements, textOf } from "./s3_xml.ts";

/** Below the prefix; then `{instance}/{uuid}`. */
export const STAGING = "staging/";

export interface LeftoverOptions {
  readonly client: S3Client;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
}

const ACTION = "clean what a process left";

/**
 * Removes what is older than the lease and not this instance's own; a part that was sent renews the lease of its
 * upload. What cannot be removed is told and left. Throws StorageError where it cannot look.
 */
export async function cleanLeftovers(options: LeftoverOptions): Promise<number> {
  const { client, instance, clock, log } = options;
  const isOld = (at: string | null) => clock() - Date.parse(at ?? "") >= TEMPORARY_LEASE_MS;
  const isForeign = (key: string) => key.startsWith(STAGING) && !key.startsWith(`${STAGING}${instance}/`);
  let removed = 0;

  async function remove(key: string, query: Readonly<Record<string, string>>): Promise<void> {
    const answer = await client.send({ method: "DELETE", key, query, action: ACTION });
    if (answer.ok) removed++;
    else if (answer.refusal.status !== 404) {
      log("warn", `Cannot remove ${JSON.stringify(key)}, which a process left in ${nameOf(client.place)}`, {
        "http.response.status_code": answer.refusal.status,
        "s3.code": answer.refusal.code,
      });
    }
  }

  for await (const { key, uploadId, initiated } of listUploads(client)) {
    if (!isForeign(key) || !isOld(initiated)) continue;
    if (isOld(await newestPart(client, key, uploadId) ?? initiated)) await remove(key, { uploadId });
  }
  for await (const { key, modified } of listObjects(client, STAGING, ACTION)) {
    if (isForeign(key) && isOld(modified)) await remove(key, {});
  }
  if (removed > 0) {
    log("info", `Removed ${removed} unfinished uploads that a process left in ${nameOf(client.place)}`, {
      "artifacts.temporary.removed": removed,
    });
  }
  return removed;
}

interface OpenUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiated: string | null;
}

async function* listUploads(client: S3Client): AsyncIterable<OpenUpload> {
  const { prefix } = client.place;
  let marker: Readonly<Record<string, string>> = {};
  while (true) {
    const query = { uploads: "", prefix: prefix + STAGING, ...marker };
    const answer = await sendOrThrow(client, { method: "GET", key: "", query, action: ACTION });
    const xml = new TextDecoder().decode(answer.body);
    for (const entry of elements(xml, "Upload")) {
      const key = textOf(entry, "Key") ?? "";
      const uploadId = textOf(entry, "UploadId");
      if (!key.startsWith(prefix) || uploadId === null) continue;
      yield { key: key.slice(prefix.length), uploadId, initiated: textOf(entry, "Initiated") };
    }
    const next = textOf(xml, "NextKeyMarker") ?? "";
    if (textOf(xml, "IsTruncated") !== "true" || next === "" || next === marker["key-marker"]) return;
    marker = { "key-marker": next, "upload-id-marker": textOf(xml, "NextUploadIdMarker") ?? "" };
  }
}

/** When the last part came; null where there is none, or the upload has ended meanwhile. */
async function newestPart(client: S3Client, key: string, uploadId: string): Promise<string | null> {
  let newest: string | null = null;
  let marker = "";
  while (true) {
    const query = { uploadId, ...(marker === "" ? {} : { "part-number-marker": marker }) };
    const answer = await client.send({ method: "GET", key, query, action: ACTION });
    if (!answer.ok) return newest;
    const xml = new TextDecoder().decode(answer.body);
    for (const part of elements(xml, "Part")) {
      const at = textOf(part, "LastModified");
      if (at !== null && (newest === null || Date.parse(at) > Date.parse(newest))) newest = at;
    }
    const next = textOf(xml, "NextPartNumberMarker") ?? "";
    if (textOf(xml, "IsTruncated") !== "true" || next === "" || next === marker) return newest;
    marker = next;
  }
}
