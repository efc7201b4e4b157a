/** Loads what is known of a package: fresh from memory or KV, revalidated or fetched from upstream, stale if that fails. */
import type { DurationMs, EpochMs } from "../../policy/types.ts";
import { isBroken, StorageError, UpstreamError } from "../../storage/errors.ts";
import type { PackageKey } from "../../storage/kv/packages.ts";
import type { Upstream } from "../../storage/upstream/upstream.ts";
import type { Ecosystem, PackageRef } from "../ecosystem.ts";
import type { Copy, Forwarded } from "../outcome.ts";
import { ageMs, freshFor, holdBack, isHeldBack, levelOf, staleFor } from "./lifetimes.ts";
import { isMirrored } from "./mirror_only.ts";
import type { Known, Services } from "./services.ts";
import { refreshOnce } from "./shared_refresh.ts";

export interface LoadRequest {
  readonly ecosystem: Ecosystem;
  readonly upstream: Upstream;
  readonly subject: PackageRef;
  /** Whose absences are counted. */
  readonly address: string;
  /** It fills the mirror: what is not mirrored yet is fetched all the same. */
  readonly forMirror?: boolean;
}

export interface Loaded {
  readonly known: Known;
  readonly state: "fresh" | "revalidated" | "fetched" | "stale";
  /** Set where upstream failed: since when it did not confirm this copy. */
  readonly staleSince: EpochMs | null;
  /** How upstream was asked, by this request or one that it joined; null: it was not. */
  readonly forwarded: Forwarded | null;
  /** Why a stale copy is served. */
  readonly detail: string | null;
}

/** Of what came from memory or KV while it was fresh. */
const KEPT = { state: "fresh", staleSince: null, forwarded: null, detail: null } as const;
const MISSED: Forwarded = { why: "miss", status: 200, stored: true };
const RENEWED: Forwarded = { why: "stale", status: 304, stored: true };
/** Whether it was 404 or 410 is not kept. */
const UNKNOWN: Forwarded = { why: "miss", status: null, stored: false };
const ENDED: Forwarded = { why: "stale", status: null, stored: false };
const REPLACED: Forwarded = { why: "stale", status: 200, stored: true };

/** There is no such package: as upstream says, or as nobody is to be asked. */
export interface Absent extends Pick<Loaded, "forwarded"> {
  readonly known: null;
  /** How long that holds; null: it is not from what upstream said. */
  readonly copy: Copy | null;
}

export type LoadResult = Loaded | Absent | NotLoaded;

/** Upstream is not asked about it, whether or not it is there. */
export type NotLoaded = "too-many-absences" | "not-mirrored";

export const NOT_ASKED: Absent = { known: null, forwarded: null, copy: null };

/** The key of a package's records. */
export function packageKey(ecosystem: Ecosystem, upstream: Upstream, name: string): PackageKey {
  return {
    ecosystem: ecosystem.id,
    upstreamId: upstream.id,
    scope: upstream.scope,
    subject: "package",
    name,
  };
}

/** The same as a string, for maps; no part of it can hold the separator. */
export function keyText(key: PackageKey): string {
  return `${key.ecosystem}\n${key.upstreamId}\n${key.name}`;
}

/** Throws UpstreamError, SyntaxError, TooLargeError or StorageError where nothing usable is there. */
export async function load(services: Services, request: LoadRequest): Promise<LoadResult> {
  const key = packageKey(request.ecosystem, request.upstream, request.subject.name);
  const id = keyText(key);
  const mayBeRefused = services.mirrorOnly(key.ecosystem) !== null && request.forMirror !== true;
  if (mayBeRefused && !await isMirrored(services, key)) return "not-mirrored";
  const known = services.known.get(id);
  if (known !== undefined && isFresh(services, known)) {
    services.inUse.note(id, known.key);
    return { known, ...KEPT };
  }
  const absentUntil = services.absent.get(id);
  if (absentUntil !== undefined && services.clock() < absentUntil) {
    return absentOf(services, key, { until: absentUntil, forwarded: null });
  }
  if (known === undefined && !services.absences.allows(request.address)) {
    // Of names that are known nothing is withheld: others may share the address (a proxy in front, a build farm).
    if (await services.packages.get(key) === null) return "too-many-absences";
  }
  const result = await services.loads.run(`load\n${id}`, () => loadOnce(services, request, key));
  if (typeof result === "string") return result;
  if (result.known !== null) services.inUse.note(id, result.known.key);
  else if (absentUntil === undefined) services.absences.count(request.address);
  return result;
}

/** What is cached, however old, without asking upstream; null where nothing is. */
export async function loadCached(services: Services, key: PackageKey): Promise<Known | null> {
  const known = services.known.get(keyText(key));
  if (known !== undefined) return known;
  return await fromStorage(services, key);
}

async function loadOnce(services: Services, request: LoadRequest, key: PackageKey): Promise<LoadResult> {
  const stored = await services.packages.get(key);
  if (stored === null || stored.record.absent) return await fetched(services, request, key);
  const known = await fromStorage(services, key);
  if (known === null) return await fetched(services, request, key);
  if (isFresh(services, known)) return { known, ...KEPT };
  const { metadataTtl, staleWhileRevalidate } = services.lifetimes(key);
  if (freshFor(services, known.record, metadataTtl + staleWhileRevalidate as DurationMs)) {
    revalidateBehind(services, request, key, known);
    return { known, ...KEPT, state: "stale", detail: "stale-while-revalidate" };
  }
  if (isHeldBack(services, keyText(key)) && staleFor(services, known.record, key)) {
    const staleSince = known.record.checkedAt;
    return { known, ...KEPT, state: "stale", staleSince, detail: "stale-if-error" };
  }
  return await revalidated(services, request, key, known);
}

async function fetched(services: Services, request: LoadRequest, key: PackageKey): Promise<LoadResult> {
  const answer = await refreshOnce(services, request, key, null);
  return answer === "absent"
    ? absentOf(services, key, { forwarded: UNKNOWN })
    : { known: answer.known, ...KEPT, state: "fetched", forwarded: MISSED };
}

function absentOf(
  services: Services,
  key: PackageKey,
  { forwarded, until }: { readonly forwarded: Forwarded | null; readonly until?: EpochMs },
): Absent {
  const { absentTtl } = services.lifetimes(key);
  const checkedAt = until === undefined ? services.clock() : until - absentTtl as EpochMs;
  return { known: null, forwarded, copy: { checkedAt, freshMs: absentTtl } };
}

async function revalidated(
  services: Services,
  request: LoadRequest,
  key: PackageKey,
  known: Known,
): Promise<LoadResult> {
  try {
    const answer = await refreshOnce(services, request, key, known);
    if (answer === "absent") return absentOf(services, key, { forwarded: ENDED });
    return answer.changed
      ? { known: answer.known, ...KEPT, state: "fetched", forwarded: REPLACED }
      : { known: answer.known, ...KEPT, state: "revalidated", forwarded: RENEWED };
  } catch (error) {
    if (!staleFor(services, known.record, key) || isBroken(error)) throw error;
    holdBack(services, keyText(key));
    services.log(
      levelOf(error),
      `Serving ${key.ecosystem} ${JSON.stringify(key.name)} stale: ${messageOf(error)}`,
      {
        "upstream.origin": error instanceof UpstreamError ? error.detail.origin : "",
        "stale.age_s": Math.round(ageMs(services, known.record) / 1000),
      },
    );
    const staleSince = known.record.checkedAt;
    return { known, state: "stale", staleSince, forwarded: failedOf(error), detail: "stale-if-error" };
  }
}

/** What upstream answered instead of standing by the copy. */
function failedOf(error: unknown): Forwarded {
  const status = error instanceof UpstreamError ? error.detail.status ?? null : null;
  return { why: "stale", status, stored: false };
}

/** The one that revalidates while others are served the copy; a failure is logged by `revalidated`. */
function revalidateBehind(services: Services, request: LoadRequest, key: PackageKey, known: Known): void {
  if (isHeldBack(services, keyText(key))) return;
  const id = `revalidate\n${keyText(key)}`;
  services.background.run(`revalidate ${key.ecosystem} ${key.name}`, async () => {
    await services.refreshes.run(id, () => revalidated(services, request, key, known));
  });
}

/** Reads record, facts and first-seen times; reads again where the record was replaced meanwhile. */
export async function fromStorage(services: Services, key: PackageKey): Promise<Known | null> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const stored = await services.packages.get(key);
    if (stored === null || stored.record.absent) return null;
    const [facts, firstSeen] = await Promise.all([
      services.packages.facts(key, stored.record),
      services.packages.firstSeen(key),
    ]);
    if (facts !== null) return remember(services, { key, ...stored, facts, firstSeen });
  }
  throw new StorageError(
    `Cannot read facts of ${key.ecosystem} ${JSON.stringify(key.name)}: they changed five times`,
  );
}

/** Keeps it in memory; the one place where a Known is made. */
export function remember(
  services: Services,
  found: Omit<Known, "copy" | "revision" | "sizeBytes" | "layout"> & Partial<Pick<Known, "layout">>,
): Known {
  const revision = [
    found.record.factsDigest,
    ...found.record.documents.map((document) => document.blob ?? ""),
  ].join("|");
  const copy = { checkedAt: found.record.checkedAt, freshMs: services.lifetimes(found.key).metadataTtl };
  const sizeBytes = estimateBytes(found.facts.releases.length);
  const known: Known = { layout: { value: undefined }, ...found, copy, revision, sizeBytes };
  services.known.set(keyText(found.key), known);
  return known;
}

/** About what a release's facts and its part of the layout take once decoded; measured at 1.1 kB and 0.1 kB on V8. */
function estimateBytes(releases: number): number {
  return 2_048 + releases * 1_300;
}

function isFresh(services: Services, { key, record }: Known): boolean {
  return freshFor(services, record, services.lifetimes(key).metadataTtl);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
