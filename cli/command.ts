/** What all commands have in common: flags parsed once, mistakes told in a sentence, exit codes. */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { IntegrityError, StorageError } from "../storage/errors.ts";
import { ApiFailure } from "./api_failure.ts";
import type { Io } from "./io.ts";
import { LOCATION_OPTIONS, UsageError } from "./storage.ts";
import { nearest } from "./units.ts";

/** Where the Sluice is that a command speaks to: the local data folder, or a running server. */
export const PLACE_OPTIONS = {
  ...LOCATION_OPTIONS,
  server: { type: "string" },
  org: { type: "string" },
} as const satisfies ParseArgsOptionsConfig;

/** The end of every usage text. */
export const PLACE_USAGE =
  `  --server URL           a running Sluice, with a token in SLUICE_TOKEN; without: the local data folder
  --data FOLDER, --kv PATH|URL, --config FILE  as the server's
  --org NAME             the organisation (default: default)
  --json                 for programs
`;

export interface Parsed<O extends ParseArgsOptionsConfig> {
  readonly values: ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>["values"];
  readonly operands: readonly string[];
}

/** Throws UsageError, which names the flag and the one that may have been meant. */
export function readFlags<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: O,
): Parsed<O> {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values, operands: positionals };
  } catch (error) {
    const why = error instanceof Error ? error.message.split(". ", 1)[0] : String(error);
    const flag = /'--([^' ]+)/.exec(why ?? "")?.[1] ?? "";
    const meant = Object.hasOwn(options, flag) ? null : nearest(flag, Object.keys(options));
    throw new UsageError(`${why}.${meant === null ? "" : ` Did you mean --${meant}?`}`);
  }
}

/**
 * Runs a command. Exit code 0, or what `work` resolves to; 1: failed, in a sentence; 2: the command line is wrong.
 * `--help` and `help` print the usage.
 */
export async function runCommand(
  options: {
    readonly name: string;
    readonly usage: string;
    readonly args: readonly string[];
    readonly io: Io;
  },
  work: () => Promise<number | void>,
): Promise<number> {
  const { name, usage, args, io } = options;
  if (args.some((arg) => arg === "--help" || arg === "-h") || args[0] === "help") {
    io.stdout(usage);
    return 0;
  }
  try {
    return await work() ?? 0;
  } catch (error) {
    // Whoever read the answer has seen enough (`| head`).
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    if (error instanceof UsageError) {
      io.stderr(`${error.message}\nSee: deno task ${name} --help\n`);
      return 2;
    }
    if (!isTold(error)) throw error;
    io.stderr(`${error.message}\n`);
    return 1;
  }
}

/** Everything that can happen to a command whose author made no mistake. */
function isTold(error: unknown): error is Error {
  return error instanceof StorageError || error instanceof IntegrityError || error instanceof ApiFailure ||
    error instanceof SyntaxError || error instanceof RangeError;
}

/** The one operand that a command takes. */
export function onlyOperand(operands: readonly string[], what: string): string {
  const [first, ...more] = operands;
  if (first === undefined || first === "") throw new UsageError(`This needs ${what}.`);
  if (more.length > 0) throw new UsageError(`This takes one ${what}; "${more[0]}" is one too many.`);
  return first;
}

export function noOperands(operands: readonly string[]): void {
  if (operands.length > 0) throw new UsageError(`This takes no "${operands[0]}".`);
}
