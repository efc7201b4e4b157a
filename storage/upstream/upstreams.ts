/** The configured upstreams, and which of them a package belongs to. */
import { createHash } from "node:crypto";
import type { UpstreamConfig } from "./config.ts";
import { compilePattern, type NamePattern } from "./patterns.ts";
import type { Upstream, Upstreams } from "./upstream.ts";

/** `Upstreams` together with what client.ts needs of each. */
export interface ConfiguredUpstreams extends Upstreams {
  /** Throws TypeError for an upstream that is not one of these. `url` is without userinfo, with trailing slash. */
  configOf(upstream: Upstream): UpstreamConfig;
  all(): readonly Upstream[];
}

interface Entry {
  readonly upstream: Upstream;
  readonly config: UpstreamConfig;
  readonly patterns: readonly NamePattern[];
  readonly order: number;
}

/**
 * The most specific pattern wins (an exact name, then the one with most literal characters); among equals, one
 * for named organisations before one for all; then the order of configuration. Throws TypeError for an address
 * that cannot be a root, and for two upstreams with the same id.
 */
export function createUpstreams(configs: readonly UpstreamConfig[]): ConfiguredUpstreams {
  const entries = configs.map(toEntry);
  const byId = new Map(entries.map((entry) => [entry.upstream.id, entry]));
  if (byId.size !== entries.length) {
    throw new TypeError(`Cannot use upstreams: ${describeDuplicate(entries)}`);
  }

  function choose(options: Parameters<Upstreams["choose"]>[0]): Upstream | null {
    let best: { entry: Entry; rank: readonly [number, number, number] } | null = null;
    for (const entry of entries) {
      const { ecosystem, key, organisations } = entry.config;
      if (ecosystem !== options.ecosystem || key !== options.key) continue;
      if (organisations !== null && !organisations.includes(options.organisation)) continue;
      const specificity = specificityFor(entry, options.name);
      if (specificity === null) continue;
      const rank = [specificity, organisations === null ? 0 : 1, -entry.order] as const;
      if (best === null || isAbove(rank, best.rank)) best = { entry, rank };
    }
    return best?.entry.upstream ?? null;
  }

  function configOf(upstream: Upstream): UpstreamConfig {
    const entry = byId.get(upstream.id);
    if (entry === undefined) {
      throw new TypeError(`Cannot use upstream "${upstream.id}": it is not configured`);
    }
    return entry.config;
  }

  return { choose, configOf, all: () => entries.map(({ upstream }) => upstream) };
}

function toEntry(given: UpstreamConfig, order: number): Entry {
  const config = normalise(given);
  const id = config.id ?? `${config.key}-${shortHash(config)}`;
  const upstream: Upstream = Object.freeze({
    id,
    scope: config.organisations === null ? "public" : id,
    root: config.url,
    isDefault: config.match.length === 0,
  });
  return { upstream, config, patterns: config.match.map(compilePattern), order };
}

/** Userinfo in the address becomes Basic credentials, so that the address can be shown. */
function normalise(config: UpstreamConfig): UpstreamConfig {
  const url = URL.canParse(config.url) ? new URL(config.url) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new TypeError(
      `Cannot use upstream for "${config.ecosystem}": its url is not an http or https address`,
    );
  }
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  url.username = "";
  url.password = "";
  url.search = "";
  url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  const fromUrl = username === "" && password === "" ? null : { kind: "basic", username, password } as const;
  return { ...config, url: url.href, credentials: config.credentials ?? fromUrl };
}

function shortHash({ url, match, organisations }: UpstreamConfig): string {
  const identity = [url, [...match].sort(), organisations === null ? null : [...organisations].sort()];
  return createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 8);
}

/** null: does not match. A catch-all is below every pattern, and the only one for what has no name. */
function specificityFor({ patterns }: Entry, name: string | null): number | null {
  if (patterns.length === 0) return -1;
  if (name === null) return null;
  const matching = patterns.filter((pattern) => pattern.matches(name));
  return matching.length === 0 ? null : Math.max(...matching.map((pattern) => pattern.specificity));
}

function isAbove(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at !== -1 && a[at]! > b[at]!;
}

function describeDuplicate(entries: readonly Entry[]): string {
  const ids = entries.map(({ upstream }) => upstream.id);
  return `two have the id "${ids.find((id, index) => ids.indexOf(id) !== index)}"`;
}
