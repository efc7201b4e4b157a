/** Flags over environment over a file: what was given, under which name, before anything is checked. */
import { parse as parseYaml, YAMLParseError } from "yaml";
import { nearest } from "./units.ts";
import { describeSettings, upstreamNames } from "./settings.ts";

/** What is wrong with one setting. */
export interface Mistake {
  /** As the person wrote it: `--listen`, `SLUICE_LISTEN`, `upstreams.npm[0].url`. */
  readonly key: string;
  /** null: there is none, or it may be a secret. */
  readonly value: string | null;
  readonly expected: string;
}

/** Where settings come from. */
export interface ConfigInput {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws where the file cannot be read. */
  readonly readTextFile: (path: string) => string;
  /** The ecosystems that are mounted, and the keys of their upstreams, the main one first. */
  readonly ecosystems: readonly { readonly id: string; readonly upstreams: readonly string[] }[];
}

/** The given settings by key, and the name under which each was given. */
export interface Gathered {
  readonly values: Map<string, unknown>;
  readonly names: Map<string, string>;
  /** Environment and flags name an ecosystem's main upstream: by ecosystem. */
  readonly upstreams: Map<string, Record<string, unknown>>;
  readonly mistakes: readonly Mistake[];
}

/** Gathers all three sources; goes on after a mistake, so that all are told at once. */
export function gather(input: ConfigInput): Gathered {
  const mistakes: Mistake[] = [];
  const flags = readFlags(input, mistakes);
  const values = new Map<string, unknown>();
  const names = new Map<string, string>();
  const put = (key: string, value: unknown, name: string) => {
    values.set(key, value);
    names.set(key, name);
  };
  const path = flags.get("--config") ?? given(input.env, "SLUICE_CONFIG");
  if (path !== undefined) {
    for (const [key, value] of readFile(path, input, mistakes)) put(key, value, key);
  }
  for (const { key, env, flag, secret } of describeSettings()) {
    const value = env === null ? undefined : fromEnvironment(input, env, secret === true, mistakes);
    if (value !== undefined) put(key, value.value, value.name);
    const flagged = flag === null ? undefined : flags.get(flag);
    if (flagged !== undefined) put(key, flagged, flag ?? key);
  }
  if (!values.has("proxy")) {
    const plain = fromEnvironment(input, "HTTP_PROXY", true, mistakes);
    if (plain !== undefined) put("proxy", plain.value, plain.name);
  }
  const port = given(input.env, "PORT");
  if (!values.has("listen") && port !== undefined) put("listen", `:${port}`, "PORT");
  const upstreams = gatherUpstreams(input, flags, names, mistakes);
  refuseUnknownEnvironment(input, mistakes);
  return { values, names, upstreams, mistakes };
}

function readFlags(input: ConfigInput, mistakes: Mistake[]): Map<string, string> {
  const known = new Set(["--config", ...input.ecosystems.map(({ id }) => upstreamNames(id).flag)]);
  for (const { flag } of describeSettings()) if (flag !== null) known.add(flag);
  const flags = new Map<string, string>();
  for (let i = 0; i < input.args.length; i++) {
    const argument = input.args[i] ?? "";
    const name = argument.split("=", 1)[0] ?? "";
    if (!name.startsWith("--")) {
      mistakes.push({ key: "argument", value: shown(argument), expected: "a flag (see --help)" });
      continue;
    }
    const next = input.args[i + 1];
    const separate = name === argument && next !== undefined && !next.startsWith("--");
    if (separate) i++;
    if (!known.has(name)) {
      mistakes.push({ key: name, value: null, expected: suggestion("a known flag", name, known) });
      continue;
    }
    const value = name !== argument ? argument.slice(name.length + 1) : separate ? next : undefined;
    if (value === undefined || value === "") {
      mistakes.push({ key: name, value: null, expected: "a value after it" });
    } else flags.set(name, value);
  }
  return flags;
}

function readFile(path: string, input: ConfigInput, mistakes: Mistake[]): [string, unknown][] {
  const fail = (expected: string): [] => {
    mistakes.push({ key: "--config", value: shown(path), expected });
    return [];
  };
  let text: string;
  try {
    text = input.readTextFile(path);
  } catch (error) {
    return fail(`a file that can be read (${reasonOf(error)})`);
  }
  try {
    const document: unknown = parseYaml(text);
    if (document === null || document === undefined) return [];
    if (typeof document === "object" && !Array.isArray(document)) return Object.entries(document);
    return fail("a mapping of settings");
  } catch (error) {
    // The parser's own message quotes the line, and the line may hold a secret.
    if (!(error instanceof YAMLParseError)) return fail("YAML or JSON");
    return fail(`YAML or JSON (${error.code} in line ${error.linePos?.[0].line ?? 1})`);
  }
}

/** Lower-case names count for the variables that other programs read as well (`https_proxy`). */
function given(env: ConfigInput["env"], name: string): string | undefined {
  const value = env[name] ?? (name.startsWith("SLUICE_") ? undefined : env[name.toLowerCase()]);
  return value === undefined || value === "" ? undefined : value;
}

function fromEnvironment(
  input: ConfigInput,
  name: string,
  secret: boolean,
  mistakes: Mistake[],
): { readonly name: string; readonly value: unknown } | undefined {
  const value = given(input.env, name);
  const file = secret ? given(input.env, `${name}_FILE`) : undefined;
  if (value !== undefined && file !== undefined) {
    mistakes.push({ key: `${name}_FILE`, value: shown(file), expected: `nothing, as ${name} is set too` });
  }
  if (value !== undefined) return { name, value };
  return file === undefined ? undefined : { name: `${name}_FILE`, value: { file } };
}

function gatherUpstreams(
  input: ConfigInput,
  flags: ReadonlyMap<string, string>,
  names: Map<string, string>,
  mistakes: Mistake[],
): Map<string, Record<string, unknown>> {
  const upstreams = new Map<string, Record<string, unknown>>();
  for (const { id } of input.ecosystems) {
    const name = upstreamNames(id);
    const url = flags.get(name.flag) ?? given(input.env, name.env);
    const token = fromEnvironment(input, name.token, true, mistakes);
    const allowedHosts = given(input.env, name.allowedHosts);
    if (url === undefined) {
      for (const lonely of [token?.name, allowedHosts === undefined ? undefined : name.allowedHosts]) {
        if (lonely === undefined) continue;
        mistakes.push({ key: lonely, value: null, expected: `${name.env} to be set too` });
      }
      continue;
    }
    names.set(`upstream:${id}`, flags.has(name.flag) ? name.flag : name.env);
    names.set(`upstream:${id}:token`, token?.name ?? name.token);
    names.set(`upstream:${id}:allowedHosts`, name.allowedHosts);
    upstreams.set(id, {
      url,
      ...(allowedHosts === undefined ? {} : { allowedHosts }),
      ...(token === undefined ? {} : { credentials: { bearer: token.value } }),
    });
  }
  return upstreams;
}

/** Kubernetes puts these into every pod of a namespace that has a service called `sluice`. */
const INJECTED = /^SLUICE_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP)(?:_\w+)?)?)$/;

function refuseUnknownEnvironment(input: ConfigInput, mistakes: Mistake[]): void {
  // The commands' own: they stand in the same environment.
  const known = new Set(["SLUICE_CONFIG", "SLUICE_TOKEN", "SLUICE_TOKEN_FILE"]);
  for (const { env, secret } of describeSettings()) {
    if (env === null) continue;
    known.add(env);
    if (secret) known.add(`${env}_FILE`);
  }
  for (const { id } of input.ecosystems) {
    const { env, token, allowedHosts } = upstreamNames(id);
    for (const name of [env, token, `${token}_FILE`, allowedHosts]) known.add(name);
  }
  for (const [name, value] of Object.entries(input.env).toSorted()) {
    if (!name.startsWith("SLUICE_") || name.startsWith("SLUICE_TEST_") || known.has(name)) continue;
    const injected = INJECTED.test(name) && (name !== "SLUICE_PORT" || /^(?:tcp|udp):/.test(value ?? ""));
    if (injected) continue;
    mistakes.push({ key: name, value: null, expected: suggestion("a known setting", name, known) });
  }
}

/** `a known flag; did you mean --listen?` */
export function suggestion(expected: string, word: string, candidates: Iterable<string>): string {
  const candidate = nearest(word, candidates);
  return candidate === null ? expected : `${expected}; did you mean ${candidate}?`;
}

/** A value as a message may quote it: bounded, one line, without userinfo or query of an address. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  if (typeof value !== "string") return String(value);
  const text = value.replace(/\/\/[^/\s]*@/g, "//***@").replace(/\?.*/s, "?…");
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

/** Why a file could not be read, in three words. */
export function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return error instanceof Error && "code" in error ? String(error.code) : "it cannot be read";
}
