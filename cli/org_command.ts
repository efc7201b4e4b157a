/** What the `org` commands share. */
import { resolve } from "node:path";
import type { Organisations } from "../storage/kv/organisations.ts";
import type { Io } from "./io.ts";
import type { Target } from "./org_target.ts";
import { UsageError } from "./storage.ts";

/** What the commands do with organisations as such, here or on a running server. */
export interface OrgAdmin
  extends Pick<Organisations, "list" | "get" | "delete" | "waivers" | "revokeWaiver"> {
  create(
    id: string,
    options: { readonly source?: unknown; readonly author: string; readonly message?: string },
  ): Promise<{ readonly revision: number }>;
  /** Takes a person out of an organisation's install log. */
  forgetUser(user: { readonly organisation: string; readonly user: string }): Promise<void>;
}

/** What every command is given. */
export interface Command {
  readonly io: Io;
  readonly organisations: OrgAdmin;
  /** The organisation meant. */
  readonly org: string;
  /** What it changes. */
  readonly target: Target;
  /** After the command's own words. */
  readonly operands: readonly string[];
  readonly json: boolean;
  readonly yes: boolean;
  readonly author: string;
  readonly message?: string;
  readonly revision: string | null;
  readonly from: string | null;
}

/** The operands of a command that takes exactly these, by name; throws UsageError else. */
export function operandsOf(command: Command, names: readonly string[]): readonly string[] {
  if (command.operands.length === names.length) return command.operands;
  const expected = names.length === 0 ? "nothing" : names.join(" ");
  const given = command.operands.length === 0 ? "nothing" : command.operands.join(" ");
  throw new UsageError(`Expected ${expected} after the command, not ${given}. See deno task org --help.`);
}

/** The text of FILE, or of standard input for `-`. */
export async function readInput(io: Io, file: string): Promise<string> {
  if (file === "-") return await io.stdin();
  try {
    return io.readTextFile(resolve(io.cwd, file));
  } catch (cause) {
    throw new UsageError(`Cannot read ${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
