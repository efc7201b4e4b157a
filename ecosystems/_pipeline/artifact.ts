/** A file's bytes: decided, recorded, then opened from memory, the store, or upstream. */
import { createHash } from "node:crypto";
import { type Decision, permits } from "../../policy/types.ts";
import type { BlobKey, BlobStat } from "../../storage/artifacts/store.ts";
import { UpstreamError } from "../../storage/errors.ts";
import type { Following } from "../../storage/fill.ts";
import type { InstallRecord } from "../../storage/installs/log.ts";
import type { FileRecord } from "../../storage/kv/packages.ts";
import type { Upstream } from "../../storage/upstream/upstream.ts";
import type { ArtifactAsk, ArtifactLocation } from "../ecosystem.ts";
import type { OpenArtifact, Outcome, RangeSpec, RegistryRequest, Trace } from "../outcome.ts";
import { failed } from "./answers.ts";
import { grantServed } from "./grants.ts";
import { keyText, type Loaded } from "./load.ts";
import { rangeWithin } from "./range.ts";
import { installRecord, servedOutcome } from "./record.ts";
import { keepDecision, notifyObserved, refuse } from "./refuse.ts";
import type { Services } from "./services.ts";
import { recordAtEnd, recordPartial, type Settling } from "./transfer.ts";
import { decisionId, type Verdicts } from "./verdicts.ts";

/** Up to this size an artifact is kept in memory once it was asked for. */
const HOT_BYTES = 2 ** 20;

/** One artifact ask with all that was found out about it. */
interface Opening {
  readonly services: Services;
  readonly request: RegistryRequest;
  readonly verdicts: Verdicts;
  readonly upstream: Upstream;
  readonly ask: ArtifactAsk;
  readonly filename: string;
  readonly version: string;
  readonly decision: Decision;
  readonly decisionId: string;
  readonly location: ArtifactLocation;
  readonly trace: Trace;
}

export async function serveArtifact(
  services: Services,
  request: RegistryRequest,
  ask: ArtifactAsk,
  options: { readonly loaded: Loaded; readonly verdicts: Verdicts; readonly upstream: Upstream },
): Promise<Outcome> {
  const { verdicts, loaded, upstream } = options;
  const { facts } = loaded.known;
  const decision = verdicts.decisions.artifact(ask.filename);
  const location = decision === null ? null : request.ecosystem.locate(ask, facts);
  const version = facts.releases.find((release) =>
    release.artifacts.some((file) => file.filename === ask.filename)
  )?.version;
  if (decision === null || location === null || version === undefined) {
    return failed(request, {
      status: 404,
      code: "no-such-file",
      message: `No file ${JSON.stringify(ask.filename)} in ${JSON.stringify(ask.subject.name)}`,
    });
  }
  if (!permits(decision)) {
    return await refuse(services, request, verdicts, { ask, version, filename: ask.filename, decision });
  }
  const id = decisionId(verdicts, ask.filename, [[ask.filename, decision]]);
  if (decision.reasons.length > 0) {
    keepDecision(services, verdicts, { id, version, filename: ask.filename, decision });
  }
  const trace: Trace = {
    cache: "hit",
    decisionId: id,
    whyLink: null,
    maxAgeSeconds: 0,
    staleSince: loaded.staleSince,
  };
  const opening: Opening = {
    services,
    request,
    verdicts,
    upstream,
    ask,
    filename: ask.filename,
    version,
    decision,
    decisionId: id,
    location,
    trace,
  };
  if (verdicts.policy.artifacts === "upstream") return await redirect(opening);
  const file = await keptFile(opening);
  return file !== null ? hit(opening, file) : await miss(opening);
}

/** `artifacts: upstream`: that the client was sent there is all that Sluice can know, and all it records. */
async function redirect(opening: Opening): Promise<Outcome> {
  const { services, request, location, upstream, trace } = opening;
  if (request.request.method === "GET") {
    await services.installs.append(recordOf(opening, { sha256: null, bytes: 0, cache: "none" }));
  }
  return {
    kind: "elsewhere",
    location: new URL(location.url, upstream.root).href,
    trace: { ...trace, cache: "none" },
  };
}

/** The record of a file whose bytes were verified against all that the index claims now; else null. */
async function keptFile(opening: Opening): Promise<FileRecord | null> {
  const { services, verdicts, filename, location } = opening;
  const id = fileId(opening);
  const file = services.fileRecords.get(id) ?? await services.files.get(verdicts.known.key, filename);
  if (file === null) return null;
  const changed = location.digests.find((digest) =>
    !file.verified.includes(`${digest.algorithm}:${digest.hex}`)
  );
  if (changed !== undefined && location.digests.length > 0) {
    services.log(
      "error",
      `Digest of ${verdicts.known.key.ecosystem} file ${JSON.stringify(filename)} changed: fetching it anew`,
      {
        "digest.claimed": `${changed.algorithm}:${changed.hex}`,
        "digest.verified": file.verified.join(" "),
      },
    );
    return null;
  }
  services.fileRecords.set(id, file);
  return file;
}

function fileId(opening: Opening): string {
  return `${keyText(opening.verdicts.known.key)}\n${opening.filename}`;
}

function hit(opening: Opening, file: FileRecord): Outcome {
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
async function miss(opening: Opening): Promise<Outcome> {
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

/** A file that came in while it was sent: the record is durable before its last byte leaves. */
function settlingOf(opening: Opening): Settling {
  const { services, request, verdicts, version } = opening;
  let complete: InstallRecord | null = null;
  return {
    async settle(bytes, stat, isComplete) {
      const sha256 = stat === null ? null : sha256Of(stat.key);
      const record = recordOf(opening, { sha256, bytes, cache: "miss" });
      await services.installs.append(isComplete ? record : { ...record, outcome: "partial" });
      tellObserved(opening, record);
      if (!isComplete) return;
      complete = record;
      grantServed(services, request, verdicts, version);
    },
    async cutOff(bytes) {
      if (complete !== null) await services.installs.markPartial(complete, bytes);
    },
  };
}

/** Before the answer leaves. null: a range that this caller was already recorded for. */
async function recordNow(opening: Opening, blob: BlobKey, bytes: number, isRange: boolean) {
  const { services, request, verdicts, version } = opening;
  const { caller } = request;
  if (
    isRange &&
    !services.ranges.count([caller.organisation, caller.user ?? "", caller.address, blob].join("\n"))
  ) return null;
  const record = recordOf(opening, { sha256: sha256Of(blob), bytes, cache: "hit" });
  await services.installs.append(record);
  tellObserved(opening, record);
  grantServed(services, request, verdicts, version);
  return record;
}

function tellObserved(opening: Opening, record: InstallRecord): void {
  const { services, request, verdicts, version, filename, decision, ask } = opening;
  notifyObserved(services, request, verdicts, { ask, version, filename, decision, record });
}

function recordOf(
  opening: Opening,
  facts: { readonly sha256: string | null; readonly bytes: number; readonly cache: "hit" | "miss" | "none" },
) {
  const { services, request, verdicts, version, filename, decision } = opening;
  return installRecord(services, request, {
    name: verdicts.known.key.name,
    version,
    filename,
    decision,
    decisionId: opening.decisionId,
    outcome: servedOutcome(decision),
    ...facts,
  });
}

function sha256Of(blob: BlobKey): string {
  return blob.slice(blob.lastIndexOf("/") + 1);
}

function etagOf(blob: BlobKey): string {
  return `"sha256-${sha256Of(blob)}"`;
}
