/**
 * Keeps mirrors filled: for each entry one job in its time, which makes one for each package, which prefetches the
 * wanted releases, pins them and lets go of those that are wanted no more. Jobs are in KV: any process does them, one
 * that ends leaves the rest to others, and what is here already is passed over.
 */
import { createHash } from "node:crypto";
import type { InstallQueries } from "../../storage/installs/query_types.ts";
import { type Job, type Jobs, PermanentJobError } from "../../storage/kv/job_types.ts";
import type { Pin, Pins } from "../../storage/kv/pins.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import { parsePurl } from "../_shared/purl.ts";
import type { Ecosystem } from "../ecosystem.ts";
import { mirroredVersions, type MirrorEntry } from "../mirrors.ts";
import { prefetch } from "./prefetch.ts";
import type { Services } from "./services.ts";

const PLAN = "mirror";
const PACKAGE = "mirror-package";
const OWNER = "mirror";
/** Each has its own bound for an origin. */
const PACKAGES_AT_ONCE = 2;
/** A package of many gigabytes is filled a minute's worth at a time. */
const ATTEMPTS = 100;

export interface MirrorDeps {
  readonly services: Services;
  readonly entries: readonly MirrorEntry[];
  readonly jobs: Jobs;
  readonly pins: Pins;
  readonly queries: Pick<InstallQueries, "packages">;
  readonly view: (organisation: string) => Promise<OrganisationView | null>;
}

export interface Mirror {
  /** Plans what is due and does what was planned. Rejects with StorageError. */
  round(): Promise<void>;
  /** What runs is put back. */
  stop(): void;
}

interface Planned {
  readonly entry: MirrorEntry;
  readonly ecosystem: Ecosystem;
}

export function createMirror({ services, entries, jobs, pins, queries, view }: MirrorDeps): Mirror {
  const { clock, log } = services;
  const stopped = new AbortController();
  const planned = new Map<string, number>();
  let running: Promise<void> | null = null;

  async function plan(): Promise<void> {
    for (const entry of entries) {
      const id = idOf(entry);
      const slot = Math.floor(clock() / entry.every);
      if (planned.get(id) === slot) continue;
      await jobs.enqueue({ kind: PLAN, key: `${id} ${slot}`, payload: { id, slot }, keepKeyMs: entry.every });
      planned.set(id, slot);
    }
  }

  /** null: the configuration has it no more, or another process' has it. */
  function plannedBy(id: unknown): Planned | null {
    const entry = entries.find((each) => idOf(each) === id);
    const ecosystem = services.ecosystems.find((each) => each.id === entry?.ecosystem);
    return entry === undefined || ecosystem === undefined ? null : { entry, ecosystem };
  }

  async function planPackages({ payload }: Job): Promise<void> {
    const { id, slot } = payload as { readonly id: string; readonly slot: number };
    const found = plannedBy(id);
    if (found === null) return;
    for (const name of await namesOf(found)) {
      const job = { key: `${id} ${slot} ${name}`, payload: { id, name }, keepKeyMs: found.entry.every };
      await jobs.enqueue({ kind: PACKAGE, maxAttempts: ATTEMPTS, ...job });
    }
  }

  async function namesOf({ entry }: Planned): Promise<readonly string[]> {
    if (entry.packages !== "used") return entry.packages;
    const { organisation, ecosystem } = entry;
    const rows = await queries.packages({ organisation, ecosystem });
    return rows.filter(({ installs, partial }) => installs + partial > 0).map((row) => row.package);
  }

  async function fill({ payload }: Job, signal: AbortSignal, pinned: () => Promise<readonly Pin[]>) {
    const { id, name } = payload as { readonly id: string; readonly name: string };
    const found = plannedBy(id);
    if (found === null) return;
    const { entry, ecosystem } = found;
    const organisation = await view(entry.organisation);
    if (organisation === null) {
      throw new PermanentJobError(`There is no organisation ${JSON.stringify(entry.organisation)}`);
    }
    const wish = {
      ecosystem,
      name,
      versions: mirroredVersions(entry, ecosystem),
      files: null,
      where: "the configuration's mirror",
    };
    const here = new Set<string>();
    const failures: string[] = [];
    const options = { organisation, site: "", asker: OWNER, isDryRun: false, forMirror: true, signal };
    for await (const event of prefetch(services, [wish], options)) {
      if (event === "wish-ended") continue;
      const version = parsePurl(event.purl)?.version;
      if (event.outcome === "failed") failures.push(event.message ?? "");
      // Some files of an allowed release may be too young.
      else if (event.outcome !== "refused" && version) here.add(version);
    }
    await repin({ ecosystem: ecosystem.id, name }, here, {
      isWhole: failures.length === 0 && !signal.aborted,
      pinned: await pinned(),
    });
    if (signal.aborted) throw new Error(`There is more of ${name} than was fetched in time`);
    if (failures.length > 0) throw new Error(failures[0]);
  }

  /** What a person has pinned stays theirs. */
  async function repin(
    of: Pick<Pin, "ecosystem" | "name">,
    here: ReadonlySet<string>,
    { isWhole, pinned }: { readonly isWhole: boolean; readonly pinned: readonly Pin[] },
  ): Promise<void> {
    const own = pinned.filter(({ ecosystem, name }) => ecosystem === of.ecosystem && name === of.name);
    for (const version of here) {
      if (own.some((pin) => pin.version === version)) continue;
      await pins.add({ ...of, version, reason: "mirrored", owner: OWNER });
    }
    if (!isWhole) return;
    for (const { version, owner } of own) {
      if (owner === OWNER && version !== null && !here.has(version)) await pins.remove({ ...of, version });
    }
  }

  async function work(): Promise<void> {
    await plan();
    // Read once for all packages of a round.
    let listed: Promise<readonly Pin[]> | null = null;
    const pinned = () => listed ??= pins.list();
    const handlers = {
      [PLAN]: planPackages,
      [PACKAGE]: (job: Job, signal: AbortSignal) => fill(job, signal, pinned),
    };
    const options = { concurrency: PACKAGES_AT_ONCE, signal: stopped.signal };
    while (!stopped.signal.aborted) {
      const { done, failed, dead } = await jobs.runDue(handlers, options);
      if (failed + dead > 0) log("warn", `Mirror: ${failed} packages are tried again, ${dead} were given up`);
      if (done === 0) return;
    }
  }

  return {
    round: () => entries.length === 0 ? Promise.resolve() : running ??= work().finally(() => running = null),
    stop: () => stopped.abort(),
  };
}

/** Of what is wanted, so that another order in the configuration changes nothing. */
function idOf(entry: MirrorEntry): string {
  const { ecosystem, organisation, packages, versions } = entry;
  return createHash("sha256").update(JSON.stringify([ecosystem, organisation, packages, versions]))
    .digest("base64url").slice(0, 22);
}
