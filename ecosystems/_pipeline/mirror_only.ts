/** An ecosystem that is a mirror and nothing else: what it does not mirror is refused, and upstream is not asked for it. */
import type { PackageKey } from "../../storage/kv/packages.ts";
import type { ForwardAsk } from "../ecosystem.ts";
import { notMirroredText } from "../mirrors.ts";
import type { Outcome, RegistryRequest } from "../outcome.ts";
import { failed, notOffered } from "./answers.ts";
import type { Services } from "./services.ts";

/** Whether anybody is answered about it and upstream asked; but for the mirror's own filling. */
export async function isMirrored(services: Services, key: PackageKey): Promise<boolean> {
  const only = services.mirrorOnly(key.ecosystem);
  if (only === null || only.names.has(key.name)) return true;
  if (!only.used) return false;
  const stored = await services.packages.get(key);
  return stored !== null && !stored.record.absent;
}

/** As a client is told. */
export function notMirrored(request: RegistryRequest, name: string): Outcome {
  return refused(request, JSON.stringify(name));
}

/** Searches and lists are of packages that are not served. null: all are. */
export function noCatalogue(services: Services, request: RegistryRequest): Outcome | null {
  if (services.mirrorOnly(request.ecosystem.id) === null) return null;
  return refused(request, "a list of upstream's packages");
}

/** What a client sends along names packages: an audit of all that a project depends on. null: it is passed on. */
export function noForward(services: Services, request: RegistryRequest, ask: ForwardAsk): Outcome | null {
  const { ecosystem } = request;
  if (ask.method === "GET" || services.mirrorOnly(ecosystem.id) === null) return null;
  return notOffered(request, notMirroredText(ecosystem, "an audit"));
}

function refused(request: RegistryRequest, what: string): Outcome {
  return failed(request, {
    status: 403,
    code: "not-mirrored",
    message: notMirroredText(request.ecosystem, what),
  });
}
