/** Configured upstreams, and the ecosystems' own where nobody configured a catch-all. */
import type { Ecosystem } from "../ecosystems/ecosystem.ts";
import type { UpstreamConfig } from "../storage/upstream/config.ts";

/** A catch-all for some organisations only leaves the others the ecosystem's own. */
export function allUpstreams(
  ecosystems: readonly Ecosystem[],
  configured: readonly UpstreamConfig[],
): readonly UpstreamConfig[] {
  const own = ecosystems.flatMap(({ id, upstreams, allowedHosts }) =>
    Object.entries(upstreams)
      .filter(([key]) => !configured.some((upstream) => isCatchAll(upstream, id, key)))
      .map(([key, url]) => ({
        ecosystem: id,
        key,
        url,
        match: [],
        allowedHosts: allowedHosts?.[key] ?? [],
        credentials: null,
        organisations: null,
      }))
  );
  return [...configured, ...own];
}

function isCatchAll(upstream: UpstreamConfig, ecosystem: string, key: string): boolean {
  return upstream.ecosystem === ecosystem && upstream.key === key && upstream.match.length === 0 &&
    upstream.organisations === null;
}
