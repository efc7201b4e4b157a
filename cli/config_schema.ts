/** The one schema of the configuration: what each setting may be, and what it becomes. */
import ipaddr from "ipaddr.js";
import * as z from "zod";
import { isLoopback } from "../routes/auth/cookies.ts";
import { parseTrait, TRAIT_FORM } from "../storage/members.ts";
import { parseS3Address, S3_FORM } from "../storage/artifacts/s3_address.ts";
import type { LogLevel } from "../storage/runtime.ts";
import { parseRangeSyntax, RANGE_FORM } from "../policy/range.ts";
import type { DurationMs } from "../policy/types.ts";
import { parseSettingDuration, parseSize } from "./units.ts";
import { type ConfigInput, reasonOf } from "./config_sources.ts";

/** Where to listen; port 0 takes any that is free. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

const ORGANISATION = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})(?::\d{1,5})?$/;
const NO_PROXY = /^(?:\*|[A-Za-z0-9.:_*[\]/-]{1,253})$/;

/** A setting that is one text; `read` answers null for what it cannot use. */
function text<T>(expected: string, read: (text: string) => T | null) {
  return z.unknown().transform((value, context): T => {
    const given = typeof value === "number" ? String(value) : value;
    const result = typeof given === "string" ? read(given.trim()) : null;
    if (result !== null) return result;
    context.addIssue({ code: "custom", message: expected, input: value });
    return z.NEVER;
  });
}

/** A list, or its entries in one text with commas between. */
function list(expected: string, accepts: (entry: string) => boolean) {
  return z.unknown().transform((value, context): readonly string[] => {
    const entries: unknown = typeof value === "string" ? value.split(",") : value;
    const trimmed = Array.isArray(entries)
      ? entries.map((entry) => typeof entry === "string" ? entry.trim() : "")
      : [""];
    const wanted = typeof value === "string" ? trimmed.filter((entry) => entry !== "") : trimmed;
    if (wanted.every(accepts)) return wanted;
    context.addIssue({ code: "custom", message: expected, input: value });
    return z.NEVER;
  });
}

function oneOf<const T extends string>(...words: readonly T[]) {
  return text(`one of ${words.join(", ")}`, (given) => words.find((word) => word === given) ?? null);
}

const duration = text(
  "a duration with a unit, such as 30s, 10min, 1h or 7d",
  (given) => parseSettingDuration(given) as DurationMs | null,
);
const someTime = text("a duration above 0 with a unit, such as 30s or 1min", (given) => {
  return (parseSettingDuration(given) || null) as DurationMs | null;
});
const yesOrNo = z.unknown().transform((value, context): boolean => {
  if (typeof value === "boolean") return value;
  context.addIssue({ code: "custom", message: "true or false", input: value });
  return z.NEVER;
});
const printable = text(
  "printable ASCII of at most 200 characters",
  (given) => /^[\x21-\x7e]{1,200}$/.test(given) ? given : null,
);
const size = text("a size with a unit, such as 64MB", parseSize);
const path = text("a path", (given) => given === "" ? null : given);
const hosts = list("hosts, such as registry.example or registry.example:8443", (host) => HOST.test(host));

/** A secret: itself, `{ file: PATH }` or `{ env: NAME }`. No message ever quotes it. */
function secret(input: ConfigInput) {
  return z.unknown().transform((value, context): string => {
    const fail = (message: string): never => {
      context.addIssue({ code: "custom", message, input: null });
      return z.NEVER;
    };
    const found = typeof value === "string" ? value : fetchSecret(value, input, fail);
    if (typeof found !== "string") return z.NEVER;
    const trimmed = found.replace(/[\r\n]+$/, "");
    if (/^[\x20-\x7e]{1,8192}$/.test(trimmed)) return trimmed;
    return fail("a secret of printable ASCII in one line");
  });
}

function fetchSecret(
  value: unknown,
  input: ConfigInput,
  fail: (message: string) => never,
): string | undefined {
  const [[kind, name] = [], ...more] = Object.entries(value ?? {});
  if (typeof value !== "object" || more.length > 0 || typeof name !== "string") {
    return fail("a text, { file: PATH } or { env: NAME }");
  }
  if (kind === "env") {
    return input.env[name] ?? fail(`the environment variable ${JSON.stringify(name)} to be set`);
  }
  if (kind !== "file") return fail("a text, { file: PATH } or { env: NAME }");
  try {
    return input.readTextFile(name);
  } catch (error) {
    return fail(`a file that can be read: ${JSON.stringify(name)} (${reasonOf(error)})`);
  }
}

/** `tokenFile: PATH` is a short form of `token: { file: PATH }`. */
function withFiles<T extends z.ZodType>(keys: readonly string[], schema: T) {
  return z.preprocess((value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const entries = Object.entries(value).map(([key, entry]) => {
      const target = keys.find((candidate) => key === `${candidate}File` && !Object.hasOwn(value, candidate));
      return target === undefined ? [key, entry] : [target, { file: entry }];
    });
    return Object.fromEntries(entries);
  }, schema);
}

function credentials(input: ConfigInput) {
  const hidden = secret(input);
  const name = text(
    "a header's name",
    (given) => /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(given) ? given : null,
  );
  const basic = withFiles(["username", "password"], z.strictObject({ username: hidden, password: hidden }));
  const header = withFiles(["value"], z.strictObject({ name, value: hidden }));
  const each = z.strictObject({
    bearer: hidden.optional(),
    basic: basic.optional(),
    header: header.optional(),
  });
  return withFiles(["bearer"], each).transform((given, context) => {
    const forms = Object.values(given).filter((form) => form !== undefined);
    if (forms.length === 1) {
      if (given.bearer !== undefined) return { kind: "bearer" as const, token: given.bearer };
      if (given.basic !== undefined) return { kind: "basic" as const, ...given.basic };
      if (given.header !== undefined) return { kind: "header" as const, ...given.header };
    }
    context.addIssue({ code: "custom", message: "exactly one of bearer, basic and header", input: null });
    return z.NEVER;
  });
}

/** What the instance, an ecosystem and an upstream may each set; all that is left out is the next level's. */
const lifetimes = {
  metadataTtl: duration,
  staleWhileRevalidate: duration,
  staleIfError: duration,
  absentTtl: duration,
  artifactTtl: text<{ readonly ttl: DurationMs | null }>(
    "a duration above 0 with a unit, such as 24h, or unbounded",
    (given) => {
      if (given === "unbounded") return { ttl: null };
      const ttl = parseSettingDuration(given) as DurationMs | null;
      return ttl === null || ttl === 0 ? null : { ttl };
    },
  ).transform(({ ttl }) => ttl),
  refreshUsedWithin: duration,
  upstreamTimeout: someTime,
  userAgent: text(
    "printable ASCII of at most 200 characters",
    (given) => /^[\x20-\x7e]{1,200}$/.test(given) ? given : null,
  ).optional(),
};

/** One level's own. */
const someLifetimes = z.object(lifetimes).partial().shape;

/** The keys that an ecosystem and an upstream share with the instance. */
export const LIFETIME_KEYS = Object.keys(lifetimes);

/** An ecosystem's own settings. */
const ecosystem = z.strictObject({ ...someLifetimes, enabled: yesOrNo.optional() });

/** What is kept filled; either `packages` or `used`. */
function mirror(input: ConfigInput) {
  const each = z.strictObject({
    ecosystem: oneOf(...input.ecosystems.map(({ id }) => id)),
    packages: list("names of packages, such as left-pad", (name) => /^[^\s*?]{1,214}$/.test(name)).optional(),
    used: yesOrNo.optional(),
    versions: text(`a whole number from 1 to 1000, or ${RANGE_FORM}`, readVersions).optional(),
    every: someTime.optional(),
    organisation: text("a name of an organisation", (name) => ORGANISATION.test(name) ? name : null)
      .optional(),
    only: yesOrNo.optional(),
  });
  return each.transform(
    ({ ecosystem, packages, used = false, versions, every, organisation, only }, context) => {
      if (used === (packages !== undefined)) {
        context.addIssue({ code: "custom", message: "either packages or used: true", input: null });
      }
      return {
        ecosystem,
        packages: used || packages === undefined ? "used" as const : packages,
        versions: versions ?? { newest: 1 },
        every: every ?? DAY,
        organisation: organisation ?? "default",
        only: only ?? false,
      };
    },
  );
}

const DAY = 86_400_000 as DurationMs;

/** The keys of an entry of `mirror`. */
export const MIRROR_KEYS = ["ecosystem", "packages", "used", "versions", "every", "organisation", "only"];

function readVersions(given: string): { readonly newest: number } | { readonly range: string } | null {
  const newest = readCount(given, 1, 1000);
  if (newest !== null) return { newest };
  try {
    parseRangeSyntax(given);
    return { range: given };
  } catch {
    return null;
  }
}

function upstream(input: ConfigInput, keys: readonly string[]) {
  return z.strictObject({
    ...someLifetimes,
    url: text("an http or https address without userinfo, query or fragment", readRoot),
    id: text(
      "a short name of a-z, 0-9 and -",
      (given) => /^[a-z0-9][a-z0-9-]{0,62}$/.test(given) ? given : null,
    )
      .optional(),
    key: oneOf(...keys).optional(),
    match: list("names or patterns, such as @acme/*", (pattern) => /^\S{1,214}$/.test(pattern)).optional(),
    allowedHosts: hosts.optional(),
    organisations: list("names of organisations", (name) => ORGANISATION.test(name)).optional(),
    credentials: credentials(input).optional(),
  });
}

/** All settings; what has a default was given it before. */
export function configSchema(input: ConfigInput) {
  const upstreams = Object.fromEntries(
    input.ecosystems.map(({ id, upstreams }) => [id, z.array(upstream(input, upstreams)).optional()]),
  );
  const ecosystems = Object.fromEntries(input.ecosystems.map(({ id }) => [id, ecosystem.optional()]));
  return z.strictObject({
    ...lifetimes,
    ecosystems: z.strictObject(ecosystems).optional(),
    mirror: z.array(mirror(input)).optional(),
    listen: text("HOST:PORT, [IPV6]:PORT or :PORT", readListen),
    baseUrl: text("an http or https address without userinfo, query or fragment", readBase).optional(),
    data: path,
    kv: text("a path, or an http or https address", readKv).optional(),
    kvToken: secret(input).optional(),
    artifacts: text(`memory:, memory:SIZE, file:PATH or ${S3_FORM}`, readArtifacts).optional(),
    maxSize: text("a size with a unit, such as 10GB, or none", readBound).optional(),
    awsAccessKeyId: secret(input).optional(),
    awsSecretAccessKey: secret(input).optional(),
    awsSessionToken: secret(input).optional(),
    adminToken: secret(input).refine((given) => given.length >= 32, "32 printable characters or more")
      .optional(),
    owners: list(TRAIT_FORM, (entry) => parseTrait(entry) !== null)
      .transform((entries) => entries.map((entry) => parseTrait(entry) ?? entry)).optional(),
    githubClientId: printable.optional(),
    githubClientSecret: secret(input).optional(),
    githubUrl: text(PROVIDER_FORM, readProvider).transform((url) => url.replace(/\/+$/, "")),
    oidcIssuer: text(PROVIDER_FORM, readProvider).optional(),
    oidcClientId: printable.optional(),
    oidcClientSecret: secret(input).optional(),
    oidcScopes: text(
      "scopes with a space between, openid among them",
      (given) =>
        /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(given) && given.split(" ").includes("openid") ? given : null,
    ),
    trustedProxies: list("addresses or ranges, such as 10.0.0.1 or 10.0.0.0/8", isAddressOrRange).optional(),
    logLevel: oneOf<LogLevel>("debug", "info", "warn", "error"),
    logFormat: oneOf("text", "json"),
    unknownOrganisation: oneOf("refuse", "default"),
    metrics: oneOf("anyone", "token"),
    memoMemory: size,
    factsMemory: size,
    artifactsMemory: size,
    workMemory: size,
    largestDocument: size,
    cleanupInterval: someTime,
    connectTimeout: someTime,
    firstByteTimeout: someTime,
    idleTimeout: someTime,
    connectionsPerOrigin: text("a whole number from 1 to 1024", (given) => readCount(given, 1, 1024)),
    proxy: secret(input).transform((given, context) => {
      if (/^https?:\/\//.test(given) && URL.canParse(given)) return given;
      context.addIssue({ code: "custom", message: "an http or https address", input: null });
      return z.NEVER;
    }).optional(),
    noProxy: list("hosts, .suffixes, addresses, ranges or *", (entry) => NO_PROXY.test(entry)).optional(),
    caFile: path.transform((given, context) => {
      const pem = readPem(given, input);
      if (pem.ok) return pem.text;
      context.addIssue({ code: "custom", message: pem.expected, input: given });
      return z.NEVER;
    }).optional(),
    allowPrivateWebhooks: hosts.optional(),
    root: list(
      `ecosystems: ${input.ecosystems.map(({ id }) => id).join(", ")}`,
      (entry) => input.ecosystems.some(({ id }) => id === entry),
    ).optional(),
    requestsPerAddress: text("a whole number from 1 to 100000", (given) => readCount(given, 1, 100_000)),
    requestsAtOnce: text("a whole number from 1 to 100000", (given) => readCount(given, 1, 100_000)),
    drainTimeout: duration,
    upstreams: z.strictObject(upstreams).optional(),
  });
}

function readPem(path: string, input: ConfigInput) {
  try {
    const text = input.readTextFile(path);
    if (text.includes("-----BEGIN CERTIFICATE-----")) return { ok: true as const, text };
    return { ok: false as const, expected: "a PEM file with certificates" };
  } catch (error) {
    return { ok: false as const, expected: `a PEM file that can be read (${reasonOf(error)})` };
  }
}

function isAddressOrRange(given: string): boolean {
  return given.includes("/") ? ipaddr.isValidCIDR(given) : ipaddr.isValid(given);
}

function readCount(given: string, lowest: number, highest: number): number | null {
  const count = /^\d{1,6}$/.test(given) ? Number(given) : NaN;
  return count >= lowest && count <= highest ? count : null;
}

/** null within: none. */
function readBound(given: string): { readonly bytes: number | null } | null {
  if (given === "none") return { bytes: null };
  const bytes = parseSize(given);
  return bytes === null || bytes === 0 ? null : { bytes };
}

function readListen(given: string): ListenAddress | null {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]*):(\d{1,5})$/.exec(given);
  const port = readCount(match?.[2] ?? "", 0, 65_535);
  if (match === null || port === null) return null;
  const host = match[1] ?? "";
  if (host !== "" && !URL.canParse(`http://${host}/`)) return null;
  return { hostname: host === "" ? "0.0.0.0" : host.replace(/^\[|\]$/g, ""), port };
}

function readAddress(given: string): URL | null {
  if (!/^https?:\/\/[^\s\\]+$/.test(given) || !URL.canParse(given)) return null;
  const url = new URL(given);
  const plain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  return plain && !/[?#]/.test(given) ? url : null;
}

const PROVIDER_FORM = "an https address (http on loopback) without userinfo, query or fragment";

/** As it was written: an issuer is compared to the letter. */
function readProvider(given: string): string | null {
  const url = readAddress(given);
  if (url === null || (url.protocol !== "https:" && !isLoopback(url.hostname))) return null;
  return given;
}

function readBase(given: string): string | null {
  const url = readAddress(given);
  return url === null ? null : url.href.replace(/\/+$/, "");
}

function readRoot(given: string): string | null {
  const url = readAddress(given);
  if (url === null) return null;
  return url.pathname.endsWith("/") ? url.href : `${url.href}/`;
}

function readKv(given: string): string | null {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(given)) return given === "" ? null : given;
  return readAddress(given) === null ? null : given;
}

function readArtifacts(given: string): string | null {
  if (/^memory:(?:\d{1,12}[kKMG]?i?B)?$/.test(given)) return given;
  if (given.startsWith("s3://")) return isBucket(given) ? given : null;
  return /^file:.+$/s.test(given) ? given : null;
}

function isBucket(given: string): boolean {
  try {
    parseS3Address(given);
    return true;
  } catch {
    return false;
  }
}
