/** What a package's tags were, and since when: one small value for each package, which outlives a purge. */
import { gunzipSync, gzipSync } from "node:zlib";
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import { attempt } from "./call.ts";
import { CHUNK_BYTES } from "./chunks.ts";
import { keys } from "./keys.ts";
import type { PackageKey } from "./packages.ts";

/** A name that moves from release to release: npm's dist-tag. */
export type Tag = readonly [tag: string, version: string];

export interface TagHistory {
  /** Adds what changed since the last time, if anything did. Throws StorageError. */
  note(key: PackageKey, tags: readonly Tag[], at: EpochMs): Promise<void>;
  /** null: so far back nothing is known. Throws StorageError. */
  asOf(key: PackageKey, instant: EpochMs): Promise<readonly Tag[] | null>;
  /** When it began and each change after, oldest first. Throws StorageError. */
  changes(key: PackageKey): Promise<readonly EpochMs[]>;
}

/** Beyond, the oldest two are one. */
const MAX_CHANGES = 500;
/** Of one package; `latest` is always among them. */
const MAX_TAGS = 10_000;
const MAX_INFLATED_BYTES = 16 * 1024 * 1024;
const ATTEMPTS = 10;

interface Change {
  readonly at: EpochMs;
  /** Those that moved or are new. */
  readonly set: readonly Tag[];
  readonly gone: readonly string[];
}

/** JSON. The first change sets all that there were. */
interface History {
  readonly changes: readonly Change[];
}

interface StoredHistory {
  readonly v: 1;
  readonly json: Uint8Array;
}

/** Several processes may note at once: one after the other. */
export function createTagHistory(kv: Deno.Kv): TagHistory {
  async function read(key: PackageKey) {
    const entry = await attempt(
      `read the tags of ${JSON.stringify(key.name)}`,
      () => kv.get<StoredHistory>(keys.tagHistory(key)),
    );
    return { entry, history: entry.value === null ? null : decode(key, entry.value) };
  }

  return {
    async note(key, tags, at) {
      for (let i = 0; i < ATTEMPTS; i++) {
        const { entry, history } = await read(key);
        const next = withChange(history, bounded(tags), at);
        if (next === null) return;
        const done = await attempt(
          `write the tags of ${JSON.stringify(key.name)}`,
          () => kv.atomic().check(entry).set(keys.tagHistory(key), encode(next)).commit(),
        );
        if (done.ok) return;
      }
      throw new StorageError(
        `Cannot write the tags of ${JSON.stringify(key.name)}: too many changes at once`,
      );
    },
    async asOf(key, instant) {
      const { history } = await read(key);
      const until = (history?.changes ?? []).filter(({ at }) => at <= instant);
      return until.length === 0 ? null : [...replay(until)];
    },
    async changes(key) {
      return ((await read(key)).history?.changes ?? []).map(({ at }) => at);
    },
  };
}

/** null: nothing changed. */
function withChange(history: History | null, tags: readonly Tag[], at: EpochMs): History | null {
  if (history === null) return { changes: [{ at, set: tags, gone: [] }] };
  const before = replay(history.changes);
  const after = new Map(tags);
  const set = tags.filter(([tag, version]) => before.get(tag) !== version);
  const gone = [...before.keys()].filter((tag) => !after.has(tag));
  if (set.length === 0 && gone.length === 0) return null;
  // A clock that was set back makes no order of its own.
  const last = history.changes.at(-1)?.at ?? at;
  const changes = [...history.changes, { at: last > at ? last : at, set, gone }];
  return { changes: changes.length > MAX_CHANGES ? merged(changes) : changes };
}

function replay(changes: readonly Change[]): Map<string, string> {
  const tags = new Map<string, string>();
  for (const { set, gone } of changes) {
    for (const tag of gone) tags.delete(tag);
    for (const [tag, version] of set) tags.set(tag, version);
  }
  return tags;
}

/** The oldest two as one, at the time of the second: what was before is not known any more. */
function merged(changes: readonly Change[]): readonly Change[] {
  const second = changes[1];
  if (second === undefined) return changes;
  return [{ at: second.at, set: [...replay(changes.slice(0, 2))], gone: [] }, ...changes.slice(2)];
}

function bounded(tags: readonly Tag[]): readonly Tag[] {
  if (tags.length <= MAX_TAGS) return tags;
  return [...tags.filter(([tag]) => tag === "latest"), ...tags.filter(([tag]) => tag !== "latest")]
    .slice(0, MAX_TAGS);
}

/** The oldest changes, then the last tags, are given up until it fits one KV value. */
function encode(history: History): StoredHistory {
  let { changes } = history;
  while (true) {
    const json = new Uint8Array(gzipSync(new TextEncoder().encode(JSON.stringify({ changes }))));
    if (json.byteLength <= CHUNK_BYTES) return { v: 1, json };
    if (changes.length > 1) {
      const half = Math.max(2, changes.length >> 1);
      const kept = changes.slice(half);
      const at = changes[half - 1]!.at;
      changes = [{ at, set: [...replay(changes.slice(0, half))], gone: [] }, ...kept];
    } else {
      changes = changes.map((change) => ({ ...change, set: change.set.slice(0, change.set.length >> 1) }));
    }
  }
}

function decode(key: PackageKey, { v, json }: StoredHistory): History {
  try {
    const history = JSON.parse(
      new TextDecoder().decode(gunzipSync(json, { maxOutputLength: MAX_INFLATED_BYTES })),
    );
    if (v === 1 && Array.isArray(history.changes)) return history;
  } catch (cause) {
    throw new StorageError(`Cannot read the tags of ${JSON.stringify(key.name)}: they are damaged`, {
      cause,
    });
  }
  throw new StorageError(
    `Cannot read the tags of ${JSON.stringify(key.name)}: their version ${v} is unknown`,
  );
}
