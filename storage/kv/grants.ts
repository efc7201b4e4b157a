/** Audit fixes: versions that one user may have although they are younger than the minimum age. */
import { LRUCache } from "lru-cache";
import type { EpochMs } from "../../policy/types.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import type { OnRestored } from "./fence.ts";
import { keys } from "./keys.ts";

/** Packages of one user at once. */
export const MAX_GRANTED_PACKAGES = 500;
/** Versions of one package at once; the ones that end first go. */
export const MAX_GRANTED_VERSIONS = 50;
/** What another process granted is seen so much later at most. */
const CACHE_MS = 1_000;
const MAX_CACHED = 20_000;

/** Whose grant, of which package; `user` and `name` exactly as given. */
export interface GrantKey {
  readonly organisation: string;
  readonly user: string;
  readonly ecosystem: string;
  readonly name: string;
}

export interface Grant extends GrantKey {
  /** Version → until when. Joined to what was granted before; the later end counts. */
  readonly versions: ReadonlyMap<string, EpochMs>;
}

/** Throws StorageError where KV fails. */
export interface Grants {
  /** false: the user holds grants for as many packages as one may, and nothing was granted. */
  put(grant: Grant): Promise<boolean>;
  /** Version → until when, of those that have not ended. */
  get(key: GrantKey): Promise<ReadonlyMap<string, EpochMs>>;
}

interface GrantRecord {
  readonly v: 1;
  readonly expiresAt: EpochMs;
  readonly versions: readonly (readonly [string, EpochMs])[];
}

const NONE: ReadonlyMap<string, EpochMs> = new Map();
const ATTEMPTS = 10;

/** Answers from memory for a second. */
export function createGrants(
  kv: Deno.Kv,
  { clock, onRestored }: { readonly clock: Clock; readonly onRestored?: OnRestored },
): Grants {
  const cache = new LRUCache<
    string,
    { readonly at: EpochMs; readonly versions: ReadonlyMap<string, EpochMs> }
  >({
    max: MAX_CACHED,
  });
  onRestored?.(() => cache.clear());

  async function put(grant: Grant): Promise<boolean> {
    const key = keyOf(grant);
    for (let i = 0; i < ATTEMPTS; i++) {
      const now = clock();
      const entry = await attempt("read a grant", () => kv.get<GrantRecord>(key));
      if (entry.value === null && await isFull(grant)) return false;
      const versions = joined(valid(entry.value, now), grant.versions, now);
      if (versions.length === 0) return true;
      const expiresAt = Math.max(...versions.map(([, until]) => until)) as EpochMs;
      const record: GrantRecord = { v: 1, expiresAt, versions };
      const done = await attempt(
        "write a grant",
        () => kv.atomic().check(entry).set(key, record, { expireIn: expiresAt - now }).commit(),
      );
      if (!done.ok) continue;
      cache.set(cacheKey(grant), { at: now, versions: new Map(versions) });
      return true;
    }
    return false;
  }

  async function isFull({ organisation, user }: GrantKey): Promise<boolean> {
    let count = 0;
    await attempt("count grants", async () => {
      const prefix = keys.grants(organisation, user);
      for await (const { value } of kv.list<GrantRecord>({ prefix }, { limit: 2 * MAX_GRANTED_PACKAGES })) {
        if (value.expiresAt > clock()) count++;
      }
    });
    return count >= MAX_GRANTED_PACKAGES;
  }

  async function get(grant: GrantKey): Promise<ReadonlyMap<string, EpochMs>> {
    const now = clock();
    const name = cacheKey(grant);
    const held = cache.get(name);
    if (held !== undefined && now >= held.at && now - held.at < CACHE_MS) {
      return stillValid(held.versions, now);
    }
    const entry = await attempt("read a grant", () => kv.get<GrantRecord>(keyOf(grant)));
    const versions = valid(entry.value, now);
    cache.set(name, { at: now, versions });
    return versions;
  }

  return { put, get };
}

function keyOf({ organisation, user, ecosystem, name }: GrantKey): Deno.KvKey {
  return keys.grant(organisation, user, ecosystem, name);
}

function cacheKey({ organisation, user, ecosystem, name }: GrantKey): string {
  return JSON.stringify([organisation, user, ecosystem, name]);
}

function valid(record: GrantRecord | null, now: EpochMs): ReadonlyMap<string, EpochMs> {
  return record === null ? NONE : stillValid(new Map(record.versions), now);
}

function stillValid(versions: ReadonlyMap<string, EpochMs>, now: EpochMs): ReadonlyMap<string, EpochMs> {
  if (versions.size === 0) return NONE;
  return new Map([...versions].filter(([, until]) => until > now));
}

function joined(
  old: ReadonlyMap<string, EpochMs>,
  more: ReadonlyMap<string, EpochMs>,
  now: EpochMs,
): [string, EpochMs][] {
  const all = new Map(old);
  for (const [version, until] of more) {
    if (until > now && until > (all.get(version) ?? 0)) all.set(version.toWellFormed().slice(0, 256), until);
  }
  return [...all].sort(([, a], [, b]) => b - a).slice(0, MAX_GRANTED_VERSIONS);
}
