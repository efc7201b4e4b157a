/** Packages that are asked for, and when each of them is refreshed next: whoever takes one moves that time, with a check. */
import type { EpochMs } from "../../policy/types.ts";
import { attempt, getAll } from "./call.ts";
import { keys } from "./keys.ts";
import type { PackageKey } from "./packages.ts";

/** As kept in KV. */
export interface PackageInUse {
  readonly v: 1;
  readonly key: PackageKey;
  /** When it was asked for, to within half a day. */
  readonly usedAt: EpochMs;
  readonly dueAt: EpochMs;
  /** How often in a row it could not be refreshed. */
  readonly failures: number;
}

/** One of them, and what a change of it is checked against. */
export interface HeldInUse {
  readonly entry: PackageInUse;
  readonly versionstamp: string;
}

export interface PackagesInUse {
  /** Asked for at `usedAt`; one that was not among them is, due at `firstDue`. */
  note(key: PackageKey, times: { readonly usedAt: EpochMs; readonly firstDue: EpochMs }): Promise<void>;
  /** Of one upstream, the longest due first. */
  due(upstreamId: string, options: { readonly until: EpochMs; readonly limit: number }): Promise<HeldInUse[]>;
  /** null: somebody else was faster. */
  move(
    held: HeldInUse,
    to: { readonly dueAt: EpochMs; readonly failures: number },
  ): Promise<HeldInUse | null>;
  /** It is refreshed no more. Nothing happens where somebody else was faster. */
  drop(held: HeldInUse): Promise<void>;
  /** Of one upstream; counts up to `most`. */
  count(upstreamId: string, options: { readonly now: EpochMs; readonly most: number }): Promise<{
    readonly packages: number;
    readonly overdue: number;
    readonly nextAt: EpochMs | null;
  }>;
}

/** Throws StorageError where KV fails. */
export function createPackagesInUse(kv: Deno.Kv): PackagesInUse {
  async function note(...[key, { usedAt, firstDue }]: Parameters<PackagesInUse["note"]>): Promise<void> {
    await attempt("write down that a package is in use", async () => {
      const at = keys.packageInUse(key);
      const { value, versionstamp } = await kv.get<PackageInUse>(at);
      if (value !== null && value.usedAt >= usedAt) return;
      const entry: PackageInUse = value === null
        ? { v: 1, key, usedAt, dueAt: firstDue, failures: 0 }
        // A time that was set by a clock that was ahead.
        : { ...value, usedAt, dueAt: Math.min(value.dueAt, firstDue) as EpochMs };
      // Lost to whoever moves it just now: the next use is written down.
      await write({ at, versionstamp, before: value }, entry);
    });
  }

  async function write(
    was: {
      readonly at: Deno.KvKey;
      readonly versionstamp: string | null;
      readonly before: PackageInUse | null;
    },
    entry: PackageInUse,
  ): Promise<string | null> {
    const { at, versionstamp, before } = was;
    const atomic = kv.atomic().check({ key: at, versionstamp }).set(at, entry);
    if (before?.dueAt !== entry.dueAt) {
      if (before !== null) atomic.delete(dueKey(before));
      atomic.set(dueKey(entry), null);
    }
    const done = await atomic.commit();
    return done.ok ? done.versionstamp : null;
  }

  async function due(...[upstreamId, { until, limit }]: Parameters<PackagesInUse["due"]>) {
    return await attempt("look for packages to refresh", async () => {
      const prefix = keys.refreshesDue(upstreamId);
      const selector = { prefix, end: [...prefix, until + 1] };
      const found = await Array.fromAsync(kv.list(selector, { limit }), ({ key }) => key);
      const entries = await getAll<PackageInUse>(kv, found.map(recordKey));
      const held: HeldInUse[] = [];
      for (const [at, { value, versionstamp }] of entries.entries()) {
        if (value !== null && value.dueAt === found[at]!.at(-5)) held.push({ entry: value, versionstamp });
        // A time that no package has: what was moved or dropped meanwhile, or by halves.
        else await kv.delete(found[at]!);
      }
      return held;
    });
  }

  async function move(...[held, to]: Parameters<PackagesInUse["move"]>): Promise<HeldInUse | null> {
    const entry = { ...held.entry, ...to };
    const was = { at: keys.packageInUse(entry.key), versionstamp: held.versionstamp, before: held.entry };
    const versionstamp = await attempt("plan a package's refresh", () => write(was, entry));
    return versionstamp === null ? null : { entry, versionstamp };
  }

  async function drop({ entry, versionstamp }: HeldInUse): Promise<void> {
    const key = keys.packageInUse(entry.key);
    await attempt(
      "end a package's refreshing",
      () => kv.atomic().check({ key, versionstamp }).delete(key).delete(dueKey(entry)).commit(),
    );
  }

  async function count(...[upstreamId, { now, most }]: Parameters<PackagesInUse["count"]>) {
    return await attempt("count the packages in use", async () => {
      const prefix = keys.refreshesDue(upstreamId);
      let [packages, overdue, nextAt] = [0, 0, null as EpochMs | null];
      for await (const { key } of kv.list({ prefix }, { limit: most, batchSize: 500 })) {
        const at = key.at(-5) as EpochMs;
        nextAt ??= at;
        packages += 1;
        if (at <= now) overdue += 1;
      }
      return { packages, overdue, nextAt };
    });
  }

  return { note, due, move, drop, count };
}

function dueKey({ key, dueAt }: PackageInUse): Deno.KvKey {
  return keys.refreshDue(key.upstreamId, dueAt, key);
}

/** From `[…, upstream, time, ecosystem, upstream, subject, name]`. */
function recordKey(due: Deno.KvKey): Deno.KvKey {
  return [...keys.packagesInUse(), ...due.slice(-4)];
}
