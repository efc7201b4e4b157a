/** The machine's Cargo, as a test runs it: in a home and a project of its own. */
import { join } from "node:path";
import type { Ran } from "./clients.ts";

/** Sparse registries are the default since. */
const OLDEST: readonly [number, number] = [1, 70];
const RUN_TIMEOUT_MS = 120_000;

/** null: there is one that speaks the sparse protocol; else why not, in words. */
export async function missingCargo(): Promise<string | null> {
  try {
    const { stdout } = await new Deno.Command("cargo", { args: ["--version"], stderr: "null" }).output();
    const [, major, minor] = /^cargo (\d+)\.(\d+)/.exec(new TextDecoder().decode(stdout)) ?? [];
    if (major === undefined) return "cargo does not say its version";
    const isNew = Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1]);
    return isNew ? null : `cargo ${major}.${minor} is older than ${OLDEST.join(".")}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no cargo on this machine";
    throw error;
  }
}

/** One person's project. */
export interface CargoProject extends AsyncDisposable {
  readonly folder: string;
  run(...args: readonly string[]): Promise<Ran>;
  write(file: string, content: string): Promise<void>;
  /** Of Cargo.lock, by name; null where it is not there. */
  locked(name: string): Promise<string | null>;
  lockfile(): Promise<string>;
  /** Forgets every download and every index; the lockfile stays. */
  forget(): Promise<void>;
}

export interface CargoProjectOptions {
  /** With trailing slash, without `sparse+`. */
  readonly registry: string;
  /**
   * `replace`: in place of the public registry, which Cargo.lock then names. `registry`: under a name of its own,
   * which every dependency says.
   */
  readonly as?: "replace" | "registry";
  /** Requirement by name. */
  readonly dependencies?: Readonly<Record<string, string>>;
  /** What Cargo sends as Authorization, as it stands. */
  readonly token?: string;
}

export async function createCargoProject(options: CargoProjectOptions): Promise<CargoProject> {
  const root = await Deno.makeTempDir({ prefix: "sluice-cargo-" });
  const folder = join(root, "project");
  const home = join(root, "home");
  const write = async (file: string, content: string) => {
    await Deno.mkdir(join(folder, file, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder, file), content);
  };
  const lockfile = () => Deno.readTextFile(join(folder, "Cargo.lock"));
  await write("Cargo.toml", manifestOf(options));
  await write("src/lib.rs", "");
  await write(".cargo/config.toml", configOf(options));
  await Deno.mkdir(home);
  return {
    folder,
    write,
    lockfile,
    run: (...args) => run(args, { folder, home, token: options.token }),
    async locked(name) {
      const text = await lockfile().catch(() => "");
      return new RegExp(`name = "${name}"\\nversion = "([^"]+)"`).exec(text)?.[1] ?? null;
    },
    async forget() {
      await Deno.remove(join(folder, "target"), { recursive: true }).catch(() => {});
      await Deno.remove(home, { recursive: true });
      await Deno.mkdir(home);
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

function manifestOf({ dependencies = {}, as = "replace" }: CargoProjectOptions): string {
  const lines = Object.entries(dependencies).map(([name, version]) =>
    as === "replace" ? `${name} = "${version}"` : `${name} = { version = "${version}", registry = "sluice" }`
  );
  return [
    "[package]",
    'name = "project"',
    'version = "0.1.0"',
    'edition = "2021"',
    "",
    "[dependencies]",
    ...lines,
    "",
  ].join("\n");
}

/** The replacement is a registry with a name: one without can be given no token, and is not searched. */
function configOf({ registry, as = "replace", token }: CargoProjectOptions): string {
  return [
    ...(as === "replace" ? ["[source.crates-io]", 'replace-with = "sluice"', ""] : []),
    "[registries.sluice]",
    `index = "sparse+${registry}"`,
    ...(token === undefined ? [] : ['credential-provider = "cargo:token"']),
    "",
  ].join("\n");
}

async function run(
  args: readonly string[],
  where: { readonly folder: string; readonly home: string; readonly token: string | undefined },
): Promise<Ran> {
  const own = Deno.env.get("HOME") ?? "/root";
  const { code, stdout, stderr } = await new Deno.Command("cargo", {
    args: [...args],
    cwd: where.folder,
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: where.home,
      CARGO_HOME: where.home,
      // The compiler stays the machine's.
      RUSTUP_HOME: Deno.env.get("RUSTUP_HOME") ?? join(own, ".rustup"),
      CARGO_NET_RETRY: "0",
      CARGO_TERM_COLOR: "never",
      ...(where.token === undefined ? {} : { CARGO_REGISTRIES_SLUICE_TOKEN: where.token }),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(RUN_TIMEOUT_MS),
  }).output();
  const text = new TextDecoder();
  return { code, output: `${text.decode(stdout)}\n${text.decode(stderr)}` };
}
