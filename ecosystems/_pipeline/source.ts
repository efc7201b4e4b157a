/** One raw document: fetched from upstream or confirmed by it, kept under its digest, opened again. */
import { StorageError, UpstreamError } from "../../storage/errors.ts";
import type { DocumentRecord } from "../../storage/kv/packages.ts";
import type { DocumentAnswer, Upstream } from "../../storage/upstream/upstream.ts";
import type { Source, UpstreamDocument } from "../ecosystem.ts";
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
  options: { readonly large?: () => Promise<void>; readonly root?: string } = {},
): Promise<Answered> {
  const answer = await services.upstream.document(upstream, source, {
    etag: previous?.etag ?? null,
    lastModified: previous?.lastModified ?? null,
    ...options,
  });
  if (answer.status !== 304 || previous === null) return answered(await keep(services, source, answer));
  if (await isKept(services, previous)) return confirmed(services, previous);
  services.log("warn", `Fetching ${source.key} anew: the copy that upstream confirmed is lost`, {
    "blob.key": previous.blob ?? "",
  });
  return answered(await keep(services, source, await services.upstream.document(upstream, source, options)));
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

async function isKept(services: Services, { blob, sizeBytes }: DocumentRecord): Promise<boolean> {
  return blob === null || (await services.artifacts.stat(blob))?.sizeBytes === sizeBytes;
}

/** A raw document from the store; null where its bytes are lost. */
export async function openDocument(
  services: Services,
  record: DocumentRecord,
): Promise<UpstreamDocument | null> {
  const { key, status, contentType, url, fetchedAt } = record;
  if (record.blob === null) return { key, status, contentType, body: new Uint8Array(), url, fetchedAt };
  const body = await services.artifacts.read(record.blob, record.sizeBytes);
  if (body === null || body.byteLength !== record.sizeBytes) return null;
  return { key, status, contentType, body, url, fetchedAt };
}

/** What upstream answered, stored. */
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
  const stat = await services.artifacts.put(body, {
    maxBytes: source.maxBytes,
    expectSizeBytes: body.byteLength,
  });
  const common = { key: source.key, url, status: 200, contentType, fetchedAt } as const;
  return {
    document: { ...common, body },
    record: { ...common, blob: stat.key, sizeBytes: body.byteLength, etag, lastModified },
  };
}
