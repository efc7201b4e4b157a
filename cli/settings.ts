/** Every setting there is: the one table behind flags, environment, file, `--help` and the README. */

import { GITHUB_URL } from "../storage/identity/provider.ts";

/** One setting, under its three names. */
export interface Setting {
  /** In the configuration file. */
  readonly key: string;
  /** null: not given as a flag (what is secret would show in the list of processes). */
  readonly flag: string | null;
  /** null: in the file only. A secret's may also be given as `{env}_FILE`, the path of a file that holds it. */
  readonly env: string | null;
  /** What the flag's value is called in `--help`. */
  readonly placeholder: string;
  /** As it would be written in the file; null: there is none, or `defaultNote` says how it is found. */
  readonly default: string | null;
  readonly defaultNote?: string;
  readonly meaning: string;
  readonly secret?: boolean;
}

interface Sketch {
  readonly value: string;
  readonly default?: string;
  readonly note?: string;
  readonly env?: string;
  readonly noFlag?: boolean;
  readonly secret?: boolean;
}

function setting(key: string, meaning: string, sketch: Sketch): Setting {
  const words = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return {
    key,
    flag: sketch.noFlag || sketch.secret ? null : `--${words}`,
    env: sketch.env ?? `SLUICE_${words.replaceAll("-", "_").toUpperCase()}`,
    placeholder: sketch.value,
    default: sketch.default ?? null,
    ...(sketch.note === undefined ? {} : { defaultNote: sketch.note }),
    meaning,
    ...(sketch.secret ? { secret: true } : {}),
  };
}

const SETTINGS: readonly Setting[] = Object.freeze([
  setting("listen", "Where to listen. `:3000` is every interface.", {
    value: "HOST:PORT",
    default: "127.0.0.1:8080",
    note: "PORT, if set, on every interface",
  }),
  setting("baseUrl", "The address that clients use; links in what is served begin with it.", {
    value: "URL",
    note: "what it listens on",
  }),
  setting("data", "The folder for everything that is kept; `none` where kv and artifacts are elsewhere.", {
    value: "FOLDER",
    default: "./data",
  }),
  setting("kv", "The database: a file, or the address of a KV Connect server.", {
    value: "PATH|URL",
    note: "kv.sqlite3 in the data folder",
  }),
  setting("kvToken", "The access token of the KV Connect server.", { value: "TOKEN", secret: true }),
  setting(
    "artifacts",
    "Where files are kept: `memory:`, `memory:512MB`, `file:PATH` or `s3://BUCKET/PREFIX`.",
    {
      value: "ADDRESS",
      note: "artifacts in the data folder",
    },
  ),
  setting(
    "maxSize",
    "Bound on all files and documents that are kept: above it, what was unused for longest is evicted.",
    { value: "SIZE|none", note: "10GB in a folder, else none" },
  ),
  setting("awsAccessKeyId", "For artifacts in a bucket.", {
    value: "ID",
    env: "AWS_ACCESS_KEY_ID",
    secret: true,
  }),
  setting("awsSecretAccessKey", "For artifacts in a bucket.", {
    value: "KEY",
    env: "AWS_SECRET_ACCESS_KEY",
    secret: true,
  }),
  setting("awsSessionToken", "For artifacts in a bucket, where the credentials are temporary.", {
    value: "TOKEN",
    env: "AWS_SESSION_TOKEN",
    secret: true,
  }),
  setting("adminToken", "A token for everything, for the first steps: 32 printable characters or more.", {
    value: "TOKEN",
    secret: true,
  }),
  setting(
    "owners",
    "Who owns the whole instance once they sign in: `github:octocat`, `oidc:ada@example.org`, `oidc:groups=admins`.",
    { value: "WHO,…" },
  ),
  setting("githubClientId", "Sign-in with GitHub: the OAuth app's client id.", { value: "ID" }),
  setting("githubClientSecret", "Sign-in with GitHub: the OAuth app's client secret.", {
    value: "SECRET",
    secret: true,
  }),
  setting("githubUrl", "Sign-in with GitHub: the base address of a GitHub Enterprise Server.", {
    value: "URL",
    default: GITHUB_URL,
  }),
  setting("oidcIssuer", "Sign-in with OpenID Connect: the provider's issuer, as it calls itself.", {
    value: "URL",
  }),
  setting("oidcClientId", "Sign-in with OpenID Connect: the client's id.", { value: "ID" }),
  setting(
    "oidcClientSecret",
    "Sign-in with OpenID Connect: the client's secret, unless it is a public one.",
    {
      value: "SECRET",
      secret: true,
    },
  ),
  setting("oidcScopes", "Sign-in with OpenID Connect: the scopes that are asked for.", {
    value: "SCOPES",
    default: "openid profile email",
  }),
  setting(
    "trustedProxies",
    "Reverse proxies of yours, as addresses or ranges: their X-Forwarded-For is believed.",
    { value: "ADDRESS,…" },
  ),
  setting("logLevel", "`debug`, `info`, `warn` or `error`.", { value: "LEVEL", default: "info" }),
  setting("logFormat", "`text` for people, `json` for machines.", { value: "FORMAT", default: "text" }),
  setting(
    "unknownOrganisation",
    "A name that is no organisation: `refuse` it, or treat it as the `default`.",
    {
      value: "refuse|default",
      default: "refuse",
    },
  ),
  setting(
    "metrics",
    "Who may read `/-/metrics`: `anyone`, or who has a `token` of the instance with the scope operate.",
    { value: "anyone|token", default: "anyone" },
  ),
  setting(
    "root",
    "Ecosystems that answer at the root of a host too, everything of ours staying under `/-/`.",
    {
      value: "ECOSYSTEM,…",
    },
  ),
  setting("memoMemory", "Bound on the rendered indexes kept in memory.", { value: "SIZE", default: "48MB" }),
  setting("factsMemory", "Bound on the packages' facts kept in memory.", { value: "SIZE", default: "32MB" }),
  setting("artifactsMemory", "Bound on the small files kept in memory.", { value: "SIZE", default: "48MB" }),
  setting("workMemory", "Bound on the raw documents that are read or rendered at once; more wait.", {
    value: "SIZE",
    default: "96MB",
  }),
  setting("largestDocument", "Bound on one index of an upstream; a larger one is told and not read.", {
    value: "SIZE",
    default: "48MB",
  }),
  setting("metadataTtl", "How long an index is fresh before upstream is asked again.", {
    value: "DURATION",
    default: "1h",
  }),
  setting("staleWhileRevalidate", "How long after that it is served while upstream is asked.", {
    value: "DURATION",
    default: "5m",
  }),
  setting("staleIfError", "How long it is served when upstream fails.", { value: "DURATION", default: "7d" }),
  setting("absentTtl", "How long a package that upstream does not have is remembered as absent.", {
    value: "DURATION",
    default: "1min",
  }),
  setting("artifactTtl", "How long a kept file is served before upstream is asked whether it still has it.", {
    value: "DURATION|unbounded",
    default: "unbounded",
  }),
  setting(
    "refreshUsedWithin",
    "A package asked for within this time is refreshed before its index expires; `0`: none is.",
    { value: "DURATION", default: "7d" },
  ),
  setting("cleanupInterval", "How often what is no longer needed is cleaned away.", {
    value: "DURATION",
    default: "1h",
  }),
  setting("upstreamTimeout", "Upstream: for all of an index's request, and until a file's bytes begin.", {
    value: "DURATION",
    default: "60s",
  }),
  setting("connectTimeout", "Upstream: look-up, connection and TLS.", { value: "DURATION", default: "10s" }),
  setting("firstByteTimeout", "Upstream: until an answer begins.", { value: "DURATION", default: "30s" }),
  setting("idleTimeout", "Upstream: between two pieces of an answer.", { value: "DURATION", default: "30s" }),
  setting("connectionsPerOrigin", "Upstream: connections at once to one origin.", {
    value: "NUMBER",
    default: "64",
  }),
  setting("userAgent", "What Sluice calls itself upstream.", { value: "TEXT", note: "sluice/{version}" }),
  setting("proxy", "An HTTP proxy for upstream and webhooks; HTTP_PROXY counts if this is not set.", {
    value: "URL",
    env: "HTTPS_PROXY",
    secret: true,
  }),
  setting("noProxy", "Hosts that are asked without the proxy.", { value: "HOST,…", env: "NO_PROXY" }),
  setting("caFile", "A PEM file of certificate authorities to trust beside the usual ones.", {
    value: "PATH",
  }),
  setting(
    "allowPrivateWebhooks",
    "Hosts (any port) or HOST:PORT of webhooks that may have a private address.",
    {
      value: "HOST,…",
    },
  ),
  setting("requestsPerAddress", "Requests of one address that are answered at once; more are told 429.", {
    value: "NUMBER",
    default: "1024",
  }),
  setting("requestsAtOnce", "Requests that are answered at once in all; more are told 503.", {
    value: "NUMBER",
    default: "10000",
  }),
  setting("drainTimeout", "How long running transfers may go on once it was told to stop.", {
    value: "DURATION",
    default: "25s",
  }),
]);

/** The settings in the order in which they are told; `config` itself and `upstreams` have their own words. */
export function describeSettings(): readonly Setting[] {
  return SETTINGS;
}

/** Of an ecosystem, the names under which its main upstream is given outside the file. */
export function upstreamNames(ecosystem: string) {
  const env = `SLUICE_UPSTREAM_${ecosystem.toUpperCase().replaceAll("-", "_")}`;
  return {
    flag: `--upstream-${ecosystem}`,
    env,
    token: `${env}_TOKEN`,
    allowedHosts: `${env}_ALLOWED_HOSTS`,
  };
}
