/** What is known of a package, for questions that no client asks: from storage, else fetched. */
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Ecosystem } from "../ecosystem.ts";
import { load, loadCached, packageKey } from "./load.ts";
import type { Known, Services } from "./services.ts";
import { upstreamOf } from "./upstream.ts";

/**
 * null: there is no such package. `not-mirrored`: this ecosystem is a mirror alone, and it is none of it. `asker`: whose
 * questions for what does not exist are counted.
 */
export async function lookUp(services: Services, query: {
  readonly organisation: OrganisationView;
  readonly ecosystem: Ecosystem;
  /** Canonical. */
  readonly name: string;
  readonly asker: string;
}): Promise<Pick<Known, "facts" | "firstSeen"> | "not-mirrored" | null> {
  const { ecosystem, name, asker } = query;
  const upstream = upstreamOf(services, query, name);
  if (upstream === null) return null;
  const cached = await loadCached(services, packageKey(ecosystem, upstream, name));
  if (cached !== null) return cached;
  const subject = { kind: "package", name } as const;
  const loaded = await load(services, { ecosystem, upstream, subject, address: asker });
  if (loaded === "too-many-absences") return null;
  return loaded === "not-mirrored" ? loaded : loaded.known;
}
