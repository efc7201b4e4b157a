/** Who is to be thanked for a file that was served: the organisation's waivers that lifted what stood against it. */
import type { Decision } from "../../policy/types.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Services } from "./services.ts";

/** Counts the file for each of them. Costs nothing where nothing was lifted. */
export function countWaived(
  services: Pick<Services, "waiverUsed">,
  { id, waivers }: OrganisationView,
  { reasons }: Decision,
): void {
  const lifters = new Set(reasons.flatMap(({ liftedBy }) => liftedBy ?? []));
  if (lifters.size === 0) return;
  for (const waiver of waivers) if (lifters.has(waiver.id)) services.waiverUsed(id, waiver.id);
}
