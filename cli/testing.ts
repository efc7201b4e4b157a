/** A world for the commands' tests. */
import type { EpochMs } from "../policy/types.ts";
import type { Io } from "./io.ts";

/** An Io that keeps what was printed. */
export interface TestIo extends Io {
  /** What was printed since it was last taken. */
  take(): { readonly out: string; readonly err: string };
}

/** Knows no variable but `env`, no time but 2026-11-21T12:00Z, and answers what it was given. */
export function testIo(given: {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Stands for the person at the editor. */
  readonly edit?: (path: string) => Promise<number>;
  readonly answers?: readonly string[];
}): TestIo {
  const answers = [...given.answers ?? []];
  let out = "";
  let err = "";
  return {
    env: given.env ?? {},
    clock: () => Date.UTC(2026, 10, 21, 12) as EpochMs,
    cwd: given.cwd,
    isTty: false,
    user: "ada",
    stdin: () => Promise.resolve(given.stdin ?? ""),
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    readTextFile: (path) => Deno.readTextFileSync(path),
    edit: given.edit ?? (() => Promise.reject(new Error("nobody is at the editor"))),
    ask: () => answers.shift() ?? null,
    take() {
      const taken = { out, err };
      out = err = "";
      return taken;
    },
  };
}
