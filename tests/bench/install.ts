/** What people feel: `npm install` and `npm ci` through Sluice, beside the same straight from the fixture upstream. */
import { spawnServer } from "../e2e/server.ts";
import type { Finding } from "./bounds.ts";
import { createInstallProject } from "./install_client.ts";
import { INSTALL_PACKAGES } from "./install_packages.ts";
import { startScript } from "./rig.ts";
import { median, spread } from "./stats.ts";

interface Times {
  readonly install: number[];
  readonly ci: number[];
}

/** Rounds in turns; in each a Sluice that has nothing yet, and npm without a cache both times. */
export async function measureInstall(
  { rounds = 7, packages = INSTALL_PACKAGES }: { readonly rounds?: number; readonly packages?: number } = {},
): Promise<readonly Finding[]> {
  await using upstream = await startScript("install_registry.ts", [String(packages)]);
  const straight: Times = { install: [], ci: [] };
  const through: Times = { install: [], ci: [] };
  // What npm and the file system have in memory after the first is no round.
  await installBoth(upstream.url, packages, { install: [], ci: [] });
  for (let round = 0; round < rounds; round++) {
    const turns = [
      () => installBoth(upstream.url, packages, straight),
      () => installThrough(upstream.url, packages, through),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  return [
    ...beside(`cold npm install of ${packages} packages`, {
      straight: straight.install,
      through: through.install,
    }, { bound: 1.15, attained: 2.4 }),
    ...beside(`warm npm ci of ${packages} packages`, { straight: straight.ci, through: through.ci }, {
      bound: 1.05,
    }),
  ];
}

async function installBoth(registry: string, packages: number, times: Times): Promise<void> {
  await using project = await createInstallProject(registry, packages);
  times.install.push(await project.install());
  times.ci.push(await project.ci());
}

async function installThrough(upstream: string, packages: number, times: Times): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "sluice-bench-" });
  try {
    await using sluice = await spawnServer({ data, env: { SLUICE_UPSTREAM_NPM: `${upstream}/` } });
    await installBoth(`${sluice.url}/npm`, packages, times);
    await sluice.end("SIGTERM");
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

function beside(
  what: string,
  { straight, through }: { readonly straight: readonly number[]; readonly through: readonly number[] },
  goal: Pick<Finding, "bound" | "attained">,
): readonly Finding[] {
  const told = (whose: string, times: readonly number[]): Finding => ({
    what: `${what}, ${whose} (±${Math.round(spread(times) * 100)} %)`,
    found: median(times),
    bound: null,
    unit: "ms",
  });
  return [
    told("straight from upstream", straight),
    told("through Sluice", through),
    {
      what: `${what}, through Sluice : straight`,
      found: median(through) / median(straight),
      ...goal,
      unit: "×",
    },
  ];
}
