/** Bytes of a file that was decided on: from memory, from the store, or as they come in from upstream. */
import { createHash } from "node:crypto";
import { sha256Of } from "../../storage/artifacts/key.ts";
import type { BlobStat } from "../../storage/artifacts/store.ts";
import { UpstreamError } from "../../storage/errors.ts";
import type { Following } from "../../storage/fill.ts";
import type { FileRecord } from "../../storage/kv/packages.ts";
import type { OpenArtifact, Outcome, RangeSpec, Trace } from "../outcome.ts";
import { failed } from "./answers.ts";
import { etagOf, fileId, keptFile, type Opening, recordNow, settlingOf } from "./opening.ts";
import { rangeWithin } from "./range.ts";
import type { Services } from "./services.ts";
import { recordAtEnd, recordPartial } from "./transfer.ts";

/** Up to this size an artifact is kept in memory once it was asked for. */
const HOT_BYTES = 2 ** 20;

/** Its bytes are here and were verified. */
export function hit(opening: Opening, file: FileRecord): Outcome {
  const etag = etagOf(file.blob);
  return {
    kind: "artifact",
    contentType: file.contentType,
    sizeBytes: file.sizeBytes,
    etag,
    filename: opening.filename,
    trace: opening.trace,
    open: (range) => openKept(opening, file, range),
  };
}

/** Opened and verified bytes; where the store lost them, they are fetched again, once. */
async function openKept(opening: Opening, file: FileRecord, range: RangeSpec | null): Promise<OpenArtifact> {
  const { services } = opening;
  const within = range === null ? null : rangeWithin(range, file.sizeBytes);
  const etag = etagOf(file.blob);
  const sent = within === null ? file.sizeBytes : within.last - within.first + 1;
  const hot = await hotBytes(services, file);
  if (hot !== null) {
    await recordNow(opening, file.blob, sent, within !== null);
    return {
      body: within === null ? hot : hot.subarray(within.first, within.last + 1),
      range: within,
      sizeBytes: file.sizeBytes,
      etag,
    };
  }
  const blob = await services.artifacts.get(file.blob, within ?? undefined);
  if (blob === null || (within === null && blob.sizeBytes !== file.sizeBytes)) {
    await blob?.body.cancel();
    return await openLost(opening, file, range);
  }
  const record = await recordNow(opening, file.blob, sent, within !== null);
  const body = record === null ? blob.body : recordPartial(services, record, blob.body, sent);
  return { body, range: within, sizeBytes: file.sizeBytes, etag };
}

async function openLost(opening: Opening, file: FileRecord, range: RangeSpec | null): Promise<OpenArtifact> {
  const { services, verdicts, filename } = opening;
  services.log(
    "error",
    `Fetching ${verdicts.known.key.ecosystem} file ${
      JSON.stringify(filename)
    } again: its blob is lost or cut`,
    {
      "blob.key": file.blob,
    },
  );
  services.fileRecords.delete(fileId(opening));
  services.hot.delete(file.blob);
  await services.files.delete(verdicts.known.key, filename);
  await services.artifacts.delete(file.blob);
  const following = await follow(opening);
  if (following === null) {
    throw new UpstreamError(`Cannot fetch ${JSON.stringify(filename)} again: upstream has it no more`, {
      kind: "status",
      origin: "",
      status: 404,
    });
  }
  return await openFollowing(opening, following, range);
}

/** Small files come from memory; null: too large for it, or lost. */
async function hotBytes(services: Services, file: FileRecord): Promise<Uint8Array | null> {
  if (file.sizeBytes > HOT_BYTES) return null;
  const kept = services.hot.get(file.blob);
  if (kept !== undefined) return kept;
  const bytes = await services.artifacts.read(file.blob, HOT_BYTES);
  if (bytes === null || bytes.byteLength !== file.sizeBytes) return null;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== sha256Of(file.blob)) return null;
  services.hot.set(file.blob, bytes);
  return bytes;
}

/** The first byte comes before the store has the last; a HEAD opens nothing. */
export async function miss(opening: Opening): Promise<Outcome> {
  const { request, filename, location } = opening;
  const trace: Trace = { ...opening.trace, cache: "filled" };
  const common = {
    kind: "artifact",
    contentType: location.contentType,
    sizeBytes: null,
    etag: null,
    filename,
    trace,
  } as const;
  if (request.request.method === "HEAD") {
    return {
      ...common,
      open: () => Promise.reject(new TypeError("Cannot open a file for HEAD")),
    };
  }
  const following = await follow(opening);
  if (following === null) {
    return failed(request, {
      status: 404,
      code: "no-such-file",
      message: `Upstream lists ${JSON.stringify(filename)} but does not have it`,
    });
  }
  return { ...common, open: (range) => openFollowing(opening, following, range) };
}

async function follow(opening: Opening): Promise<Following | null> {
  const { services, verdicts, upstream, location, filename } = opening;
  const { key } = verdicts.known;
  const claims = location.digests.map((digest) => `${digest.algorithm}:${digest.hex}`);
  return await services.fills.follow({
    key: [fileId(opening), ...claims].join("\n"),
    open: (signal) => services.upstream.open(upstream, location.url, { signal }),
    expect: location.digests,
    expectSizeBytes: location.sizeBytes,
    maxBytes: location.maxBytes,
    label: `${key.ecosystem}/${key.name}/${filename}`,
    origin: new URL(upstream.root).origin,
    kept: async (stat: BlobStat) => {
      const record: FileRecord = {
        v: 1,
        blob: stat.key,
        sizeBytes: stat.sizeBytes,
        contentType: location.contentType,
        verified: claims,
        filledAt: services.clock(),
      };
      await services.files.put(key, filename, record);
      services.fileRecords.set(fileId(opening), record);
    },
  });
}

async function openFollowing(
  opening: Opening,
  following: Following,
  range: RangeSpec | null,
): Promise<OpenArtifact> {
  // What is passed on without being kept has no ranges: the whole file is sent (RFC 9110, 14.2).
  if (range === null || !following.keeps) {
    const { verified } = following;
    const known = {
      sizeBytes: verified?.sizeBytes ?? null,
      etag: verified === null ? null : etagOf(verified.key),
    };
    return { body: recordAtEnd(following, settlingOf(opening)), range: null, ...known };
  }
  // The unread body holds nobody up, and keeps the fill going until it is verified.
  await following.done;
  await following.body.cancel();
  const file = await keptFile(opening);
  if (file === null) {
    throw new UpstreamError("Cannot send a range: the file is gone", { kind: "content", origin: "" });
  }
  return await openKept(opening, file, range);
}
