/** Real packages as they were on a past day, where the public registries can be reached; else a test skips and says so. */
import assert from "node:assert/strict";
import { cargo } from "../../ecosystems/cargo/cargo.ts";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { npm } from "../../ecosystems/npm/npm.ts";
import { pypi } from "../../ecosystems/pypi/pypi.ts";
import { startSluice, type TestSluice } from "../fakes/sluice.ts";
import { createCargoProject, missingCargo } from "./cargo_client.ts";
import { createProject, findClient } from "./clients.ts";
import { createPythonProject } from "./pypi_client.ts";
import { findPythonProgram, type PythonClient } from "./pypi_programs.ts";
import { unreachable } from "./reach.ts";

const NOW = Date.UTC(2026, 10, 20);
/** What was ten days old on that day: express 4.19.2 (2024-03-25), requests 2.32.3 (2024-05-29), itoa 1.0.11 (2024-03-26). */
const DAY = "2024-09-01";

async function publicTest(
  of: {
    readonly client: string;
    readonly ecosystem: Ecosystem;
    readonly path: string;
    readonly missing: boolean;
  },
  test: (sluice: TestSluice) => Promise<void>,
): Promise<void> {
  const { client, ecosystem, path, missing } = of;
  const root = Object.values(ecosystem.upstreams)[0]!;
  const away = missing ? "the client is not here" : await unreachable(new URL(path, root));
  Deno.test({
    name: `${client}: real packages of ${DAY}${away === null ? "" : ` (skipped: ${away})`}`,
    ignore: away !== null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using sluice = await startSluice({ env: {}, now: NOW });
      await test(sluice);
      const installs = await sluice.installs();
      assert.ok(installs.length > 0);
      assert.ok(installs.every(({ asOf }) => asOf === Date.parse(DAY)));
    },
  });
}

await publicTest({
  client: "npm",
  ecosystem: npm,
  path: "is-odd",
  missing: await findClient("npm") === null,
}, async (sluice) => {
  const registry = `${sluice.url}/at/${DAY}/npm/`;
  await using project = await createProject({ client: "npm", registry, dependencies: { express: "^4.0.0" } });
  const ran = await project.run("install");
  assert.equal(ran.code, 0, ran.output);
  assert.equal(await project.installed("express"), "4.19.2");
  // 1.3.0 came nine days later.
  assert.equal(await project.installed("body-parser"), "1.20.2");
});

for (const client of ["pip", "uv"] as const satisfies readonly PythonClient[]) {
  await publicTest({
    client,
    ecosystem: pypi,
    path: "simple/six/",
    missing: await findPythonProgram(client) === null,
  }, async (sluice) => {
    const index = `${sluice.url}/at/${DAY}/pypi/simple/`;
    await using project = await createPythonProject({
      client,
      index,
      user: "ada",
      dependencies: ["requests"],
    });
    const ran = await project.install();
    assert.equal(ran.code, 0, ran.output);
    assert.equal(await project.installed("requests"), "2.32.3");
    assert.equal(await project.installed("certifi"), "2024.7.4");
  });
}

await publicTest({
  client: "cargo",
  ecosystem: cargo,
  path: "se/rd/serde",
  missing: await missingCargo() !== null,
}, async (sluice) => {
  const registry = `${sluice.url}/at/${DAY}/cargo/`;
  await using project = await createCargoProject({ registry, dependencies: { itoa: "1", "cfg-if": "1" } });
  const ran = await project.run("fetch");
  assert.equal(ran.code, 0, ran.output);
  assert.equal(await project.locked("itoa"), "1.0.11");
  assert.equal(await project.locked("cfg-if"), "1.0.0");
});
