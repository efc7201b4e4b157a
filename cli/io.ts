/** What a command needs of the world around it, so that tests can be that world. */
import { userInfo } from "node:os";
import type { EpochMs } from "../policy/types.ts";
import type { Clock } from "../storage/runtime.ts";

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Absolute; relative paths in arguments are meant against it. */
  readonly cwd: string;
  /** Standard output is a terminal: colours and wide tables are welcome. */
  readonly isTty: boolean;
  /** The operating system's name for who runs this; `""` where it has none. */
  readonly user: string;
  /** All of standard input, as UTF-8. */
  stdin(): Promise<string>;
  /** Written as it stands: a line ends with its own line feed. */
  stdout(text: string): void;
  stderr(text: string): void;
  /** Throws what the runtime throws; the caller names the file. */
  readTextFile(path: string): string;
  /** Opens the person's editor on a file and resolves with its exit code. */
  edit(path: string): Promise<number>;
  /** Asks on the terminal; null where nobody can answer. */
  ask(question: string): string | null;
}

/** The world as it is: the process's own streams, environment, clock and files. */
export function processIo(): Io {
  const env = Deno.env.toObject();
  return {
    env,
    clock: () => Date.now() as EpochMs,
    cwd: Deno.cwd(),
    isTty: Deno.stdout.isTerminal(),
    user: userName(),
    stdin: () => new Response(Deno.stdin.readable).text(),
    stdout: (text) => writeAll(Deno.stdout, text),
    stderr: (text) => writeAll(Deno.stderr, text),
    readTextFile: (path) => Deno.readTextFileSync(path),
    edit: (path) => runEditor(env.VISUAL ?? env.EDITOR ?? "vi", path),
    ask: (question) => Deno.stdin.isTerminal() ? prompt(question) : null,
  };
}

/** A log's sink: a terminal or pipe that is gone ends the log, not the server. */
export function unfailing(write: (text: string) => void): (text: string) => void {
  return function writeIfPossible(text) {
    try {
      write(text);
    } catch {
      // There is nowhere to say it.
    }
  };
}

/** Containers run under ids that have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "";
  }
}

function writeAll(
  sink: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(sink.writeSync(rest));
}

/** `$EDITOR` may hold arguments (`code --wait`), so that a shell has to split it; the path is passed as `$1`. */
async function runEditor(editor: string, path: string): Promise<number> {
  const command = Deno.build.os === "windows"
    ? new Deno.Command("cmd", { args: ["/c", `${editor} "${path}"`], stdin: "inherit" })
    : new Deno.Command("sh", { args: ["-c", `${editor} "$1"`, "sh", path], stdin: "inherit" });
  return (await command.spawn().status).code;
}
