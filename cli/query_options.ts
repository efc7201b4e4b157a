/** The command line of `deno task query`, parsed once. */
import { parseArgs } from "node:util";
import { ECOSYSTEMS } from "../ecosystems/mod.ts";
import type { EpochMs } from "../policy/types.ts";
import type { CountBy, RecordFilters } from "../storage/installs/query_types.ts";
import type { InstallOutcome } from "../storage/installs/log.ts";
import type { PlaceFlags } from "./api_client.ts";
import { LOCATION_OPTIONS, UsageError } from "./storage.ts";
import { nearest, parseSettingDuration } from "./units.ts";

export type Output = "table" | "json" | "csv";

export interface QueryOptions {
  readonly command: string;
  readonly operands: readonly string[];
  /** `package`, `user` and `outcome` only where the command takes them. */
  readonly filters: RecordFilters;
  readonly by: CountBy | undefined;
  readonly output: Output;
  readonly help: boolean;
  readonly location: PlaceFlags;
}

const OPTIONS = {
  ...LOCATION_OPTIONS,
  server: { type: "string" },
  org: { type: "string" },
  ecosystem: { type: "string" },
  since: { type: "string" },
  until: { type: "string" },
  limit: { type: "string" },
  by: { type: "string" },
  package: { type: "string" },
  user: { type: "string" },
  outcome: { type: "string" },
  json: { type: "boolean" },
  csv: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const COUNT_BY: readonly CountBy[] = ["ecosystem", "package", "user", "day"];
const OUTCOMES: readonly InstallOutcome[] = ["served", "partial", "refused", "observed"];
/** The commands that each of these goes with. */
const NARROWED = {
  package: ["count", "recent", "refused", "export"],
  user: ["count", "recent", "refused", "export"],
  outcome: ["recent", "export"],
} as const satisfies Readonly<Record<string, readonly string[]>>;
const DAY_MS = 86_400_000;

/** Throws UsageError, which names what is wrong. */
export function readQueryOptions(args: readonly string[], now: EpochMs): QueryOptions {
  const { values, positionals } = parsed(args);
  if (values.json && values.csv) throw new UsageError("Use --json or --csv, not both.");
  const [command = "", ...operands] = positionals;
  if (values.by !== undefined && command !== "count") throw new UsageError("--by goes with count alone.");
  for (const [flag, commands] of Object.entries(NARROWED)) {
    if (values[flag as keyof typeof NARROWED] === undefined || commands.some((each) => each === command)) {
      continue;
    }
    throw new UsageError(`--${flag} goes with ${commands.join(", ")} alone.`);
  }
  const since = values.since === undefined ? undefined : instantOf("--since", values.since, now);
  const until = values.until === undefined ? undefined : instantOf("--until", values.until, now);
  if (since !== undefined && until !== undefined && since >= until) {
    throw new UsageError(`--since ${values.since} is not before --until ${values.until}.`);
  }
  return {
    command,
    operands,
    filters: {
      organisation: values.org,
      ecosystem: values.ecosystem,
      ...(values.package === undefined ? {} : exactSpec(values.package, values.ecosystem)),
      user: values.user,
      outcome: values.outcome === undefined ? undefined : outcomeOf(values.outcome),
      since,
      until,
      limit: values.limit === undefined ? undefined : limitOf(values.limit),
    },
    by: values.by === undefined ? undefined : countByOf(values.by),
    output: values.json ? "json" : values.csv ? "csv" : "table",
    help: values.help ?? false,
    location: values,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const why = error instanceof Error ? error.message.split(". ", 1)[0] : String(error);
    const flag = /'--([^' ]+)/.exec(why ?? "")?.[1] ?? "";
    const meant = Object.hasOwn(OPTIONS, flag) ? null : nearest(flag, Object.keys(OPTIONS));
    throw new UsageError(`${why}.${meant === null ? "" : ` Did you mean --${meant}?`}`);
  }
}

function countByOf(text: string): CountBy {
  const by = COUNT_BY.find((each) => each === text);
  if (by !== undefined) return by;
  throw new UsageError(`--by "${text}" is not one of ${COUNT_BY.join(", ")}.`);
}

function outcomeOf(text: string): InstallOutcome {
  const outcome = OUTCOMES.find((each) => each === text);
  if (outcome !== undefined) return outcome;
  throw new UsageError(`--outcome "${text}" is not one of ${OUTCOMES.join(", ")}.`);
}

/** One package, perhaps one version of it. */
function exactSpec(
  text: string,
  wanted: string | undefined,
): Pick<RecordFilters, "package" | "ecosystem" | "version"> {
  const { name, version, ecosystem } = packageSpec(text);
  if (name.includes("%")) throw new UsageError(`--package "${text}": only who takes a %.`);
  return { package: name, version, ecosystem: sameEcosystem(text, ecosystem, wanted) };
}

/** Throws UsageError where a package's own is not what --ecosystem says. */
export function sameEcosystem(
  text: string,
  own: string | undefined,
  wanted: string | undefined,
): string | undefined {
  if (own === undefined || wanted === undefined || own === wanted) return own ?? wanted;
  throw new UsageError(`"${text}" is of ${own}, but --ecosystem is ${wanted}.`);
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new UsageError(`--limit "${text}" is not a whole number above 0.`);
}

/** `7d` ago; a day (UTC), of which --since means the beginning and --until the end; or RFC 3339. */
function instantOf(flag: "--since" | "--until", text: string, now: EpochMs): EpochMs {
  const ago = parseSettingDuration(text);
  if (ago !== null) return Math.max(0, now - ago) as EpochMs;
  const day = /^\d{4}-\d\d-\d\d$/.test(text);
  const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i.test(text);
  const at = day || instant ? Date.parse(text) : NaN;
  // Date.parse turns the 31st of February into March.
  const exists = Number.isFinite(at) && (!day || new Date(at).toISOString().startsWith(text));
  if (exists) return (day && flag === "--until" ? at + DAY_MS : at) as EpochMs;
  throw new UsageError(
    `${flag} "${text}" is neither a duration (7d, 36h) nor a date (2026-11-01, 2026-11-01T12:00:00Z).`,
  );
}

/** What a person calls a package. */
export interface PackageSpec {
  readonly ecosystem: string | undefined;
  /** Registry-exact, or with `%` at either end. */
  readonly name: string;
  readonly version: string | undefined;
}

/** `left-pad`, `@acme/ui`, `npm/@acme/ui`, each with `@version` or without, or a purl. Throws UsageError. */
export function packageSpec(text: string): PackageSpec {
  const spec = text.startsWith("pkg:") ? ofPurl(text) : ofName(text);
  if (spec.name === "") throw new UsageError(`"${text}" names no package.`);
  return spec;
}

function ofName(text: string): PackageSpec {
  const slash = text.indexOf("/");
  const prefix = text.slice(0, Math.max(0, slash));
  const ecosystem = ECOSYSTEMS.find(({ id }) => id === prefix);
  const { name, version } = splitVersion(ecosystem === undefined ? text : text.slice(slash + 1));
  return { ecosystem: ecosystem?.id, name: ecosystem?.canonicalName?.(name) ?? name, version };
}

/** The `@` of a scope is not that of a version. */
function splitVersion(text: string): { name: string; version: string | undefined } {
  const at = text.lastIndexOf("@");
  if (at <= 0 || text.indexOf("/", at) >= 0) return { name: text, version: undefined };
  return { name: text.slice(0, at), version: text.slice(at + 1) || undefined };
}

/** By hand: the purl library folds names that npm keeps apart (`JSONStream`). */
function ofPurl(text: string): PackageSpec {
  const parts = /^pkg:\/*([A-Za-z0-9.+-]+)\/([^?#]+)/.exec(text);
  if (parts === null) throw new UsageError(`"${text}" is not a package URL (pkg:npm/left-pad@1.3.0).`);
  const [, type = "", path = ""] = parts;
  const { name, version } = splitVersion(path);
  const purlType = type.toLowerCase();
  try {
    const ecosystem = ECOSYSTEMS.find((each) => each.purlType === purlType);
    const decoded = decodeURIComponent(name);
    return {
      ecosystem: ecosystem?.id ?? purlType,
      name: ecosystem?.canonicalName?.(decoded) ?? decoded,
      version: version === undefined ? undefined : decodeURIComponent(version),
    };
  } catch {
    throw new UsageError(`"${text}" is not a package URL: its percent-encoding is broken.`);
  }
}
