/** What the `cache` commands share. */
import { ECOSYSTEMS } from "../ecosystems/mod.ts";
import type { ArtifactStore } from "../storage/artifacts/store.ts";
import type { Io } from "./io.ts";
import { UsageError } from "./storage.ts";

/** What each command is given. */
export interface CacheCommand {
  readonly io: Io;
  readonly kv: Deno.Kv;
  readonly store: ArtifactStore;
  /** After the command's own word. */
  readonly operands: readonly string[];
  /** A mounted one. */
  readonly ecosystem: string | undefined;
  readonly all: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Throws UsageError, with those that are mounted. */
export function checkEcosystem(name: string): void {
  const known = ECOSYSTEMS.map(({ id }) => id);
  if (known.includes(name)) return;
  throw new UsageError(`Unknown ecosystem ${JSON.stringify(name)}: there are ${known.join(", ")}.`);
}
