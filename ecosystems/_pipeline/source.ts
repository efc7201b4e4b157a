/** One raw document: fetched from upstream or confirmed by it, kept under its digest, opened again. */
import { createHash } from "node:crypto";
import { sha256Of } from "../../storage/artifacts/key.ts";
import type { BlobKey, BlobStat } from "../../storage/artifacts/store.ts";
import { StorageError, TooLargeError, UnkeptError, UpstreamError } from "../../storage/errors.ts";
import { piecesOf } from "../../storage/fill_window.ts";
import type { DocumentRecord } from "../../storage/kv/packages.ts";
import type { DocumentAnswer, Upstream } from "../../storage/upstream/upstream.ts";
import type { Source, UpstreamDocument } from "../ecosystem.ts";
import { paced } from "../../storage/paced.ts";
import type { Services } from "./services.ts";

/** A document with what will be recorded of it. */
export interface Fetched {
  readonly document: UpstreamDocument;
  readonly record: DocumentRecord;
}

/** A document that upstream gave or confirmed; its bytes are read only where somebody wants them. */
export interface Answered {
  readonly record: DocumentRecord;
  /** Throws StorageError where the store lost it since. */
  open(): Promise<UpstreamDocument>;
}

/**
 * `previous`: what is kept of it, for a conditional request. `large` is awaited where it is a large one. `root`: what
 * its path is below, where that is not the upstream's own.
 */
export async function fetchSource(
  services: Services,
  upstream: Upstream,
  source: Source,
  previous: DocumentRecord | null,
  options: { readonly large?: (sizeBytes: number) => Promise<void>; readonly root?: string } = {},
): Promise<Answered> {
  const answer = await askUpstream(services, upstream, source, {
    etag: previous?.etag ?? null,
    lastModified: previous?.lastModified ?? null,
    ...options,
  });
  if (answer.status !== 304 || previous === null) return answered(await keep(services, source, answer));
  if (await isKept(services, previous)) return confirmed(services, previous);
  services.log("warn", `Fetching ${source.key} anew: the copy that upstream confirmed is lost`, {
    "blob.key": previous.blob ?? "",
  });
  return answered(await keep(services, source, await askUpstream(services, upstream, source, options)));
}

/** Asks for a document of no more than this Sluice may hold; throws TooLargeError, with the setting where it was that. */
async function askUpstream(
  services: Services,
  upstream: Upstream,
  source: Source,
  options: Parameters<Services["upstream"]["document"]>[2],
): Promise<DocumentAnswer> {
  const maxBytes = Math.min(source.maxBytes, services.memory.documentBytes);
  try {
    return await services.upstream.document(upstream, { ...source, maxBytes }, options);
  } catch (error) {
    if (!(error instanceof TooLargeError) || maxBytes === source.maxBytes) throw error;
    const message = `${error.message} (largestDocument)`;
    throw new TooLargeError(message, maxBytes, { setting: "largestDocument", cause: error });
  }
}

export function answered({ document, record }: Fetched): Answered {
  return { record, open: () => Promise.resolve(document) };
}

/** The stored copy of a document that upstream confirmed: its bytes need not be read for that. */
function confirmed(services: Services, previous: DocumentRecord): Answered {
  const record = { ...previous, fetchedAt: services.clock() };
  return {
    record,
    async open() {
      const document = await openDocument(services, record);
      if (document !== null) return document;
      throw new StorageError(`Cannot open ${record.key}: its copy was lost`);
    },
  };
}

/** As far as its length tells; its digest is looked at when it is opened. */
export async function isKept(services: Services, { blob, sizeBytes }: DocumentRecord): Promise<boolean> {
  return blob === null || (await services.artifacts.stat(blob))?.sizeBytes === sizeBytes;
}

/** A raw document from the store; null where its bytes are lost, or not those that were stored: then they are evicted. */
export async function openDocument(
  services: Services,
  record: DocumentRecord,
): Promise<UpstreamDocument | null> {
  const { key, status, contentType, url, fetchedAt } = record;
  if (record.blob === null) return { key, status, contentType, body: new Uint8Array(), url, fetchedAt };
  const body = services.recent.get(record.blob) ?? await readWhole(services, record);
  if (body !== null) return { key, status, contentType, body, url, fetchedAt };
  await services.refreshes.run(`evict\n${record.blob}`, () => evict(services, record));
  return null;
}

/** Of the length that is expected, what is wrong would stay in the place of what is fetched anew. */
async function evict(services: Services, record: DocumentRecord): Promise<void> {
  if (record.blob === null || await readWhole(services, record) !== null) return;
  await services.artifacts.delete(record.blob);
}

async function readWhole(
  services: Services,
  { blob, sizeBytes }: DocumentRecord,
): Promise<Uint8Array | null> {
  const body = blob === null ? null : await services.artifacts.read(blob, sizeBytes);
  return blob !== null && body !== null && await isWhole(services, blob, body) ? body : null;
}

/** Reading and rendering take ten times as long: every document is held against its digest, in slices. */
async function isWhole(services: Services, blob: BlobKey, body: Uint8Array): Promise<boolean> {
  const hash = createHash("sha256");
  await paced(piecesOf(body), services.timers, (piece) => hash.update(piece));
  return hash.digest("hex") === sha256Of(blob);
}

/** Throws UnkeptError where the store cannot take it. */
async function putOrUnkept(services: Services, source: Source, body: Uint8Array): Promise<BlobStat> {
  try {
    return await services.artifacts.put(body, {
      maxBytes: source.maxBytes,
      expectSizeBytes: body.byteLength,
      ...(source.digests === undefined ? {} : { expect: source.digests }),
    });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new UnkeptError(`Cannot keep ${source.key}: ${error.message}`, { cause: error });
  }
}

/** What upstream answered, stored. Throws UnkeptError where it cannot be. */
export async function keep(services: Services, source: Source, answer: DocumentAnswer): Promise<Fetched> {
  const fetchedAt = services.clock();
  if (answer.status === 404) {
    const common = { key: source.key, url: "", status: 404, contentType: "", fetchedAt } as const;
    return {
      document: { ...common, body: new Uint8Array() },
      record: { ...common, blob: null, sizeBytes: 0, etag: null, lastModified: null },
    };
  }
  if (answer.status === 304) {
    throw new UpstreamError(
      `Cannot fetch ${source.key}: upstream answered 304 to a request without a validator`,
      {
        kind: "content",
        origin: "",
      },
    );
  }
  const { contentType, url, body, etag, lastModified } = answer;
  const common = { key: source.key, url, status: 200, contentType, fetchedAt } as const;
  source.check?.({ ...common, body });
  const stat = await putOrUnkept(services, source, body);
  services.recent.set(stat.key, body);
  return {
    document: { ...common, body },
    record: { ...common, blob: stat.key, sizeBytes: body.byteLength, etag, lastModified },
  };
}
