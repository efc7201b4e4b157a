/** An ecosystem that is a mirror and nothing else: what it does not mirror is refused before upstream is asked. */
import type { Outcome, RegistryRequest } from "../outcome.ts";
import { failed } from "./answers.ts";
import { packageKey } from "./load.ts";
import type { Services } from "./services.ts";
import { upstreamOf } from "./upstream.ts";

/** null: it is served. */
export async function notMirrored(
  services: Services,
  request: RegistryRequest,
  name: string,
): Promise<Outcome | null> {
  const only = services.mirrorOnly(request.ecosystem.id);
  if (only === null || only.names.has(name)) return null;
  if (only.used && await isKnown(services, request, name)) return null;
  return refused(request, JSON.stringify(name));
}

/** Searches and lists are of packages that are not served. null: all are. */
export function noCatalogue(services: Services, request: RegistryRequest): Outcome | null {
  if (services.mirrorOnly(request.ecosystem.id) === null) return null;
  return refused(request, "a list of upstream's packages");
}

function refused(request: RegistryRequest, what: string): Outcome {
  return failed(request, {
    status: 403,
    code: "not-mirrored",
    message:
      `This Sluice serves of ${request.ecosystem.title} only what it mirrors, and ${what} is none of it`,
  });
}

async function isKnown(services: Services, request: RegistryRequest, name: string): Promise<boolean> {
  const upstream = upstreamOf(services, request, name);
  if (upstream === null) return false;
  const stored = await services.packages.get(packageKey(request.ecosystem, upstream, name));
  return stored !== null && !stored.record.absent;
}
