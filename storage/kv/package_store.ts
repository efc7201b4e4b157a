/** Packages in KV: the record is the commit point; facts and layout are chunks that it points at. */
import type { PackageFacts } from "../../policy/types.ts";
import { paced } from "../paced.ts";
import type { Timers } from "../runtime.ts";
import { realTimers } from "../timers.ts";
import { attempt, deletePrefix } from "./call.ts";
import { deleteParts, dropParts, type Parts, readParts, writeParts } from "./chunks.ts";
import { decodeFacts } from "./facts_codec.ts";
import { readFirstSeen } from "./first_seen.ts";
import { deleteReplaced, readFirstSeenEntry, updateFirstSeen } from "./first_seen_store.ts";
import { HASH_KEY_BYTES } from "./keyed_hash.ts";
import { keys } from "./keys.ts";
import {
  type EncodedNext,
  encodeNext,
  filenamesOf,
  type Next,
  reuse,
  sameContent,
} from "./package_content.ts";
import type { Committed, PackageKey, PackageRecord, Packages } from "./packages.ts";

/** As kept: with what its key cannot say, and where its large values are. */
interface StoredPackage {
  readonly v: 1;
  readonly key: PackageKey;
  readonly record: PackageRecord;
  readonly parts: { readonly facts: Parts | null; readonly layout: Parts | null };
}

type Entry = Deno.KvEntryMaybe<StoredPackage>;

export interface PackagesDeps {
  /** So many random bytes; `crypto.getRandomValues` if not given. */
  readonly random?: (bytes: number) => Uint8Array;
  /** For pauses within long work; the runtime's if not given. */
  readonly timers?: Timers;
}

/** Two commits race for first-seen times only where two upstreams share a scope. */
const ATTEMPTS = 10;

/** Throws StorageError where KV fails or a stored value is damaged. */
export function createPackages(kv: Deno.Kv, deps: PackagesDeps = {}): Packages {
  const random = deps.random ?? ((bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)));
  const timers = deps.timers ?? realTimers;

  function entryOf(key: PackageKey): Promise<Entry> {
    return attempt(
      `read the package ${JSON.stringify(key.name)}`,
      () => kv.get<StoredPackage>(keys.package(key)),
    );
  }

  async function get(key: PackageKey) {
    const entry = await entryOf(key);
    if (entry.value === null) return null;
    return { record: entry.value.record, versionstamp: entry.versionstamp };
  }

  /** null: replaced meanwhile, or without that part. */
  async function part(key: PackageKey, record: PackageRecord, which: "facts" | "layout") {
    const entry = await entryOf(key);
    if (entry.value === null || !sameContent(entry.value.record, record)) return { found: false } as const;
    const parts = entry.value.parts[which];
    if (parts === null) return { found: true, bytes: null } as const;
    const bytes = await readParts(kv, keys.package(key), parts, timers);
    if (bytes !== null) return { found: true, bytes } as const;
    await healIfBroken(key, entry);
    return { found: false } as const;
  }

  /**
   * Chunks that are missing although the record is still the same will not come back (a store restored from
   * elsewhere, a crash amid a deletion): without the record, the package is fetched anew. First-seen times stay.
   */
  async function healIfBroken(key: PackageKey, entry: Entry): Promise<void> {
    await attempt(
      `drop the damaged package ${JSON.stringify(key.name)}`,
      () => kv.atomic().check(entry).delete(keys.package(key)).commit(),
    );
  }

  async function facts(key: PackageKey, record: PackageRecord): Promise<PackageFacts | null> {
    const { bytes } = await part(key, record, "facts");
    return bytes ? await paced(decodeFacts(bytes), timers) : null;
  }

  async function layout(key: PackageKey, record: PackageRecord): Promise<unknown> {
    const { found, bytes } = await part(key, record, "layout");
    if (!found) return undefined;
    return bytes ? JSON.parse(new TextDecoder().decode(bytes)) : null;
  }

  async function firstSeen(key: PackageKey) {
    const { bytes } = await readFirstSeenEntry(kv, keys.firstSeen(key));
    return bytes && await paced(readFirstSeen(bytes), timers);
  }

  async function commit(key: PackageKey, next: Next, expected: string | null): Promise<Committed | null> {
    const encoded = await encodeNext(key, next, timers);
    for (let i = 0; i < ATTEMPTS; i++) {
      const entry = await entryOf(key);
      if (entry.versionstamp !== expected) return null;
      const committed = await commitOnce(key, next, encoded, entry);
      if (committed !== null) return committed;
    }
    return null;
  }

  async function commitOnce(
    key: PackageKey,
    next: Next,
    encoded: EncodedNext,
    entry: Entry,
  ): Promise<Committed | null> {
    const owner = keys.package(key);
    const old = entry.value?.parts ?? { facts: null, layout: null };
    // What did not change stays where it is: the check on the record proves that it is still there.
    const facts = reuse(old.facts, encoded.facts);
    const layout = reuse(old.layout, encoded.layout);
    const stored: StoredPackage = {
      v: 1,
      key,
      record: next.record,
      parts: { facts: facts.parts, layout: layout.parts },
    };
    const seen = await seenUpdate(key, next);
    const chunks = [
      ...[...facts.write, ...layout.write].map((value) => ({ owner, value })),
      ...(seen?.update?.chunks ?? []).map((value) => ({ owner: seen!.entry.key, value })),
    ];

    const atomic = kv.atomic().check(entry).set(owner, stored);
    await writeParts(kv, atomic, chunks);
    const update = seen?.update ?? null;
    if (seen !== null && update !== null) {
      atomic.check({ key: seen.entry.key, versionstamp: seen.entry.versionstamp });
      atomic.set(seen.entry.key, update.record);
    }
    const done = await attempt(`write the package ${JSON.stringify(key.name)}`, () => atomic.commit());
    if (!done.ok) {
      await dropParts(kv, chunks);
      return null;
    }
    if (facts.parts !== old.facts) await deleteParts(kv, owner, old.facts);
    if (layout.parts !== old.layout) await deleteParts(kv, owner, old.layout);
    if (seen !== null && update !== null) await deleteReplaced(kv, seen.entry);
    const bytes = update?.bytes ?? seen?.entry.bytes ?? null;
    const firstSeen = bytes === null ? null : await paced(readFirstSeen(bytes), timers);
    return { versionstamp: done.versionstamp, firstSeen };
  }

  /** `update` null: every one of its files was seen already. */
  async function seenUpdate(key: PackageKey, next: Next) {
    if (next.facts === null || key.subject === "catalogue") return null;
    const entry = await readFirstSeenEntry(kv, keys.firstSeen(key));
    const update = await updateFirstSeen(entry, {
      filenames: filenamesOf(next.facts),
      at: next.record.checkedAt,
      salt: () => random(HASH_KEY_BYTES),
      timers,
    });
    return { entry, update };
  }

  async function touch(key: PackageKey, record: PackageRecord, expected: string): Promise<boolean> {
    const entry = await entryOf(key);
    if (entry.value === null || entry.versionstamp !== expected) return false;
    if (!sameContent(entry.value.record, record)) {
      throw new TypeError(`Cannot touch the package ${JSON.stringify(key.name)}: facts or documents differ`);
    }
    const done = await attempt(
      `renew the package ${JSON.stringify(key.name)}`,
      () => kv.atomic().check(entry).set(keys.package(key), { ...entry.value, record }).commit(),
    );
    return done.ok;
  }

  async function remove(key: PackageKey): Promise<void> {
    await attempt(`delete the package ${JSON.stringify(key.name)}`, async () => {
      await kv.delete(keys.package(key));
      await deletePrefix(kv, keys.partsOf(keys.package(key)));
    });
  }

  async function* list(ecosystem?: string) {
    const entries = kv.list<StoredPackage>({ prefix: keys.packages(ecosystem) });
    while (true) {
      const { done, value } = await attempt("list the packages", () => entries.next());
      if (done) return;
      yield { key: value.value.key, record: value.value.record };
    }
  }

  return { get, facts, layout, firstSeen, commit, touch, delete: remove, list };
}
