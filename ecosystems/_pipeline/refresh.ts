/** Asks upstream: conditional requests first, then whatever the plugin still needs; commits record and facts at once. */
import { encodeChunks } from "../../storage/kv/chunks.ts";
import { encodeFacts } from "../../storage/kv/facts_codec.ts";
import { StorageError } from "../../storage/errors.ts";
import type { BlobKey } from "../../storage/artifacts/store.ts";
import type { DocumentRecord, PackageKey, PackageRecord } from "../../storage/kv/packages.ts";
import type { Upstream } from "../../storage/upstream/upstream.ts";
import type { Ecosystem, PackageRef, Reading, Source, UpstreamDocument } from "../ecosystem.ts";
import { fromStorage, keyText, remember } from "./load.ts";
import { paced } from "../../storage/paced.ts";
import { isHuge, type Known, type Services } from "./services.ts";
import { openSide } from "./side.ts";
import { noteTags } from "./note_tags.ts";
import { answered, type Fetched, fetchSource } from "./source.ts";

/** Whose documents are asked for, and where. */
export interface RefreshRequest {
  readonly ecosystem: Ecosystem;
  readonly upstream: Upstream;
  readonly subject: PackageRef;
}

export interface Refreshed {
  readonly known: Known;
  readonly changed: boolean;
}

/** More than this many documents for one package is a plugin that never has enough. */
const MAX_SOURCES = 16;

/** A place among the large documents, taken when the first of them turns out to be one. */
interface Turn {
  readonly take: (sizeBytes: number) => Promise<void>;
  readonly giveBack: () => Promise<void>;
}

function turnOf(services: Services): Turn {
  let large: Promise<() => void> | null = null;
  let huge: Promise<() => void> | null = null;
  return {
    async take(sizeBytes) {
      await (large ??= services.large.acquire());
      if (isHuge(sizeBytes)) await (huge ??= services.huge.acquire());
    },
    async giveBack() {
      (await huge)?.();
      (await large)?.();
    },
  };
}

/** Throws UpstreamError, SyntaxError (a document that cannot be read), TooLargeError or StorageError. */
export async function refresh(
  services: Services,
  request: RefreshRequest,
  key: PackageKey,
  known: Known | null,
): Promise<Refreshed | "absent"> {
  const turn = turnOf(services);
  try {
    return await refreshInTurn(services, request, key, { known, large: turn.take });
  } finally {
    await turn.giveBack();
  }
}

async function refreshInTurn(
  services: Services,
  request: RefreshRequest,
  key: PackageKey,
  { known, large }: { readonly known: Known | null; readonly large: Turn["take"] },
): Promise<Refreshed | "absent"> {
  const documents: Fetched[] = [];
  const before = known?.record.documents ?? [];
  const shared = new Set<string>();
  for (;;) {
    const missing = sourcesMissing(request, key, documents.map((fetched) => fetched.document));
    if (missing.length === 0) break;
    const answers = await Promise.all(missing.map(async (source) => {
      if (source.shared) return answered(await openSide(services, { ...request, source }));
      const previous = before.find((document) => document.key === source.key && document.status === 200);
      return await fetchSource(services, request.upstream, source, previous ?? null, { large });
    }));
    for (const source of missing) if (source.shared) shared.add(source.key);
    if (answers.some((answer, i) => answer.record.status === 404 && missing[i]?.required)) {
      await forget(services, key, { known, shared });
      return "absent";
    }
    const records = [...documents, ...answers].map((answer) => answer.record);
    if (known !== null && isUnchanged(before, records)) {
      return { known: await renew(services, key, known, records), changed: false };
    }
    documents.push(
      ...await Promise.all(answers.map(async ({ record, open }) => ({ record, document: await open() }))),
    );
  }
  const room = documents.reduce((sum, { record }) => sum + record.sizeBytes, 0);
  return await services.work.run(
    2 * room,
    () => commit(services, request, key, { known, documents, shared }),
  );
}

/** Throws StorageError for a plugin that never has enough. */
function sourcesMissing(
  request: RefreshRequest,
  key: PackageKey,
  have: readonly UpstreamDocument[],
): readonly Source[] {
  const missing = request.ecosystem.sources(request.subject, have)
    .filter((source) => !have.some((document) => document.key === source.key));
  if (have.length + missing.length <= MAX_SOURCES) return missing;
  throw new StorageError(
    `Cannot load ${key.ecosystem} ${JSON.stringify(key.name)}: more than ${MAX_SOURCES} documents`,
  );
}

/** The same documents with the same bytes need the same further ones: nothing has to be read to know. */
function isUnchanged(before: readonly DocumentRecord[], now: readonly DocumentRecord[]): boolean {
  return now.length === before.length &&
    now.every((record) => before.some((old) => old.key === record.key && old.blob === record.blob));
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
  fetched: {
    readonly known: Known | null;
    readonly documents: readonly Fetched[];
    /** Keys of documents that belong to the upstream, and stay whatever becomes of the package. */
    readonly shared: ReadonlySet<string>;
  },
): Promise<Refreshed> {
  const { known, documents, shared } = fetched;
  const reading = await readPackage(services, request, documents.map(({ document }) => document));
  const encodedFacts = await encodeChunks(encodeFacts(reading.facts), services.timers);
  const record: PackageRecord = {
    v: 1,
    absent: false,
    documents: documents.map(({ record }) => record),
    factsDigest: encodedFacts.parts.digest,
    checkedAt: services.clock(),
    ...describedBy(request, documents.map(({ document }) => document), reading),
  };
  const current = known === null ? await services.packages.get(key) : null;
  await noteTags(services, request, { key, reading, isNew: known === null && current === null });
  const expected = known?.versionstamp ?? current?.versionstamp ?? null;
  const committed = await services.packages.commit(
    key,
    { record, facts: reading.facts, encodedFacts, layout: reading.layout },
    expected,
  );
  services.absent.delete(keyText(key));
  if (committed === null) {
    // Somebody else committed what they fetched meanwhile, which is as new as ours.
    const theirs = await anew(services, key);
    dropReplaced(services, own(record.documents, shared), theirs.record.documents);
    return { known: theirs, changed: true };
  }
  const layout = { value: reading.layout ?? null };
  const next = remember(services, { key, record, ...committed, facts: reading.facts, layout });
  const old = known?.record.documents ?? current?.record.documents ?? [];
  dropReplaced(services, own(old, shared), record.documents);
  return { known: next, changed: true };
}

const LONGEST_DESCRIPTION = 300;

/** One line, for searches. */
function describedBy(
  { ecosystem }: RefreshRequest,
  documents: readonly UpstreamDocument[],
  reading: Reading,
): Pick<PackageRecord, "description"> {
  const text = ecosystem.about?.(documents, reading)?.slice(0, 2 * LONGEST_DESCRIPTION) ?? "";
  const description = text.toWellFormed().replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim().slice(
    0,
    LONGEST_DESCRIPTION,
  );
  return description === "" ? {} : { description: description.toWellFormed() };
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

/** An authoritative 404 ends what was cached at once. */
async function forget(
  services: Services,
  key: PackageKey,
  { known, shared }: { readonly known: Known | null; readonly shared: ReadonlySet<string> },
): Promise<void> {
  const record = known?.record ?? (await services.packages.get(key))?.record ?? null;
  if (record === null) return;
  await services.packages.delete(key);
  dropReplaced(services, own(record.documents, shared), []);
}

/** Without those that belong to the upstream, which stay whatever becomes of the package. */
function own(documents: readonly DocumentRecord[], shared: ReadonlySet<string>): readonly DocumentRecord[] {
  return documents.filter((document) => !shared.has(document.key));
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
