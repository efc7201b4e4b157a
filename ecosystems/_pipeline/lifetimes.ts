/** How old what upstream said may be. A clock that was set back makes nothing fresh; one a little behind another's does. */
import type { DurationMs } from "../../policy/types.ts";
import type { PackageRecord } from "../../storage/kv/packages.ts";
import type { OfUpstream } from "../../storage/lifetimes.ts";
import { UpstreamError } from "../../storage/errors.ts";
import type { Services } from "./services.ts";

export function ageMs(services: Services, record: PackageRecord): number {
  return services.clock() - record.checkedAt;
}

/** Another process may have written it, by its own clock. */
export const CLOCKS_DIFFER_MS = 5_000;

/** Confirmed by upstream less than `ttl` ago. */
export function freshFor(services: Services, record: PackageRecord, ttl: DurationMs): boolean {
  const age = ageMs(services, record);
  return age > -CLOCKS_DIFFER_MS && age < ttl;
}

/** May still be served where upstream fails. */
export function staleFor(services: Services, record: PackageRecord, of: OfUpstream): boolean {
  const { metadataTtl, staleIfError } = services.lifetimes(of);
  return ageMs(services, record) < metadataTtl + staleIfError;
}

/** What upstream failed to confirm is not asked for again for so long, where there is a copy to serve. */
const HOLD_BACK_MS = 5_000;

/** Upstream failed to confirm this copy, which is served: an outage is neither asked about nor told at each request. */
export function holdBack(services: Services, id: string): void {
  services.failing.set(id, services.clock());
}

export function isHeldBack(services: Services, id: string): boolean {
  const age = services.clock() - (services.failing.get(id) ?? -Infinity);
  return age >= 0 && age < HOLD_BACK_MS;
}

/** How a stale copy is told: an origin that is left alone was told when it failed. */
export function levelOf(error: unknown): "debug" | "warn" {
  return error instanceof UpstreamError && error.detail.kind === "circuit" ? "debug" : "warn";
}
