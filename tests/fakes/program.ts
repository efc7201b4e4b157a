/** Programs that tests start beside themselves: each ends with the test that started it. */

/** null: it is not there. */
export async function pathOf(name: string): Promise<string | null> {
  const folders = [
    new URL("../../.cache/bin", import.meta.url).pathname,
    ...(Deno.env.get("PATH") ?? "").split(":"),
    "/usr/sbin",
  ];
  for (const folder of folders) {
    const path = `${folder}/${name}`;
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  return null;
}

/** Below what systems give to whoever asks for any port: nobody is given it before it is used. */
const [FIRST_PORT, LAST_PORT] = [10_000, 32_000];

/** That was free when it was asked for, and is not given to who asks for any. */
export function freePort(): number {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Ends once it resolves true; throws Error after half a minute. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tried = 0; tried < 1_200; tried++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${what} within half a minute`);
}

export interface Program extends AsyncDisposable {
  readonly pid: number;
  /** SIGKILL, and its end. */
  kill(): Promise<void>;
}

/** Resolves when `answers` does; what it prints is not looked at. */
export async function startProgram(
  path: string,
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly answers: () => Promise<boolean>;
  },
): Promise<Program> {
  const child = new Deno.Command(path, {
    args: [...args],
    cwd: options.cwd,
    env: { ...options.env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let isOver = false;
  child.status.then(() => isOver = true);
  async function kill(): Promise<void> {
    if (!isOver) child.kill("SIGKILL");
    await child.status;
  }
  try {
    await until(`${path} answers`, options.answers);
  } catch (error) {
    await kill();
    throw error;
  }
  return { pid: child.pid, kill, [Symbol.asyncDispose]: kill };
}
