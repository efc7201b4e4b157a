/**
 * Fills the cache before anybody asks: what is wanted is loaded and decided by the same gate as in `serve()`, and
 * fetched by the same fills. Nobody received anything, so the install log has no line of it; refusals are answered,
 * and are none of the log either.
 */
import { newestAllowed } from "../../policy/explain.ts";
import { permits } from "../../policy/types.ts";
import { IntegrityError, StorageError, TooLargeError, UpstreamError } from "../../storage/errors.ts";
import { createSlots, type Slots } from "../../storage/slots.ts";
import { formatPurl } from "../_shared/purl.ts";
import { notMirroredText } from "../mirrors.ts";
import type { RegistryRequest } from "../outcome.ts";
import { type Gated, loadOf } from "./gate.ts";
import { merged } from "./merged.ts";
import { chooseFiles, type Chosen, MissingError } from "./prefetch_choose.ts";
import { fetchFile, holdAgainst, isHere } from "./prefetch_file.ts";
import type { Prefetched, PrefetchOptions, Wish } from "./prefetch_types.ts";
import { explainRefusal } from "./refuse.ts";
import type { Services } from "./services.ts";
import { fileOf } from "./verdicts.ts";

/** Of one origin at once; clients that install meanwhile keep most of what there is. */
const PER_ORIGIN = 6;
const PACKAGES_AT_ONCE = 12;
const FILES_AT_ONCE = 6;

interface Run extends PrefetchOptions {
  readonly services: Services;
  readonly originSlots: Map<string, Slots>;
}

/**
 * As they end, in no order, and what they came to before each; as fast as they are taken. A wish that fails is one of the answers; throws only what is
 * nobody's fault but ours. Ended early it says nothing more, and what was filled by then stays.
 */
export async function* prefetch(
  services: Services,
  wishes: Iterable<Wish>,
  options: PrefetchOptions,
): AsyncGenerator<Prefetched | "wish-ended"> {
  const run: Run = { ...options, services, originSlots: new Map() };
  yield* merged(wishes, { concurrency: PACKAGES_AT_ONCE, begin: (wish) => fulfil(run, wish) });
}

async function* fulfil(run: Run, wish: Wish): AsyncGenerator<Prefetched | "wish-ended"> {
  if (run.signal?.aborted) return;
  const version = typeof wish.versions === "object" ? wish.versions.exact : null;
  try {
    const request = requestOf(run, wish);
    const gated = await gatedOf(run, request, wish);
    const versions = gated === "not-mirrored" ? [] : versionsOf(gated, wish);
    if (gated === "not-mirrored") {
      const message = notMirroredText(wish.ecosystem, JSON.stringify(wish.name));
      yield about(wish, version, { outcome: "refused", message, rule: gated });
    } else if (typeof versions === "string") {
      yield about(wish, null, { outcome: "refused", message: versions, rule: "policy" });
    } else {
      yield* merged(versions.flatMap((each) => chosenOf(run, gated, wish, each)), {
        concurrency: FILES_AT_ONCE,
        begin: (file) => fulfilFile(run, request, gated, wish, file),
      });
    }
  } catch (error) {
    yield failure(wish, version, error);
  }
  if (!run.signal?.aborted) yield "wish-ended";
}

async function gatedOf(
  { services, forMirror = false }: Run,
  request: RegistryRequest,
  { name }: Wish,
): Promise<Gated | "not-mirrored"> {
  const gated = await loadOf(services, request, { kind: "package", name }, { forMirror });
  if (gated === "not-mirrored") return gated;
  if (gated === "too-many-absences") {
    throw new MissingError("Too many packages that do not exist were asked for: try again in ten minutes");
  }
  if ("known" in gated) throw new MissingError(`There is no package ${JSON.stringify(name)}`);
  return gated;
}

/** A sentence: nothing may be had. */
function versionsOf({ verdicts }: Gated, { versions, ecosystem, name }: Wish): readonly string[] | string {
  const { known: { facts }, decisions } = verdicts;
  if (versions === "index") return [];
  if (typeof versions === "function") return versions(facts, decisions);
  if (versions === "newest") {
    const newest = newestAllowed(facts, decisions, ecosystem.versions);
    return newest === null ? `No release of ${name} is allowed.` : [newest];
  }
  const { compare, isValid } = ecosystem.versions;
  const { exact } = versions;
  const release = facts.releases.find(({ version }) => version === exact) ??
    facts.releases.find(({ version }) => isValid(exact) && compare(version, exact) === 0);
  if (release === undefined) throw new MissingError(`${name} has no release ${JSON.stringify(exact)}`);
  return [release.version];
}

function chosenOf(run: Run, { verdicts }: Gated, wish: Wish, version: string): readonly Chosen[] {
  const release = verdicts.known.facts.releases.find((each) => each.version === version);
  return release === undefined ? [] : chooseFiles(release, wish, run.wantsFile);
}

async function* fulfilFile(
  run: Run,
  request: RegistryRequest,
  gated: Gated,
  wish: Wish,
  { filename, version, problem, unstated }: Chosen,
): AsyncGenerator<Prefetched> {
  const { services } = run;
  const { verdicts, upstream } = gated;
  if (run.signal?.aborted) return;
  const label = { version, filename };
  try {
    if (problem !== null) throw new MissingError(problem);
    const ask = { kind: "artifact", subject: { kind: "package", name: wish.name }, filename } as const;
    const decision = verdicts.decisions.artifact(filename);
    const file = decision === null ? null : fileOf(verdicts, wish.ecosystem, ask);
    if (decision === null || file === null) throw new MissingError(`${wish.name} has no file ${filename}`);
    if (!permits(decision)) {
      const refused = { ask, version, filename, decision };
      const { sentence, reason } = explainRefusal(request, verdicts, refused, services.clock());
      return yield about(wish, label, { outcome: "refused", message: sentence, rule: reason.rule });
    }
    if (verdicts.policy.artifacts === "upstream") {
      throw new MissingError(`The policy's "artifacts: upstream" sends clients elsewhere: nothing is kept`);
    }
    const placed = { services, request, verdicts, upstream, filename, location: file.location };
    const sidecars = wish.ecosystem.sidecars?.(ask, verdicts.known.facts) ?? [];
    const bytes = await isHere(placed);
    if (bytes === null && run.isDryRun) {
      return yield about(wish, label, { outcome: "wanted", bytes: file.location.sizeBytes ?? 0 });
    }
    const origin = new URL(file.location.url, upstream.root).origin;
    const fetching = { placed, sidecars: run.isDryRun ? [] : sidecars, loaded: gated.loaded };
    const release = await slotsOf(run, origin).acquire();
    try {
      if (run.signal?.aborted) return;
      const filled = await fetchFile(fetching, { bytes, signal: run.signal });
      await holdAgainst(placed, unstated);
      yield about(wish, label, { outcome: bytes === null ? "filled" : "kept", bytes: filled });
    } finally {
      release();
    }
  } catch (error) {
    if (run.signal?.aborted) return;
    yield failure(wish, label, error);
  }
}

function slotsOf({ originSlots }: Run, origin: string): Slots {
  const slots = originSlots.get(origin) ?? createSlots({ maxConcurrent: PER_ORIGIN, maxWaiting: Infinity });
  originSlots.set(origin, slots);
  return slots;
}

/** As an ask of nobody in particular, below this organisation's address. */
function requestOf(run: Run, { ecosystem }: Wish): RegistryRequest {
  const { organisation, site, asker } = run;
  return {
    ecosystem,
    organisation,
    site,
    mount: `${site}/${ecosystem.id}`,
    atRoot: false,
    request: { method: "GET", segments: [], query: new URLSearchParams(), headers: new Map() },
    caller: {
      organisation: organisation.id,
      user: null,
      address: asker,
      client: { name: "", version: "", command: null },
    },
    body: () => Promise.resolve(new Uint8Array()),
  };
}

type About = { readonly version: string; readonly filename: string } | string | null;

function about(
  { ecosystem, name, where }: Wish,
  what: About,
  found: Pick<Prefetched, "outcome"> & Partial<Prefetched>,
): Prefetched {
  const version = typeof what === "string" ? what : what?.version ?? null;
  return {
    purl: formatPurl({ type: ecosystem.purlType, name, version }),
    filename: typeof what === "string" ? null : what?.filename ?? null,
    bytes: 0,
    message: null,
    rule: null,
    where,
    ...found,
  };
}

/** Rethrows what is no failure of upstream, storage or the wish. */
function failure(wish: Wish, what: About, error: unknown): Prefetched {
  const isTold = error instanceof MissingError || error instanceof UpstreamError ||
    error instanceof IntegrityError || error instanceof StorageError || error instanceof TooLargeError ||
    error instanceof SyntaxError;
  if (!isTold) throw error;
  return about(wish, what, { outcome: "failed", message: error.message });
}
