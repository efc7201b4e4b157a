/** The configuration: parsed once into a total value, or every mistake at once. */
import type { DurationMs } from "../policy/types.ts";
import type { MirrorEntry } from "../ecosystems/mirrors.ts";
import type { MemoryBounds } from "../ecosystems/_pipeline/services.ts";
import type { S3Credentials } from "../storage/artifacts/s3_client.ts";
import type { InFlightLimits } from "../routes/in_flight.ts";
import type { LogLevel } from "../storage/runtime.ts";
import type { LifetimeLevels, SomeLifetimes } from "../storage/lifetimes.ts";
import type { NetworkConfig, UpstreamConfig } from "../storage/upstream/config.ts";
import {
  type ConfigInput,
  gather,
  type Gathered,
  type Mistake,
  shown,
  suggestion,
} from "./config_sources.ts";
import { configSchema, LIFETIME_KEYS, type ListenAddress, MIRROR_KEYS } from "./config_schema.ts";
import { missingHalves, type SignInConfig, signInOf } from "./config_sign_in.ts";
import { describeSettings } from "./settings.ts";
import { VERSION } from "./version.ts";

export type { SignInConfig } from "./config_sign_in.ts";

/** All that a person can set, defaulted. */
export interface Config {
  readonly listen: ListenAddress;
  /** Absolute, without trailing slash; null: what it listens on. */
  readonly baseUrl: string | null;
  /** null: no folder (Deno Deploy has no disk that lasts). */
  readonly data: string | null;
  /** What `Deno.openKv` takes; undefined: the platform's own. */
  readonly kv: string | undefined;
  /** The access token of a KV Connect server; null: none, or `DENO_KV_ACCESS_TOKEN`. */
  readonly kvToken: string | null;
  /** What `openArtifactStore` takes. */
  readonly artifacts: string;
  /** Above so many bytes of artifacts and documents, some are evicted; null: never. */
  readonly maxBytes: number | null;
  /** For artifacts in a bucket; null: not both keys are given. */
  readonly artifactsCredentials: S3Credentials | null;
  /** For everything, beside the tokens in KV; null: there is none. */
  readonly adminToken: string | null;
  readonly signIn: SignInConfig;
  /** Addresses and ranges whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly logLevel: LogLevel;
  readonly logFormat: "text" | "json";
  readonly unknownOrganisation: "refuse" | "default";
  /** Who may read `/-/metrics`. */
  readonly metrics: "anyone" | "token";
  /** Ecosystems that answer at the root of a host too. */
  readonly root: readonly string[];
  readonly memory: MemoryBounds;
  /** Of the instance and of ecosystems; an upstream's own are with it. */
  readonly lifetimes: LifetimeLevels;
  /** Ecosystems that are switched off. */
  readonly disabled: readonly string[];
  /** What is kept filled; names as they were given. */
  readonly mirror: readonly MirrorEntry[];
  /** Between two cleanings. */
  readonly cleanupInterval: DurationMs;
  /** As configured, without the ecosystems' defaults; compose adds those where no catch-all is given. */
  readonly upstreams: readonly UpstreamConfig[];
  readonly network: NetworkConfig;
  /** Hosts of webhooks that may have a private address. */
  readonly allowPrivateWebhooks: readonly string[];
  readonly inFlight: InFlightLimits;
  readonly drainTimeout: DurationMs;
  /** It runs on Deno Deploy. */
  readonly platform: boolean;
}

/** A configuration, or everything that is wrong with it. */
export type Loaded =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly errors: readonly Mistake[] };

/** Deno Deploy gives an instance 512 MB, and five seconds after SIGINT. */
const PLATFORM_DEFAULTS: Readonly<Record<string, string>> = {
  drainTimeout: "4s",
  artifacts: "memory:128MB",
  memoMemory: "48MB",
  factsMemory: "24MB",
  artifactsMemory: "8MB",
  workMemory: "96MB",
};

/** What listens there says nothing of the address that clients use. */
const NO_BASE_URL: Mistake = {
  key: "SLUICE_BASE_URL",
  value: null,
  expected: "the address that clients use: on Deno Deploy there is no default",
};

/** Reads flags over environment over file; reads secrets' files and the CA file, and nothing else. */
export function loadConfig(input: ConfigInput): Loaded {
  const gathered = gather(input);
  const platform = Boolean(input.env.DENO_DEPLOYMENT_ID);
  const { raw, replaced } = complete(gathered, platform);
  const parsed = configSchema(input).safeParse(raw);
  const mistakes = [
    ...gathered.mistakes,
    ...(platform && raw.baseUrl === undefined ? [NO_BASE_URL] : []),
    ...missingKeys(raw),
    ...missingHalves(raw),
    ...(platform ? [] : missingPlaces(raw)),
    ...mistakesOfReplaced(raw, { gathered, replaced, input }),
    ...(parsed.success ? atRootSwitchedOff(parsed.data) : parsed.error.issues.flatMap((issue) => {
      return mistakesOf(issue, raw, { gathered, replaced, input });
    })),
  ];
  if (!parsed.success || mistakes.length > 0) return { ok: false, errors: mistakes };
  const given = parsed.data;
  const file = (name: string) => `${given.data.replace(/\/+$/, "") || "/"}/${name}`;
  return {
    ok: true,
    config: {
      listen: given.listen,
      baseUrl: given.baseUrl ?? null,
      data: platform || given.data === NO_FOLDER ? null : given.data,
      kv: given.kv ?? (platform ? undefined : file("kv.sqlite3")),
      kvToken: given.kvToken ?? null,
      artifacts: given.artifacts ?? `file:${file("artifacts")}`,
      maxBytes: given.maxSize === undefined ? usualBound(given.artifacts) : given.maxSize.bytes,
      artifactsCredentials: credentialsOf(given),
      adminToken: given.adminToken ?? null,
      signIn: signInOf(given),
      trustedProxies: given.trustedProxies ?? [],
      logLevel: given.logLevel,
      logFormat: given.logFormat,
      unknownOrganisation: given.unknownOrganisation,
      metrics: given.metrics,
      root: given.root ?? [],
      memory: {
        memoBytes: given.memoMemory,
        factsBytes: given.factsMemory,
        artifactBytes: given.artifactsMemory,
        workBytes: given.workMemory,
        documentBytes: given.largestDocument,
      },
      lifetimes: {
        instance: {
          metadataTtl: given.metadataTtl,
          staleWhileRevalidate: given.staleWhileRevalidate,
          staleIfError: given.staleIfError,
          absentTtl: given.absentTtl,
          artifactTtl: given.artifactTtl,
          refreshUsedWithin: given.refreshUsedWithin,
          upstreamTimeout: given.upstreamTimeout,
          userAgent: given.userAgent ?? DEFAULT_USER_AGENT,
        },
        ecosystems: Object.fromEntries(
          Object.entries(given.ecosystems ?? {}).map(([id, own]) => [id, lifetimesIn(own ?? {})]),
        ),
      },
      disabled: disabledIn(given.ecosystems),
      mirror: given.mirror ?? [],
      cleanupInterval: given.cleanupInterval,
      upstreams: upstreamsOf(given.upstreams ?? {}, input),
      network: {
        proxy: given.proxy ?? null,
        noProxy: given.noProxy ?? [],
        caPem: given.caFile ?? null,
        userAgent: given.userAgent ?? DEFAULT_USER_AGENT,
        connectTimeoutMs: given.connectTimeout,
        firstByteTimeoutMs: given.firstByteTimeout,
        idleTimeoutMs: given.idleTimeout,
        maxConnectionsPerOrigin: given.connectionsPerOrigin,
      },
      allowPrivateWebhooks: given.allowPrivateWebhooks ?? [],
      inFlight: { perAddress: given.requestsPerAddress, total: given.requestsAtOnce },
      drainTimeout: given.drainTimeout,
      platform,
    },
  };
}

const DEFAULT_USER_AGENT = `sluice/${VERSION}`;

function atRootSwitchedOff(given: ReturnType<ReturnType<typeof configSchema>["parse"]>): readonly Mistake[] {
  const disabled = disabledIn(given.ecosystems);
  return (given.root ?? []).filter((id) => disabled.includes(id))
    .map((id) => ({ key: "root", value: shown(id), expected: "ecosystems that are not switched off" }));
}

/** What a level sets, and nothing of the rest. */
function lifetimesIn(given: Readonly<Record<string, unknown>>): SomeLifetimes {
  const set = LIFETIME_KEYS.filter((key) => given[key] !== undefined);
  return Object.fromEntries(set.map((key) => [key, given[key]]));
}

function disabledIn(
  ecosystems: Readonly<Record<string, { readonly enabled?: boolean | undefined } | undefined>> = {},
): readonly string[] {
  return Object.entries(ecosystems).filter(([, own]) => own?.enabled === false).map(([id]) => id);
}

/** A disk has an end that nobody told us; a bucket has none, and what is in memory has its own. */
function usualBound(artifacts = "file:"): number | null {
  return artifacts.startsWith("file:") ? 10_000_000_000 : null;
}

/** In the place of a folder: the database and the files are elsewhere, and so is the log of installs. */
const NO_FOLDER = "none";

function missingPlaces(raw: Record<string, unknown>): readonly Mistake[] {
  if (typeof raw.data !== "string" || raw.data.trim() !== NO_FOLDER) return [];
  return ["kv", "artifacts"].filter((key) => raw[key] === undefined)
    .map((key) => ({ key, value: null, expected: "to be given, as there is no data folder" }));
}

/** A bucket is of no use without them; told together with all other mistakes. */
function missingKeys(raw: Record<string, unknown>): readonly Mistake[] {
  if (typeof raw.artifacts !== "string" || !raw.artifacts.trim().startsWith("s3://")) return [];
  const keys = [["awsAccessKeyId", "AWS_ACCESS_KEY_ID"], [
    "awsSecretAccessKey",
    "AWS_SECRET_ACCESS_KEY",
  ]] as const;
  return keys.filter(([key]) => raw[key] === undefined)
    .map(([, key]) => ({ key, value: null, expected: "the bucket's key, as artifacts are kept in one" }));
}

function credentialsOf(given: {
  readonly awsAccessKeyId?: string | undefined;
  readonly awsSecretAccessKey?: string | undefined;
  readonly awsSessionToken?: string | undefined;
}): S3Credentials | null {
  const { awsAccessKeyId: accessKeyId, awsSecretAccessKey: secretAccessKey, awsSessionToken } = given;
  if (accessKeyId === undefined || secretAccessKey === undefined) return null;
  return { accessKeyId, secretAccessKey, sessionToken: awsSessionToken ?? null };
}

type GivenUpstreams = NonNullable<ReturnType<ReturnType<typeof configSchema>["parse"]>["upstreams"]>;

function upstreamsOf(given: GivenUpstreams, input: ConfigInput): readonly UpstreamConfig[] {
  return Object.entries(given).flatMap(([ecosystem, entries]) => {
    const main = input.ecosystems.find(({ id }) => id === ecosystem)?.upstreams[0] ?? "";
    return (entries ?? []).map((
      { id, key, match, allowedHosts, organisations, credentials, url, ...own },
    ) => ({
      ...(id === undefined ? {} : { id }),
      ...(Object.values(own).every((each) => each === undefined) ? {} : { lifetimes: lifetimesIn(own) }),
      ecosystem,
      key: key ?? main,
      match: match ?? [],
      url,
      allowedHosts: allowedHosts ?? [],
      credentials: credentials ?? null,
      organisations: organisations ?? null,
    }));
  });
}

interface Completed {
  readonly raw: Record<string, unknown>;
  /** The index in the file's list at which environment or flags put an upstream, by ecosystem. */
  readonly replaced: ReadonlyMap<string, number>;
}

/** The given values with the defaults below them, and the environment's upstreams among the file's. */
function complete(gathered: Gathered, platform: boolean): Completed {
  const raw: Record<string, unknown> = {};
  for (const setting of describeSettings()) {
    if (setting.default !== null) raw[setting.key] = setting.default;
  }
  if (platform) Object.assign(raw, PLATFORM_DEFAULTS);
  for (const [key, value] of gathered.values) {
    // Through defineProperty, so that a key called __proto__ in a file is refused like any unknown one.
    Object.defineProperty(raw, key, { value, enumerable: true, writable: true, configurable: true });
  }
  const replaced = new Map<string, number>();
  if (gathered.upstreams.size === 0) return { raw, replaced };
  if (raw.upstreams !== undefined && !isMapping(raw.upstreams)) return { raw, replaced };
  const merged: Record<string, unknown> = { ...raw.upstreams };
  for (const [ecosystem, upstream] of gathered.upstreams) {
    const others = merged[ecosystem] ?? [];
    if (!Array.isArray(others)) continue;
    const kept = others.filter((entry) => !isCatchAll(entry));
    replaced.set(ecosystem, kept.length);
    merged[ecosystem] = [...kept, upstream];
  }
  raw.upstreams = merged;
  return { raw, replaced };
}

/** What the environment takes the place of is read too: a mistake in it may be why it was taken for one of these. */
function mistakesOfReplaced(raw: Readonly<Record<string, unknown>>, context: Context): readonly Mistake[] {
  const { gathered, replaced, input } = context;
  const upstreams = gathered.values.get("upstreams");
  if (replaced.size === 0 || !isMapping(upstreams)) return [];
  const asWritten = { ...raw, upstreams };
  const parsed = configSchema(input).safeParse(asWritten);
  return (parsed.error?.issues ?? []).filter(({ path: [first, ecosystem, index] }) => {
    const entries = first === "upstreams" ? upstreams[String(ecosystem)] : null;
    return replaced.has(String(ecosystem)) && Array.isArray(entries) && isCatchAll(entries[Number(index)]);
  }).flatMap((issue) => mistakesOf(issue, asWritten, { ...context, replaced: new Map() }));
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What the environment's upstream takes the place of: every name, for every organisation, at the main key. */
function isCatchAll(entry: unknown): boolean {
  return isMapping(entry) && entry.key === undefined && entry.organisations === undefined &&
    (entry.match === undefined || (Array.isArray(entry.match) && entry.match.length === 0));
}

interface Issue {
  readonly code?: string | undefined;
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
  readonly expected?: unknown;
}

interface Context {
  readonly gathered: Gathered;
  readonly replaced: ReadonlyMap<string, number>;
  readonly input: ConfigInput;
}

function mistakesOf(issue: Issue, raw: unknown, context: Context): readonly Mistake[] {
  if (issue.code === "unrecognized_keys") {
    return (issue.keys ?? []).map((key) => ({
      key: nameOf([...issue.path, key], context),
      value: null,
      expected: suggestion("a known key", key, knownKeys(issue.path, context.input)),
    }));
  }
  const value = valueAt(raw, issue.path);
  const hidden = isSecret(issue.path) || value === undefined;
  return [{
    key: nameOf(issue.path, context),
    value: hidden ? null : shown(value),
    expected: issue.code === "invalid_type" ? kindExpected(issue.expected, value) : issue.message,
  }];
}

function kindExpected(expected: unknown, value: unknown): string {
  if (value === undefined) return "to be given";
  return expected === "array" ? "a list" : expected === "object" ? "a mapping" : String(expected);
}

function isSecret(path: readonly PropertyKey[]): boolean {
  if (path[0] === "upstreams") return path.includes("credentials");
  return describeSettings().some(({ key, secret }) => secret === true && key === path[0]);
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const part of path) value = Object(value)[part];
  return value;
}

/** The name under which a person gave the value at a path: a flag, a variable, or the path in the file. */
function nameOf(path: readonly PropertyKey[], { gathered, replaced }: Context): string {
  const [first, ecosystem, index, field] = path.map(String);
  if (first === "upstreams" && ecosystem !== undefined && replaced.get(ecosystem) === Number(index)) {
    const part = field === "credentials" ? ":token" : field === "allowedHosts" ? ":allowedHosts" : "";
    const name = gathered.names.get(`upstream:${ecosystem}${part}`);
    if (name !== undefined) return name;
  }
  const known = path.length === 1 ? gathered.names.get(String(first)) : undefined;
  return known ?? path.map((part, at) => {
    return typeof part === "number" ? `[${part}]` : at === 0 ? String(part) : `.${String(part)}`;
  }).join("");
}

const UPSTREAM_KEYS = [
  "url",
  "id",
  "key",
  "match",
  "allowedHosts",
  "organisations",
  "credentials",
  ...LIFETIME_KEYS,
];
const CREDENTIAL_KEYS = ["bearer", "basic", "header", "bearerFile", "username", "password", "name", "value"];

function knownKeys(path: readonly PropertyKey[], input: ConfigInput): readonly string[] {
  if (path.length === 0) {
    return [...describeSettings().map(({ key }) => key), "upstreams", "ecosystems", "mirror"];
  }
  if (path[0] === "mirror") return MIRROR_KEYS;
  if (path[0] === "ecosystems" && path.length > 1) return [...LIFETIME_KEYS, "enabled"];
  if (path.includes("credentials")) return CREDENTIAL_KEYS;
  return path.length === 1 ? input.ecosystems.map(({ id }) => id) : UPSTREAM_KEYS;
}

/** One line for each mistake, `--listen "abc": expected HOST:PORT`. */
export function formatMistakes(mistakes: readonly Mistake[]): string {
  return mistakes
    .map(({ key, value, expected }) => `  ${key}${value === null ? "" : ` ${value}`}: expected ${expected}\n`)
    .join("");
}
