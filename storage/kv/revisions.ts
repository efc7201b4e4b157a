/** A document with its history: a head that names the current revision, and revisions that are never changed. */
import { StorageError } from "../errors.ts";
import type { EpochMs } from "../../policy/types.ts";
import { attempt } from "./call.ts";
import { deleteParts, dropParts, encodeChunks, type Parts, readParts, writeParts } from "./chunks.ts";
import { keys } from "./keys.ts";
import { OrganisationError } from "./organisation_error.ts";

/** Of one policy or floor as JSON. */
export const MAX_DOCUMENT_BYTES = 4_000_000;
/** The oldest beyond are dropped. */
export const MAX_REVISIONS = 200;
const MAX_AUTHOR = 200;
const MAX_MESSAGE = 1_000;

/** Who changed what when; `revision` counts from 1 without gaps. */
export interface Revision {
  readonly revision: number;
  readonly at: EpochMs;
  readonly author: string;
  readonly message: string;
}

/** As kept in KV. */
interface RevisionRecord extends Revision {
  readonly v: 1;
  readonly parts: { readonly source: Parts };
}

/** Where one document's revisions are. */
export interface Series {
  /** What it is called in messages: `policy of organisation "acme"`. */
  readonly title: string;
  readonly head: Deno.KvKey;
  readonly all: Deno.KvKey;
  one(revision: number): Deno.KvKey;
}

export interface Append {
  /** The head's versionstamp that this change was made upon; null: there is none. */
  readonly expected: string | null;
  /** Its new value. */
  readonly head: { readonly revision: number };
  readonly revision: Revision;
  readonly source: unknown;
  /** Set in the same commit, so that their versionstamps change. */
  readonly stamps: readonly Deno.KvKey[];
}

/** Head, revision and stamps in one commit. false: the head was changed meanwhile. */
export async function appendRevision(kv: Deno.Kv, series: Series, change: Append): Promise<boolean> {
  const { revision } = change;
  const encoded = await encodeChunks([sourceBytes(series, change.source)]);
  const owner = series.one(revision.revision);
  const record: RevisionRecord = {
    v: 1,
    revision: revision.revision,
    at: revision.at,
    author: text(revision.author, MAX_AUTHOR),
    message: text(revision.message, MAX_MESSAGE),
    parts: { source: encoded.parts },
  };
  const atomic = kv.atomic().check({ key: series.head, versionstamp: change.expected });
  await writeParts(kv, atomic, [{ owner, value: encoded }]);
  atomic.set(series.head, change.head).set(owner, record);
  for (const stamp of change.stamps) atomic.set(stamp, { at: revision.at });
  const done = await attempt(`write the ${series.title}`, () => atomic.commit());
  if (!done.ok) {
    await dropParts(kv, [{ owner, value: encoded }]);
    return false;
  }
  await dropOld(kv, series, revision.revision - MAX_REVISIONS);
  return true;
}

async function dropOld(kv: Deno.Kv, series: Series, revision: number): Promise<void> {
  if (revision < 1) return;
  const key = series.one(revision);
  const old = await kv.get<RevisionRecord>(key);
  if (old.value === null) return;
  await attempt(`drop revision ${revision} of the ${series.title}`, () => kv.delete(key));
  await deleteParts(kv, key, old.value.parts.source);
}

function sourceBytes(series: Series, source: unknown): Uint8Array {
  const json = JSON.stringify(source);
  if (json === undefined) {
    throw new OrganisationError(`Cannot write the ${series.title}: there is no document`, "invalid-policy");
  }
  const bytes = new TextEncoder().encode(json);
  if (bytes.byteLength > MAX_DOCUMENT_BYTES) {
    throw new OrganisationError(
      `Cannot write the ${series.title}: it has ${bytes.byteLength} bytes as JSON, and ${MAX_DOCUMENT_BYTES} are the limit`,
      "too-large",
    );
  }
  return bytes;
}

/** null: there is no such revision (any more). */
export async function readRevision(
  kv: Deno.Kv,
  series: Series,
  revision: number,
): Promise<{ readonly revision: Revision; readonly source: unknown } | null> {
  const key = series.one(revision);
  const found = await attempt(
    `read revision ${revision} of the ${series.title}`,
    () => kv.get<RevisionRecord>(key),
  );
  if (found.value === null) return null;
  const bytes = await readParts(kv, key, found.value.parts.source);
  // Parts are gone before their revision is read again only where it was dropped meanwhile.
  if (bytes === null) return await stillThere(kv, series, key, found.versionstamp, revision);
  return { revision: publicPart(found.value), source: JSON.parse(new TextDecoder().decode(bytes)) };
}

async function stillThere(
  kv: Deno.Kv,
  series: Series,
  key: Deno.KvKey,
  versionstamp: string | null,
  revision: number,
): Promise<null> {
  const again = await kv.get(key);
  if (again.versionstamp !== versionstamp) return null;
  throw new StorageError(`Cannot read revision ${revision} of the ${series.title}: parts of it are missing`);
}

/** The newest first. */
export async function listRevisions(kv: Deno.Kv, series: Series): Promise<Revision[]> {
  const found: Revision[] = [];
  await attempt(`read the history of the ${series.title}`, async () => {
    for await (const entry of kv.list<RevisionRecord>({ prefix: series.all }, { reverse: true })) {
      found.push(publicPart(entry.value));
    }
  });
  return found;
}

function publicPart({ revision, at, author, message }: RevisionRecord): Revision {
  return { revision, at, author, message };
}

function text(value: string, max: number): string {
  return value.toWellFormed().slice(0, max).toWellFormed();
}

/** The series of an organisation's policy. `life`: see `keys`. */
export function policySeries(id: string, life: string): Series {
  return {
    title: `policy of organisation "${id}"`,
    head: keys.organisation(id),
    all: keys.policyRevisions(id, life),
    one: (n) => keys.policyRevision(id, life, n),
  };
}

/** The series of the instance's floor. */
export function floorSeries(): Series {
  return {
    title: "instance's floor",
    head: keys.floor(),
    all: keys.floorRevisions(),
    one: (n) => keys.floorRevision(n),
  };
}
