/** Audit fixes: a release that mends what this caller has may be younger than the minimum age; for this caller, for an hour. */
import { type EpochMs, permits, type Waiver } from "../../policy/types.ts";
import type { Advisory, Ecosystem } from "../ecosystem.ts";
import type { RegistryRequest } from "../outcome.ts";
import { load } from "./load.ts";
import type { Known, Services } from "./services.ts";
import { upstreamOf } from "./upstream.ts";
import { NO_GRANTS, policyFor, type Verdicts, verdictsOn } from "./verdicts.ts";

const GRANT_MS = 60 * 60_000;
/** Advisories name few packages; an answer that names more is not believed beyond this. */
const MAX_PACKAGES = 200;
const MAX_CANDIDATES = 50;

/** True where this caller's audits grant anything: it has a name, says that it audits, and the policy has it on. */
function audits(services: Services, request: RegistryRequest): boolean {
  const { user, client } = request.caller;
  // An audit asks about what is there now.
  if (request.at !== undefined || user === null || client.command !== "audit") return false;
  return policyFor(services.verdictCache, request.organisation, request.ecosystem).auditFixes !== null;
}

/** The versions of a package that this caller may have now although too young. */
export async function grantsFor(
  services: Services,
  request: RegistryRequest,
  name: string,
): Promise<ReadonlySet<string>> {
  if (!audits(services, request)) return NO_GRANTS;
  const versions = await services.grants.get({
    organisation: request.organisation.id,
    user: request.caller.user!,
    ecosystem: request.ecosystem.id,
    name,
  });
  return versions.length === 0 ? NO_GRANTS : new Set(versions);
}

/**
 * For each package that an audit's answer warns of, and each line of it that the log says this caller has: grants
 * the lowest release that no advisory in the answer concerns. The policy still has the last word on each.
 */
export async function grantFixes(
  services: Services,
  request: RegistryRequest,
  advisories: readonly Advisory[],
): Promise<void> {
  if (!audits(services, request)) return;
  const names = [...new Set(advisories.map((advisory) => advisory.name))].slice(0, MAX_PACKAGES);
  const { organisation, caller: { user }, ecosystem } = request;
  // Asked for together: what is not folded yet is then read once for all of them.
  const held = await Promise.all(names.map(async (name) => {
    const query = { organisation: organisation.id, user: user!, ecosystem: ecosystem.id, package: name };
    return await services.installs.versionsOf(query);
  }));
  for (const [index, name] of names.entries()) {
    const concerning = advisories.filter((advisory) => advisory.name === name);
    const versions = await fixesFor(services, request, { name, installed: held[index]! }, concerning);
    if (versions.length === 0) continue;
    await services.grants.put({
      organisation: request.organisation.id,
      user: request.caller.user!,
      ecosystem: request.ecosystem.id,
      name,
      versions,
      until: (services.clock() + GRANT_MS) as EpochMs,
    });
  }
}

async function fixesFor(
  services: Services,
  request: RegistryRequest,
  { name, installed }: { readonly name: string; readonly installed: readonly string[] },
  advisories: readonly Advisory[],
): Promise<readonly string[]> {
  const affected = installed.filter((version) => advisories.some((advisory) => advisory.affects(version)));
  if (affected.length === 0) return [];
  const known = await knownPackage(services, request, name);
  if (known === null) return [];
  const fixes = new Set<string>();
  for (const version of affected) {
    const fix = await lowestFix(services, request, known, version, advisories);
    if (fix !== null) fixes.add(fix);
  }
  return [...fixes];
}

async function knownPackage(
  services: Services,
  request: RegistryRequest,
  name: string,
): Promise<Known | null> {
  const { ecosystem, caller } = request;
  const upstream = upstreamOf(services, request, name);
  if (upstream === null) return null;
  const loaded = await load(services, {
    ecosystem,
    upstream,
    subject: { kind: "package", name },
    address: caller.address,
  });
  return typeof loaded === "string" ? null : loaded.known;
}

/** null: none, or it needs no grant. */
async function lowestFix(
  services: Services,
  request: RegistryRequest,
  known: Known,
  version: string,
  advisories: readonly Advisory[],
): Promise<string | null> {
  const { ecosystem } = request;
  const candidates = known.facts.releases
    .map((release) => release.version)
    .filter((candidate) => fixes(ecosystem, version, candidate, advisories))
    .slice(0, MAX_CANDIDATES);
  for (const candidate of candidates) {
    const { decisions } = await decideWith(services, request, known, NO_GRANTS);
    const plain = decisions.release(candidate);
    if (plain !== null && permits(plain)) return null;
    const fixed = await decideWith(services, request, known, new Set([candidate]));
    const granted = fixed.decisions.release(candidate);
    if (granted !== null && permits(granted)) return candidate;
  }
  return null;
}

function fixes(
  ecosystem: Ecosystem,
  version: string,
  candidate: string,
  advisories: readonly Advisory[],
): boolean {
  const { versions } = ecosystem;
  if (versions.line(candidate) !== versions.line(version) || versions.compare(candidate, version) <= 0) {
    return false;
  }
  if (versions.isPrerelease(candidate) && !versions.isPrerelease(version)) return false;
  return !advisories.some((advisory) => advisory.affects(candidate));
}

function decideWith(
  services: Services,
  request: RegistryRequest,
  known: Known,
  grants: ReadonlySet<string>,
): Promise<Verdicts> {
  const { organisation, ecosystem } = request;
  const { clock, timers } = services;
  return verdictsOn(services.verdictCache, { known, organisation, ecosystem, grants, now: clock(), timers });
}

/** A granted release was served: it becomes the organisation's waiver until it matures, so that CI can install it too. */
export function grantServed(
  services: Services,
  request: RegistryRequest,
  verdicts: Verdicts,
  version: string,
): void {
  if (!verdicts.personal) return;
  services.background.run("waiver for an audit fix", async () => {
    const waiver = await waiverFor(services, request, verdicts.known, version);
    if (waiver !== null) await services.addWaiver(request.organisation.id, waiver);
  });
}

/** null: without the grant it would have been let through as well, or never. */
async function waiverFor(
  services: Services,
  request: RegistryRequest,
  known: Known,
  version: string,
): Promise<Waiver | null> {
  const { decisions } = await decideWith(services, request, known, NO_GRANTS);
  const plain = decisions.release(version);
  if (plain === null || permits(plain) || plain.horizon === null) return null;
  const user = request.caller.user ?? "";
  return {
    id: `audit-fix:${known.key.ecosystem}:${known.key.name}@${version}`,
    ecosystem: known.key.ecosystem,
    name: known.key.name,
    version,
    reason: `Fixes an advisory; installed by ${user} while auditing`,
    owner: user,
    createdAt: services.clock(),
    until: plain.horizon,
    kind: "audit-fix",
  };
}
