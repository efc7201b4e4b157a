/** What every end-to-end test of Cargo stands on: one registry of known history, one Sluice before it. */
import { PUBLIC_SOURCE } from "../../ecosystems/cargo/testing.ts";
import { type FakeCargoRegistry, startCargoRegistry } from "../fakes/cargo_registry.ts";
import { ADMIN_TOKEN } from "../fakes/holders.ts";
import { ONE_OR_PAIR_MISSING, startOneOrPair } from "../fakes/pair.ts";
import { daysAgo, type TestSluice } from "../fakes/sluice.ts";
import {
  type CargoProject,
  type CargoProjectOptions,
  createCargoProject,
  missingCargo,
} from "./cargo_client.ts";

export interface CargoWorld extends AsyncDisposable {
  readonly registry: FakeCargoRegistry;
  readonly sluice: TestSluice;
  /** With a trailing slash. */
  readonly cargo: string;
  project(options?: Partial<CargoProjectOptions>): Promise<CargoProject>;
}

/**
 * `steady` 1.0.0 and 1.1.0, both old · `fresh` 1.0.0 old, 1.1.0 two days old · `young`, of which all is two days old ·
 * `Mixed-Case` · `undated` · `withdrawn`, whose 1.1.0 was yanked · `needs`, which depends on steady and fresh ·
 * `native`, which links a library, of a version with build metadata.
 */
export async function createCargoWorld(env: Readonly<Record<string, string>> = {}): Promise<CargoWorld> {
  const registry = await startCargoRegistry();
  publishAll(registry);
  const sluice = await startOneOrPair({
    env: { SLUICE_ADMIN_TOKEN: ADMIN_TOKEN, SLUICE_UPSTREAM_CARGO: registry.upstream.url, ...env },
  });
  const cargo = `${sluice.url}/cargo/`;
  return {
    registry,
    sluice,
    cargo,
    project: (options = {}) => createCargoProject({ registry: cargo, ...options }),
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

function publishAll(registry: FakeCargoRegistry): void {
  const old = { publishedAt: daysAgo(100) };
  const older = { publishedAt: daysAgo(200) };
  const recent = { publishedAt: daysAgo(2) };
  registry.publish({ name: "steady", releases: { "1.0.0": older, "1.1.0": old } });
  registry.publish({ name: "fresh", releases: { "1.0.0": old, "1.1.0": recent } });
  registry.publish({ name: "young", releases: { "1.0.0": recent } });
  registry.publish({ name: "Mixed-Case", releases: { "1.0.0": old } });
  registry.publish({ name: "undated", releases: { "1.0.0": {} } });
  registry.publish({ name: "withdrawn", releases: { "1.0.0": older, "1.1.0": { ...old, yanked: true } } });
  const dependencies = { steady: "^1.0.0", fresh: "^1.0.0" };
  registry.publish({ name: "needs", releases: { "1.0.0": { ...old, dependencies } } });
  registry.publish({ name: "native", releases: { "0.18.7+1.9.6": { ...old, links: "native" } } });
}

/** A Cargo.lock of a project that depends on exactly these, as another machine would have written it. */
export function lockfileOf(
  registry: FakeCargoRegistry,
  pins: readonly (readonly [name: string, version: string])[],
): string {
  const source = PUBLIC_SOURCE;
  const packages = pins.map(([name, version]) =>
    `[[package]]\nname = "${name}"\nversion = "${version}"\nsource = "${source}"\n` +
    `checksum = "${registry.checksum(name, version)}"\n`
  );
  const names = pins.map(([name]) => ` "${name}",\n`).join("");
  const own = `[[package]]\nname = "project"\nversion = "0.1.0"\ndependencies = [\n${names}]\n`;
  return `version = 4\n\n${[...packages, own].join("\n")}`;
}

const missing = ONE_OR_PAIR_MISSING ?? await missingCargo();

/** A Sluice keeps timers; and steps that run at once may have none of these. */
export const WITHOUT_SANITIZERS = {
  sanitizeOps: false,
  sanitizeResources: false,
  sanitizeExit: false,
} as const;

/** Skips with the reason where Cargo is missing. The test may run steps, several at once. */
export function cargoTest(criterion: string, test: (context: Deno.TestContext) => Promise<void>): void {
  Deno.test({
    name: `cargo: ${criterion}${missing === null ? "" : ` (skipped: ${missing})`}`,
    ignore: missing !== null,
    ...WITHOUT_SANITIZERS,
    fn: test,
  });
}
