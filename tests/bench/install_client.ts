/** npm in a project of its own, with a cache that is empty each time. */
import { DIRECT, installName } from "./install_packages.ts";

export interface InstallProject extends AsyncDisposable {
  /** Milliseconds; throws with what npm printed where it fails, or where a package is missing afterwards. */
  install(): Promise<number>;
  /** From the lockfile of the install before; nothing else is left of that. */
  ci(): Promise<number>;
}

/** `registry` without trailing slash; `packages`: how many there must be afterwards. */
export async function createInstallProject(registry: string, packages: number): Promise<InstallProject> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-bench-npm-" });
  const dependencies = Object.fromEntries(
    Array.from({ length: Math.min(DIRECT, packages) }, (_, i) => [installName(i), "*"]),
  );
  await Deno.mkdir(`${folder}/project`);
  await Deno.writeTextFile(
    `${folder}/project/package.json`,
    JSON.stringify({ name: "bench", version: "1.0.0", private: true, dependencies }),
  );
  const { host, pathname } = new URL(`${registry}/`);
  await Deno.writeTextFile(
    `${folder}/project/.npmrc`,
    `registry=${registry}/\n//${host}${pathname}:_auth=${btoa("bench:")}\n`,
  );

  async function npm(command: "install" | "ci"): Promise<number> {
    for (const old of ["cache", "home", "project/node_modules"]) {
      await Deno.remove(`${folder}/${old}`, { recursive: true }).catch(() => {});
    }
    await Deno.mkdir(`${folder}/home`);
    const startedAt = performance.now();
    const { code, stdout, stderr } = await new Deno.Command("npm", {
      args: [command, "--cache", `${folder}/cache`],
      cwd: `${folder}/project`,
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "",
        HOME: `${folder}/home`,
        npm_config_update_notifier: "false",
      },
      stdout: "piped",
      stderr: "piped",
    }).output();
    const tookMs = performance.now() - startedAt;
    const found = [...Deno.readDirSync(`${folder}/project/node_modules`)].filter(({ name }) =>
      name.startsWith("tree-")
    );
    if (code !== 0 || found.length !== packages) {
      const printed = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      throw new Error(`npm ${command} ended with ${code} and ${found.length} packages: ${printed}`);
    }
    return tookMs;
  }

  return {
    install: () => npm("install"),
    ci: () => npm("ci"),
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
    },
  };
}
