/** What every end-to-end test of npm's clients stands on: one registry of known history, one Sluice before it. */
import { ADMIN_TOKEN } from "../fakes/holders.ts";
import { ONE_OR_PAIR_MISSING, startOneOrPair } from "../fakes/pair.ts";
import { daysAgo, type TestSluice } from "../fakes/sluice.ts";
import { type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { type ClientName, createProject, findClient, type Project, type ProjectOptions } from "./clients.ts";

export const CLIENTS: readonly ClientName[] = ["npm", "pnpm", "yarn1", "yarn4", "bun", "deno"];

export interface World extends AsyncDisposable {
  readonly registry: FakeNpmRegistry;
  readonly sluice: TestSluice;
  /** With a trailing slash. */
  readonly npm: string;
  project(client: ClientName, options?: Partial<ProjectOptions>): Promise<Project>;
}

/**
 * `steady` 1.0.0 and 1.1.0, both old · `fresh` 1.0.0 old, 1.1.0 two days old · `young`, of which all is two days
 * old · `@acme/scoped` · `scripted`, which writes a file when installed · `downgraded` 2.0.0 by a trusted
 * publisher, 2.0.1 by nobody in particular · `needs`, which depends on steady and fresh · `gone` 1.0.0 and 1.1.0,
 * of which 1.1.0 can be unpublished.
 */
export async function createWorld(env: Readonly<Record<string, string>> = {}): Promise<World> {
  const registry = await startNpmRegistry();
  publishAll(registry);
  const sluice = await startOneOrPair({
    env: { SLUICE_ADMIN_TOKEN: ADMIN_TOKEN, SLUICE_UPSTREAM_NPM: registry.upstream.url, ...env },
  });
  const npm = `${sluice.url}/npm/`;
  return {
    registry,
    sluice,
    npm,
    project: (client, options = {}) => createProject({ client, registry: npm, user: "ada", ...options }),
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

function publishAll(registry: FakeNpmRegistry): void {
  const old = { publishedAt: daysAgo(100) };
  const older = { publishedAt: daysAgo(200) };
  registry.publish({ name: "steady", releases: { "1.0.0": older, "1.1.0": old } });
  registry.publish({ name: "fresh", releases: { "1.0.0": old, "1.1.0": { publishedAt: daysAgo(2) } } });
  registry.publish({ name: "young", releases: { "1.0.0": { publishedAt: daysAgo(2) } } });
  registry.publish({ name: "@acme/scoped", releases: { "1.0.0": older, "1.1.0": old } });
  const script = { preinstall: "node -e \"require('fs').writeFileSync('ran.txt', 'yes')\"" };
  registry.publish({ name: "scripted", releases: { "1.0.0": { ...old, manifest: { scripts: script } } } });
  registry.publish({
    name: "downgraded",
    releases: {
      "2.0.0": { publishedAt: daysAgo(60), trust: "trusted-publisher" },
      "2.0.1": { publishedAt: daysAgo(30), trust: "none" },
    },
  });
  const dependencies = { steady: "^1.0.0", fresh: "^1.0.0" };
  registry.publish({ name: "needs", releases: { "1.0.0": { ...old, manifest: { dependencies } } } });
  registry.publish({ name: "gone", releases: { "1.0.0": older, "1.1.0": old } });
}

/** How each client installs what package.json says, and installs strictly what the lockfile says. */
export const COMMANDS: Readonly<
  Record<
    ClientName,
    { readonly install: readonly string[]; readonly frozen: readonly string[]; readonly lockfile: string }
  >
> = {
  npm: { install: ["install"], frozen: ["ci"], lockfile: "package-lock.json" },
  pnpm: {
    install: ["install", "--no-frozen-lockfile"],
    frozen: ["install", "--frozen-lockfile"],
    lockfile: "pnpm-lock.yaml",
  },
  yarn1: { install: ["install"], frozen: ["install", "--frozen-lockfile"], lockfile: "yarn.lock" },
  yarn4: { install: ["install"], frozen: ["install", "--immutable"], lockfile: "yarn.lock" },
  bun: { install: ["install"], frozen: ["install", "--frozen-lockfile"], lockfile: "bun.lock" },
  deno: { install: ["install"], frozen: ["install", "--frozen"], lockfile: "deno.lock" },
};

/** A test for each client that is here; the others skip with the reason. */
export async function forEachClient(
  criterion: string,
  test: (client: ClientName) => Promise<void>,
  clients: readonly ClientName[] = CLIENTS,
): Promise<void> {
  for (const client of clients) {
    const missing = ONE_OR_PAIR_MISSING ??
      (await findClient(client) === null ? 'run "deno task clients" first' : null);
    const name = `${client}: ${criterion}${missing === null ? "" : ` (skipped: ${missing})`}`;
    Deno.test({
      name,
      ignore: missing !== null,
      sanitizeOps: false,
      sanitizeResources: false,
      fn: () => test(client),
    });
  }
}
