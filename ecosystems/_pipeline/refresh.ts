/** Asks upstream: conditional requests first, then whatever the plugin still needs; commits record and facts at once. */
import { encodeFacts, factsDigest } from "../../storage/kv/facts_codec.ts";
import type { EpochMs } from "../../policy/types.ts";
import { StorageError, UpstreamError } from "../../storage/errors.ts";
import type { BlobKey } from "../../storage/artifacts/store.ts";
import type { DocumentRecord, PackageKey, PackageRecord } from "../../storage/kv/packages.ts";
import type { DocumentAnswer, Upstream } from "../../storage/upstream/upstream.ts";
import type { Ecosystem, PackageRef, Reading, Source, UpstreamDocument } from "../ecosystem.ts";
import { fromStorage, keyText, remember } from "./load.ts";
import { paced } from "./paced.ts";
import type { Known, Services } from "./services.ts";

interface RefreshRequest {
  readonly ecosystem: Ecosystem;
  readonly upstream: Upstream;
  readonly subject: PackageRef;
}

export interface Refreshed {
  readonly known: Known;
  readonly changed: boolean;
}

/** A document with what will be recorded of it. */
interface Fetched {
  readonly document: UpstreamDocument;
  readonly record: DocumentRecord;
}

/** More than this many documents for one package is a plugin that never has enough. */
const MAX_SOURCES = 16;

/** Throws UpstreamError, SyntaxError (a document that cannot be read), TooLargeError or StorageError. */
export async function refresh(
  services: Services,
  request: RefreshRequest,
  key: PackageKey,
  known: Known | null,
): Promise<Refreshed | "absent"> {
  const documents: Fetched[] = [];
  const before = known?.record.documents ?? [];
  let room = 0;
  for (;;) {
    const have = documents.map((fetched) => fetched.document);
    const missing = request.ecosystem.sources(request.subject, have)
      .filter((source) => !have.some((document) => document.key === source.key));
    if (missing.length === 0) break;
    if (documents.length + missing.length > MAX_SOURCES) {
      throw new StorageError(
        `Cannot load ${key.ecosystem} ${JSON.stringify(key.name)}: more than ${MAX_SOURCES} documents`,
      );
    }
    const answers = await Promise.all(missing.map(async (source) => {
      const previous = before.find((document) => document.key === source.key && document.status === 200) ??
        null;
      return await fetchSource(services, request.upstream, source, previous);
    }));
    if (answers.some((answer, i) => answer.record.status === 404 && missing[i]?.required)) {
      await forget(services, key, known);
      return "absent";
    }
    documents.push(...answers);
    room += answers.reduce((sum, answer) => sum + answer.record.sizeBytes, 0);
  }
  const records = documents.map((fetched) => fetched.record);
  const unchanged = known !== null && records.length === before.length &&
    records.every((record) => before.some((old) => old.key === record.key && old.blob === record.blob));
  if (unchanged) return { known: await renew(services, key, known, records), changed: false };
  return await services.work.run(2 * room, () => commit(services, request, key, known, documents));
}

async function fetchSource(
  services: Services,
  upstream: Upstream,
  source: Source,
  previous: DocumentRecord | null,
): Promise<Fetched> {
  const answer = await services.upstream.document(upstream, source, {
    etag: previous?.etag ?? null,
    lastModified: previous?.lastModified ?? null,
  });
  if (answer.status === 304 && previous !== null) {
    const kept = await reopen(services, source, previous);
    if (kept !== null) return kept;
    services.log("warn", `Fetching ${source.key} anew: the copy that upstream confirmed is lost`, {
      "blob.key": previous.blob ?? "",
    });
    return await keep(services, source, await services.upstream.document(upstream, source, {}));
  }
  return await keep(services, source, answer);
}

/** The stored copy of a document that upstream confirmed. */
async function reopen(services: Services, source: Source, record: DocumentRecord): Promise<Fetched | null> {
  const document = await openDocument(services, record, source.maxBytes);
  if (document === null) return null;
  const fetchedAt = services.clock();
  return { document: { ...document, fetchedAt }, record: { ...record, fetchedAt } };
}

/** A raw document from the store; null where its bytes are lost. */
export async function openDocument(
  services: Services,
  record: DocumentRecord,
  maxBytes: number = record.sizeBytes,
): Promise<UpstreamDocument | null> {
  const { key, status, contentType, url, fetchedAt } = record;
  if (record.blob === null) return { key, status, contentType, body: new Uint8Array(), url, fetchedAt };
  const body = await services.artifacts.read(record.blob, maxBytes);
  if (body === null || body.byteLength !== record.sizeBytes) return null;
  return { key, status, contentType, body, url, fetchedAt };
}

async function keep(services: Services, source: Source, answer: DocumentAnswer): Promise<Fetched> {
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

/** Upstream confirmed every byte of it: only the record's time moves. */
async function renew(
  services: Services,
  key: PackageKey,
  known: Known,
  documents: readonly DocumentRecord[],
): Promise<Known> {
  const record: PackageRecord = { ...known.record, documents, checkedAt: services.clock() };
  if (!await services.packages.touch(key, record, known.versionstamp)) return await anew(services, key);
  const stored = await services.packages.get(key);
  return remember(services, { ...known, record, versionstamp: stored?.versionstamp ?? known.versionstamp });
}

async function commit(
  services: Services,
  request: RefreshRequest,
  key: PackageKey,
  known: Known | null,
  documents: readonly Fetched[],
): Promise<Refreshed> {
  const reading = await readPackage(services, request, documents.map((fetched) => fetched.document));
  const encoded = encodeFacts(reading.facts);
  const record: PackageRecord = {
    v: 1,
    absent: false,
    documents: documents.map((fetched) => fetched.record),
    factsDigest: factsDigest(encoded),
    checkedAt: services.clock(),
  };
  const current = known === null ? await services.packages.get(key) : null;
  const expected = known?.versionstamp ?? current?.versionstamp ?? null;
  const won = await services.packages.commit(
    key,
    { record, facts: reading.facts, layout: reading.layout },
    expected,
  );
  services.absent.delete(keyText(key));
  // Lost: somebody else committed what they fetched meanwhile, which is as new as ours.
  if (!won) return { known: await anew(services, key), changed: true };
  const [stored, firstSeen] = await Promise.all([
    services.packages.get(key),
    services.packages.firstSeen(key),
  ]);
  if (stored === null || stored.record.factsDigest !== record.factsDigest) {
    return { known: await anew(services, key), changed: true };
  }
  const next = remember(services, {
    key,
    record: stored.record,
    versionstamp: stored.versionstamp,
    facts: reading.facts,
    firstSeen,
  });
  dropReplaced(services, known?.record.documents ?? current?.record.documents ?? [], record.documents);
  return { known: next, changed: true };
}

async function readPackage(
  services: Services,
  request: RefreshRequest,
  documents: readonly UpstreamDocument[],
): Promise<Reading> {
  let found: Reading | undefined;
  await paced(request.ecosystem.read(request.subject, documents), services.timers, (reading) => {
    if (reading?.facts.name === request.subject.name) found = reading;
  });
  if (found !== undefined) return found;
  throw new SyntaxError(
    `Cannot read ${request.ecosystem.id} ${
      JSON.stringify(request.subject.name)
    }: the document is of another package`,
  );
}

async function anew(services: Services, key: PackageKey): Promise<Known> {
  const known = await fromStorage(services, key);
  if (known !== null) return known;
  throw new StorageError(
    `Cannot load ${key.ecosystem} ${JSON.stringify(key.name)}: it was removed meanwhile`,
  );
}

/** An authoritative 404 ends what was cached at once; the absence itself is remembered briefly, in memory. */
async function forget(services: Services, key: PackageKey, known: Known | null): Promise<void> {
  const id = keyText(key);
  services.absent.set(id, (services.clock() + services.lifetimes.absentTtl) as EpochMs);
  services.known.delete(id);
  if (known === null && await services.packages.get(key) === null) return;
  await services.packages.delete(key);
}

/** Raw documents that no record points at any more; a reader that still wants one fetches anew. */
function dropReplaced(
  services: Services,
  old: readonly DocumentRecord[],
  next: readonly DocumentRecord[],
): void {
  const replaced = old.map((document) => document.blob)
    .filter((blob): blob is BlobKey => blob !== null && !next.some((document) => document.blob === blob));
  if (replaced.length === 0) return;
  services.background.run("drop replaced documents", async () => {
    for (const blob of replaced) await services.artifacts.delete(blob);
  });
}
