/** How old what upstream said may be. A clock that was set back makes nothing fresh. */
import type { DurationMs } from "../../policy/types.ts";
import type { PackageRecord } from "../../storage/kv/packages.ts";
import type { Services } from "./services.ts";

export function ageMs(services: Services, record: PackageRecord): number {
  return services.clock() - record.checkedAt;
}

/** Confirmed by upstream less than `ttl` ago. */
export function freshFor(services: Services, record: PackageRecord, ttl: DurationMs): boolean {
  const age = ageMs(services, record);
  return age >= 0 && age < ttl;
}

/** May still be served where upstream fails. */
export function staleFor(services: Services, record: PackageRecord): boolean {
  return ageMs(services, record) < services.lifetimes.metadataTtl + services.lifetimes.staleIfError;
}
