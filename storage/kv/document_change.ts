/** A change of a policy or of the floor: checked, then written as one more revision. */
import type { Parsed } from "../../policy/config.ts";
import type { EpochMs } from "../../policy/types.ts";
import type { Clock } from "../runtime.ts";
import { OrganisationError } from "./organisation_error.ts";
import type { DocumentChange, StoredDocument } from "./organisation_types.ts";
import { type Append, appendRevision, type Revision, type Series } from "./revisions.ts";
import { keys } from "./keys.ts";

/** One more revision, if nothing came between. Throws OrganisationError, StorageError. */
export async function replaceDocument<T>(
  deps: { readonly kv: Deno.Kv; readonly clock: Clock },
  series: Series,
  change: DocumentChange,
  parse: (input: unknown) => Parsed<T>,
  at: {
    readonly current: number;
    readonly versionstamp: string | null;
    next(revision: number, at: EpochMs): Append["head"];
    currentNow(): Promise<number>;
  },
): Promise<StoredDocument<T>> {
  const { kv, clock } = deps;
  const parsed = checked(series.title, change.source, parse);
  const expected = change.expectedRevision;
  if (expected !== undefined && expected !== at.current) throw conflict(series.title, expected, at.current);
  const now = clock();
  const revision: Revision = {
    revision: at.current + 1,
    at: now,
    author: change.author,
    message: change.message ?? "",
  };
  const done = await appendRevision(kv, series, {
    expected: at.versionstamp,
    head: at.next(revision.revision, now),
    revision,
    source: change.source,
    stamps: [keys.stamp()],
  });
  if (!done) throw conflict(series.title, at.current, await at.currentNow());
  return { ...revision, source: change.source, parsed };
}

/** Throws OrganisationError `invalid-policy` with every mistake. */
export function checked<T>(
  title: string,
  source: unknown,
  parse: (input: unknown) => Parsed<T>,
): Parsed<T> & { readonly ok: true } {
  const parsed = parse(source);
  if (parsed.ok) return parsed;
  throw new OrganisationError(
    `Cannot write the ${title}: ${
      parsed.errors.length === 1 ? "there is a mistake" : `there are ${parsed.errors.length} mistakes`
    } in it`,
    "invalid-policy",
    parsed.errors,
  );
}

/** Both revisions are named. */
export function conflict(title: string, expected: number, current: number): OrganisationError {
  return new OrganisationError(
    `Cannot write the ${title}: it was changed meanwhile (your change was made upon revision ${expected}, ` +
      `and revision ${current} is there). Look at it again`,
    "conflict",
  );
}

/** For `restore`. */
export function noRevision(what: string, n: number): OrganisationError {
  return new OrganisationError(`There is no revision ${n} of ${what} (any more)`, "unknown");
}
