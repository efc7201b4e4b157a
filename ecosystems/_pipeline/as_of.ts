/** What is decided for a request, as of now or as of the instant that its address names. */
import type { EpochMs } from "../../policy/types.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Tag } from "../../storage/kv/tag_history.ts";
import type { Ecosystem, Reading } from "../ecosystem.ts";
import type { AsOf } from "../outcome.ts";
import type { Known, Services } from "./services.ts";
import { changeBefore } from "./timeline.ts";
import { NO_GRANTS, type Verdicts, verdictsOn } from "./verdicts.ts";

/** Throws StorageError where storage cannot say what was. */
export async function decideFor(services: Services, asked: {
  readonly known: Known;
  readonly organisation: OrganisationView;
  readonly ecosystem: Ecosystem;
  readonly grants?: ReadonlySet<string>;
  readonly at?: AsOf | undefined;
}): Promise<Verdicts> {
  const { known, organisation, ecosystem, grants = NO_GRANTS, at } = asked;
  const { clock, timers, verdictCache } = services;
  const common = { known, organisation, ecosystem, now: clock(), timers };
  if (at === undefined) return await verdictsOn(verdictCache, { ...common, grants });
  const asOf = await changeBefore(services, { known, organisation, ecosystem, instant: at.instant });
  return await verdictsOn(verdictCache, { ...common, grants: NO_GRANTS, asOf });
}

/** What a package's documents said, with the tags of the instant that is asked about, where they are known. */
export async function readingFor(
  services: Services,
  ecosystem: Ecosystem,
  verdicts: Verdicts,
): Promise<Reading> {
  const { known } = verdicts;
  const layout = await layoutOf(services, known);
  const reading: Reading = { facts: known.facts, layout };
  if (ecosystem.tags === undefined) return reading;
  const tags = await tagsOf(services, verdicts);
  if (tags !== null) return ecosystem.tags.put(reading, tags);
  return verdicts.asOf === null ? reading : ecosystem.tags.among(reading, thereAt(verdicts));
}

async function layoutOf(services: Services, { key, record, layout }: Known): Promise<unknown> {
  // Replaced meanwhile: what is there now belongs to other documents.
  if (layout.value === undefined) layout.value = await services.packages.layout(key, record);
  return layout.value;
}

/** Let through or not: what the registry had then, as far as dates tell. */
function thereAt({ known, decisions }: Verdicts): readonly string[] {
  return known.facts.releases.map(({ version }) => version).filter((version) => {
    const reasons = decisions.release(version)?.reasons ?? [];
    return !reasons.some(({ rule }) => rule === "instant");
  });
}

/** As they were at the instant, and at a freeze; null: today's, or nobody knows. */
async function tagsOf(services: Services, verdicts: Verdicts): Promise<readonly Tag[] | null> {
  const { known: { key }, policy, asOf } = verdicts;
  const frozen = policy.frozenAt(key.name, services.clock());
  const instants = [asOf, frozen?.at ?? null].filter((at) => at !== null);
  if (instants.length === 0) return null;
  return await services.tagHistory.asOf(key, Math.min(...instants) as EpochMs);
}
