/** Real package managers, as a test runs them: found or said to be missing, each in a home and cache of its own. */
import { join } from "node:path";

/** Exact, so that what a terminal prints can be asserted. Installed by `deno task clients` under `.cache/clients`. */
export const CLIENT_VERSIONS = {
  npm: "npm@11.19.1",
  pnpm: "pnpm@12.21.0",
  yarn4: "@yarnpkg/cli-dist@4.18.1",
  yarn1: "yarn@1.22.22",
  bun: "bun@1.4.2",
  deno: "",
} as const;

export type ClientName = keyof typeof CLIENT_VERSIONS;

const ROOT = new URL("../../.cache/clients/", import.meta.url).pathname;

/** The program's path; null where `deno task clients` was not run. */
export async function findClient(name: ClientName): Promise<readonly string[] | null> {
  const programs: Readonly<Record<ClientName, readonly string[]>> = {
    npm: ["node", join(ROOT, "npm/node_modules/npm/bin/npm-cli.js")],
    pnpm: [join(ROOT, "pnpm/node_modules/.bin/pnpm")],
    yarn4: ["node", join(ROOT, "yarn4/node_modules/@yarnpkg/cli-dist/bin/yarn.js")],
    yarn1: ["node", join(ROOT, "yarn1/node_modules/yarn/bin/yarn.js")],
    bun: [join(ROOT, "bun/node_modules/@oven/bun-linux-x64/bin/bun")],
    deno: [Deno.execPath()],
  };
  const program = programs[name];
  try {
    await Deno.stat(program.at(-1)!);
    return program;
  } catch {
    return null;
  }
}

export interface Ran {
  readonly code: number;
  /** Both streams, colours taken out. */
  readonly output: string;
}

/** One project of one person with one client: a folder, a home and a cache of its own, removed at the end. */
export interface Project extends AsyncDisposable {
  readonly folder: string;
  run(...args: readonly string[]): Promise<Ran>;
  write(file: string, content: string): Promise<void>;
  read(file: string): Promise<string>;
  /** Installed under node_modules: its version; null if it is not there. */
  installed(name: string): Promise<string | null>;
  /** Forgets every download, the lockfile stays. */
  forget(): Promise<void>;
}

export interface ProjectOptions {
  readonly client: ClientName;
  /** With a trailing slash. */
  readonly registry: string;
  /** Sent as Basic auth with an empty password (bun sends nothing without one). */
  readonly user?: string;
  /** One of our tokens, where this client keeps one; `password`: as Basic auth's, for those that keep it so too. */
  readonly token?: { readonly secret: string; readonly as?: "token" | "password" };
  readonly dependencies?: Readonly<Record<string, string>>;
}

const RUN_TIMEOUT_MS = 120_000;

export async function createProject(options: ProjectOptions): Promise<Project> {
  const program = await findClient(options.client);
  if (program === null) throw new Error(`Cannot run ${options.client}: run "deno task clients" first`);
  const root = await Deno.makeTempDir({ prefix: `sluice-${options.client}-` });
  const folder = join(root, "project");
  const home = join(root, "home");
  await Deno.mkdir(folder);
  await Deno.mkdir(home);
  const write = (file: string, content: string) => Deno.writeTextFile(join(folder, file), content);
  const manifest = {
    name: "project",
    version: "1.0.0",
    private: true,
    dependencies: options.dependencies ?? {},
  };
  await write("package.json", JSON.stringify(manifest, null, 2));
  for (const [file, content] of Object.entries(settings(options))) await write(file, content);
  return {
    folder,
    write,
    run: (...args) =>
      run(program, args, { folder, home, registry: options.registry, client: options.client }),
    read: (file) => Deno.readTextFile(join(folder, file)),
    async installed(name) {
      try {
        const text = await Deno.readTextFile(join(folder, "node_modules", name, "package.json"));
        return (JSON.parse(text) as { version: string }).version;
      } catch {
        return null;
      }
    },
    async forget() {
      await Deno.remove(join(folder, "node_modules"), { recursive: true }).catch(() => {});
      await Deno.remove(join(folder, ".yarn"), { recursive: true }).catch(() => {});
      await Deno.remove(home, { recursive: true });
      await Deno.mkdir(home);
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** The files that point a client at a registry, with a user's name as this client stores it. */
function settings(options: ProjectOptions): Readonly<Record<string, string>> {
  const { registry, user, token } = options;
  const url = new URL(registry);
  const basic = btoa(`${user ?? ""}:${token?.secret ?? ""}`);
  const isBasic = user !== undefined && (token === undefined || token.as === "password");
  const isToken = token !== undefined && token.as !== "password";
  const npmrc = [
    `registry=${registry}`,
    "audit=false",
    "fund=false",
    "update-notifier=false",
    ...(isBasic ? [`//${url.host}${url.pathname}:_auth=${basic}`] : []),
    ...(isToken ? [`//${url.host}${url.pathname}:_authToken=${token.secret}`] : []),
  ].join("\n");
  switch (options.client) {
    case "yarn4":
      return {
        "yarn.lock": "",
        ".yarnrc.yml": [
          `npmRegistryServer: "${registry}"`,
          'unsafeHttpWhitelist: ["127.0.0.1", "localhost"]',
          "nodeLinker: node-modules",
          "enableGlobalCache: false",
          "enableTelemetry: false",
          "enableImmutableInstalls: false",
          "httpRetry: 0",
          // Its own cooldown would hold back whatever has no date, before Sluice is asked.
          "npmMinimalAgeGate: 0",
          ...(isBasic || isToken ? ["npmAlwaysAuth: true"] : []),
          ...(isBasic ? [`npmAuthIdent: "${basic}"`] : []),
          ...(isToken ? [`npmAuthToken: "${token.secret}"`] : []),
        ].join("\n"),
      };
    case "yarn1":
      return {
        ".npmrc": isBasic || isToken ? `${npmrc}\nalways-auth=true` : npmrc,
        ".yarnrc": `registry "${registry}"\n`,
      };
    case "bun":
      return {
        "bunfig.toml": isToken
          ? `[install]\nregistry = { url = "${registry}", token = "${token.secret}" }\n`
          : user === undefined
          ? `[install]\nregistry = "${registry}"\n`
          : `[install]\nregistry = { url = "${registry}", username = "${user}", password = "${
            token?.secret ?? "-"
          }" }\n`,
      };
    case "pnpm":
      // Packages with scripts install without running them, as everywhere else, instead of failing.
      return { ".npmrc": npmrc, "pnpm-workspace.yaml": "strictDepBuilds: false\n" };
    case "npm":
    case "deno":
      return { ".npmrc": npmrc };
  }
}

async function run(
  program: readonly string[],
  args: readonly string[],
  where: {
    readonly folder: string;
    readonly home: string;
    readonly registry: string;
    readonly client: ClientName;
  },
): Promise<Ran> {
  const [command, ...first] = program;
  const child = new Deno.Command(command!, {
    args: [...first, ...args],
    cwd: where.folder,
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: where.home,
      XDG_CACHE_HOME: join(where.home, ".cache"),
      DENO_DIR: join(where.home, ".deno"),
      BUN_INSTALL_CACHE_DIR: join(where.home, ".bun"),
      ...(where.client === "deno" ? { NPM_CONFIG_REGISTRY: where.registry } : {}),
      npm_config_fetch_retries: "0",
      NO_COLOR: "1",
      FORCE_COLOR: "0",
      CI: "1",
      YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(RUN_TIMEOUT_MS),
  });
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  // deno-lint-ignore no-control-regex
  const output = `${text.decode(stdout)}\n${text.decode(stderr)}`.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "");
  return { code, output };
}
