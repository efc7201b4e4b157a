/** Which scope a token needs at a registry: one row for each kind of ask. What no plugin knows is nothing to anybody. */
import type { Ask, ClientRequest, Ecosystem } from "../ecosystems/ecosystem.ts";
import type { Scope } from "../storage/tokens.ts";

/** An audit is posted and still only read: the ask counts, not the method. */
export const REGISTRY_SCOPES: Readonly<Record<Ask["kind"], Scope>> = {
  index: "read",
  version: "read",
  artifact: "read",
  sidecar: "read",
  catalogue: "read",
  local: "read",
  forward: "read",
  publish: "publish",
};

/** GET and HEAD publish nothing (the contract suite holds every plugin to it), so that the hot path is not parsed twice. */
export function registryScope(ecosystem: Ecosystem, asked: ClientRequest): Scope {
  if (asked.method === "GET" || asked.method === "HEAD") return "read";
  const ask = ecosystem.parse(asked);
  return ask === null ? "read" : REGISTRY_SCOPES[ask.kind];
}
