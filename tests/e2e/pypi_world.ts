/** What every end-to-end test of Python's clients stands on: one index of known history, one Sluice before it. */
import { type FakePypiOptions, type FakePypiRegistry, startPypiRegistry } from "../fakes/pypi_registry.ts";
import { ADMIN_TOKEN } from "../fakes/holders.ts";
import { ONE_OR_PAIR_MISSING, startOneOrPair } from "../fakes/pair.ts";
import { daysAgo, type TestSluice } from "../fakes/sluice.ts";
import { createPythonProject, type PythonProject } from "./pypi_client.ts";
import type { PythonProjectOptions } from "./pypi_files.ts";
import { findPythonProgram, type PythonClient } from "./pypi_programs.ts";

export const CLIENTS: readonly PythonClient[] = ["pip-machine", "pip", "uv", "poetry", "pdm", "pipenv"];

export interface PypiWorld extends AsyncDisposable {
  readonly registry: FakePypiRegistry;
  readonly sluice: TestSluice;
  /** The simple index, with a trailing slash. */
  readonly index: string;
  project(client: PythonClient, options?: Partial<PythonProjectOptions>): Promise<PythonProject>;
}

/**
 * `steady` 1.0.0 and 1.1.0, both old · `fresh` 1.0.0 old, 1.1.0 two days old · `young`, of which all is two days
 * old · `sourced`, which has an sdist alone · `downgraded` 2.0.0 by a trusted publisher, 2.0.1 by nobody in
 * particular · `withdrawn` 1.0.0, and 1.1.0 that was yanked · `undated` · `advised`, a project
 * that is deprecated · `banned` · `needs`, which depends on steady and fresh.
 */
export async function createPypiWorld(options: FakePypiOptions = {}): Promise<PypiWorld> {
  const registry = await startPypiRegistry(options);
  publishAll(registry);
  const env = {
    SLUICE_ADMIN_TOKEN: ADMIN_TOKEN,
    SLUICE_UPSTREAM_PYPI: registry.upstream.url,
    SLUICE_UPSTREAM_PYPI_ALLOWED_HOSTS: registry.files.host,
  };
  const sluice = await startOneOrPair({ env });
  const index = `${sluice.url}/pypi/simple/`;
  return {
    registry,
    sluice,
    index,
    project: (client, given = {}) => createPythonProject({ client, index, user: "ada", ...given }),
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

function publishAll(registry: FakePypiRegistry): void {
  const old = { publishedAt: daysAgo(100) };
  const older = { publishedAt: daysAgo(200) };
  const young = { publishedAt: daysAgo(2) };
  registry.publish({ name: "steady", releases: { "1.0.0": older, "1.1.0": old } });
  registry.publish({ name: "fresh", releases: { "1.0.0": old, "1.1.0": young } });
  registry.publish({ name: "young", releases: { "1.0.0": young } });
  registry.publish({ name: "sourced", releases: { "1.0.0": { ...old, kinds: ["sdist"] } } });
  registry.publish({
    name: "downgraded",
    releases: {
      "2.0.0": { publishedAt: daysAgo(60), trust: "trusted-publisher" },
      "2.0.1": { publishedAt: daysAgo(30), trust: "none" },
    },
  });
  registry.publish({
    name: "withdrawn",
    releases: { "1.0.0": older, "1.1.0": { ...old, yanked: "it was broken" } },
  });
  registry.publish({ name: "undated", releases: { "1.0.0": {} } });
  const advised = { "project-status": { status: "deprecated", reason: "use steady" } };
  registry.publish({ name: "advised", releases: { "1.0.0": old }, extra: advised });
  registry.publish({ name: "banned", releases: { "1.0.0": old } });
  const requires = ["steady>=1.0.0", "fresh>=1.0.0"];
  registry.publish({ name: "needs", releases: { "1.0.0": { ...old, requires } } });
}

/**
 * A test for each client that is here; the others skip with the reason. The test may run steps, several at once.
 */
export async function forEachPythonClient(
  criterion: string,
  test: (client: PythonClient, context: Deno.TestContext) => Promise<void>,
  clients: readonly PythonClient[] = CLIENTS,
): Promise<void> {
  for (const client of clients) {
    const missing = ONE_OR_PAIR_MISSING ??
      (await findPythonProgram(client) === null ? 'run "deno task clients" first' : null);
    const name = `${client}: ${criterion}${missing === null ? "" : ` (skipped: ${missing})`}`;
    Deno.test({
      name,
      ignore: missing !== null,
      ...WITHOUT_SANITIZERS,
      fn: (context) => test(client, context),
    });
  }
}

/** A Sluice keeps timers; and steps that run at once may have none of these. */
export const WITHOUT_SANITIZERS = {
  sanitizeOps: false,
  sanitizeResources: false,
  sanitizeExit: false,
} as const;
