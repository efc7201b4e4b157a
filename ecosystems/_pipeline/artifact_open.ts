/** Bytes of a file that was decided on: from memory, from the store, or as they come in from upstream. */
import type { EpochMs } from "../../policy/types.ts";
import type { BlobStat } from "../../storage/artifacts/store.ts";
import { UpstreamError } from "../../storage/errors.ts";
import type { Following } from "../../storage/fill.ts";
import type { InstallRecord } from "../../storage/installs/log.ts";
import type { FileRecord } from "../../storage/kv/packages.ts";
import type { Copy, Forwarded, OpenArtifact, Outcome, RangeSpec, Trace } from "../outcome.ts";
import { failed } from "./answers.ts";
import { evict, hotBytes, openBlob } from "./kept_bytes.ts";
import {
  etagOf,
  fileId,
  isVerified,
  keptFile,
  type Opening,
  type PlacedFile,
  recordNow,
  settlingOf,
} from "./opening.ts";
import { rangeWithin } from "./range.ts";
import { recordAtEnd, recordPartial } from "./transfer.ts";

/** A HEAD fetches nothing. */
const UNASKED: Forwarded = { why: "miss", status: null, stored: false };
const FILLED: Forwarded = { why: "miss", status: 200, stored: true };

/** To evict is to look and to delete. */
const EVICT_PATIENCE_MS = 5_000;

/** Its bytes are here and were verified. */
export function hit(opening: Opening, file: FileRecord): Outcome {
  const etag = etagOf(file.blob);
  return {
    kind: "artifact",
    contentType: file.contentType,
    sizeBytes: file.sizeBytes,
    etag,
    filename: opening.filename,
    trace: { ...opening.trace, copy: copyOf(opening, file) },
    open: (range) => openKept(opening, file, range),
  };
}

/** When upstream last had it. */
export function confirmedAt(file: FileRecord): EpochMs {
  return file.confirmedAt ?? file.filledAt;
}

function copyOf({ services, verdicts }: Opening, file: FileRecord): Copy {
  return { checkedAt: confirmedAt(file), freshMs: services.lifetimes(verdicts.known.key).artifactTtl };
}

/** Opened and verified bytes; where the store lost or damaged them, they are fetched again, once. */
async function openKept(
  opening: Opening,
  file: FileRecord,
  range: RangeSpec | null,
  attempt: "first" | "again" = "first",
): Promise<OpenArtifact> {
  const { services } = opening;
  const within = range === null ? null : rangeWithin(range, file.sizeBytes);
  const etag = etagOf(file.blob);
  const sent = within === null ? file.sizeBytes : within.last - within.first + 1;
  const hot = await hotBytes(services, file, within === null);
  if (hot !== null && hot !== "damaged") {
    const record = await recordNow(opening, file.blob, sent, within !== null);
    const bytes = within === null ? hot : hot.subarray(within.first, within.last + 1);
    return { body: bodyOf(opening, record, bytes), range: within, sizeBytes: file.sizeBytes, etag };
  }
  const blob = hot === null ? await openBlob(services, file, within) : null;
  if (blob === null) return await openLost(opening, range, attempt);
  const record = await recordNow(opening, file.blob, sent, within !== null);
  const body = record === null ? blob.body : recordPartial(services.installs, record, blob.body, sent);
  return { body, range: within, sizeBytes: file.sizeBytes, etag };
}

/** What is smaller is sent as one, which does not tell of a client that leaves. */
const SENT_AS_ONE_BYTES = 2 ** 20;

function bodyOf(
  { services }: Opening,
  record: InstallRecord | null,
  bytes: Uint8Array,
): OpenArtifact["body"] {
  if (record === null || bytes.byteLength <= SENT_AS_ONE_BYTES) return bytes;
  return recordPartial(services.installs, record, bytes, bytes.byteLength);
}

async function openLost(
  opening: Opening,
  range: RangeSpec | null,
  attempt: "first" | "again",
): Promise<OpenArtifact> {
  const { services, filename } = opening;
  const name = `evict\n${fileId(opening)}`;
  await services.refreshes.run(name, () => evictInTurn(opening, name));
  // Others may have found it lost as well, and have it again already.
  const again = attempt === "first" ? await keptFile(opening) : null;
  if (again !== null) return await openKept(opening, again, range, "again");
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

/** One process at a time: what one of them has fetched again is not evicted by another that found it lost before. */
async function evictInTurn(opening: Opening, name: string): Promise<void> {
  await opening.services.once.run({
    name,
    find: () => Promise.resolve(null),
    work: async () => {
      await evict(opening);
      return true;
    },
    patienceMs: EVICT_PATIENCE_MS,
  });
}

/** The first byte comes before the store has the last; a HEAD opens nothing. */
export async function miss(opening: Opening): Promise<Outcome> {
  const { request, filename, location } = opening;
  const trace: Trace = { ...opening.trace, cache: "filled", forwarded: FILLED };
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
      trace: { ...trace, forwarded: UNASKED },
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
  const file = following.elsewhere ? await keptFile(opening) : null;
  if (file === null) return { ...common, open: (range) => openFollowing(opening, following, range) };
  await following.body.cancel();
  return hit(opening, file);
}

/** Joins or starts its fill. null: upstream has no such file. */
export async function follow(opening: PlacedFile): Promise<Following | null> {
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
    find: () => keptElsewhere(opening),
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

/** What another process has kept of it, if that is all there and was verified against what the index claims now. */
async function keptElsewhere(opening: PlacedFile): Promise<BlobStat | null> {
  const { services, verdicts, filename, location } = opening;
  const file = await services.files.get(verdicts.known.key, filename);
  if (file === null || !isVerified(file, location)) return null;
  const stat = await services.artifacts.stat(file.blob);
  if (stat?.sizeBytes !== file.sizeBytes) return null;
  services.fileRecords.set(fileId(opening), file);
  return stat;
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
  if (file !== null) return await openKept(opening, file, range);
  // It could not be kept, and what is passed on has no ranges.
  const whole = await follow(opening);
  if (whole === null) {
    throw new UpstreamError("Cannot send a range: the file is gone", { kind: "content", origin: "" });
  }
  return await openFollowing(opening, whole, null);
}
