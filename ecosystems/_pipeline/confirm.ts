/**
 * A kept file whose `artifactTtl` is over: its bytes cannot change, but upstream may have taken it back. So upstream is
 * asked for it and left once its answer has begun, which works where a HEAD does not (addresses signed for a GET).
 */
import { isBroken } from "../../storage/errors.ts";
import type { FileRecord } from "../../storage/kv/packages.ts";
import type { Forwarded, Outcome, Trace } from "../outcome.ts";
import { failed } from "./answers.ts";
import { confirmedAt, hit, miss } from "./artifact_open.ts";
import { CLOCKS_DIFFER_MS, holdBack, isHeldBack, levelOf } from "./lifetimes.ts";
import { fileId, isVerified, type Opening } from "./opening.ts";

const CONFIRMED: Forwarded = { why: "stale", status: 200, stored: true };
const FAILED: Forwarded = { why: "stale", status: null, stored: false };

/** What upstream says of a file: the record with the time of that, or that it is another one, or none. */
type Confirmation = FileRecord | "changed" | "gone";

/** A hit, once upstream still has it where that has to be asked; throws what upstream fails with beyond `staleIfError`. */
export async function serveKept(opening: Opening, kept: FileRecord): Promise<Outcome> {
  if (isFresh(opening, kept)) return hit(opening, kept);
  const { services } = opening;
  const id = fileId(opening);
  const file = await latest(opening, kept);
  if (isFresh(opening, file)) return hit(opening, file);
  if (isHeldBack(services, id) && isUsable(opening, file)) return stale(opening, file, null);
  try {
    const found = await services.refreshes.run(`confirm\n${id}`, () => confirm(opening, file));
    return await answer(opening, found as Confirmation);
  } catch (error) {
    if (!isUsable(opening, file) || isBroken(error)) throw error;
    holdBack(services, id);
    const why = error instanceof Error ? error.message : String(error);
    services.log(levelOf(error), `Serving the file ${JSON.stringify(opening.filename)} unconfirmed: ${why}`);
    return stale(opening, file, FAILED);
  }
}

/** Another process may have asked. */
async function latest(
  { services, verdicts, filename, location }: Opening,
  kept: FileRecord,
): Promise<FileRecord> {
  const stored = await services.files.get(verdicts.known.key, filename);
  return stored !== null && stored.blob === kept.blob && isVerified(stored, location) ? stored : kept;
}

async function confirm(opening: Opening, file: FileRecord): Promise<Confirmation> {
  const { services, verdicts, upstream, location, filename } = opening;
  const { key } = verdicts.known;
  const opened = await services.upstream.open(upstream, location.url);
  if (opened === null) {
    // The bytes may be another's as well; unused ones are evicted.
    services.fileRecords.delete(fileId(opening));
    await services.files.delete(key, filename);
    return "gone";
  }
  await opened.body.cancel();
  if (opened.sizeBytes !== null && opened.sizeBytes !== file.sizeBytes) return "changed";
  const record = { ...file, confirmedAt: services.clock() };
  await services.files.put(key, filename, record);
  services.fileRecords.set(fileId(opening), record);
  return record;
}

async function answer(opening: Opening, found: Confirmation): Promise<Outcome> {
  const { request, filename } = opening;
  // Fetched anew, it is held against the index's digests, as any other.
  if (found === "changed") return await miss(opening);
  if (found !== "gone") return hit(speaking(opening, { forwarded: CONFIRMED }), found);
  return failed(request, {
    status: 404,
    code: "no-such-file",
    message: `Upstream has ${JSON.stringify(filename)} no more`,
  });
}

function stale(opening: Opening, file: FileRecord, forwarded: Forwarded | null): Outcome {
  const staleSince = confirmedAt(file);
  return hit(speaking(opening, { cache: "stale", staleSince, forwarded, detail: "stale-if-error" }), file);
}

function speaking(opening: Opening, more: Partial<Trace>): Opening {
  return { ...opening, trace: { ...opening.trace, ...more } };
}

function ageMs({ services }: Opening, file: FileRecord): number {
  return services.clock() - confirmedAt(file);
}

function isFresh(opening: Opening, file: FileRecord): boolean {
  const { artifactTtl } = opening.services.lifetimes(opening.verdicts.known.key);
  if (artifactTtl === null) return true;
  const age = ageMs(opening, file);
  return age > -CLOCKS_DIFFER_MS && age < artifactTtl;
}

function isUsable(opening: Opening, file: FileRecord): boolean {
  const { artifactTtl, staleIfError } = opening.services.lifetimes(opening.verdicts.known.key);
  return artifactTtl === null || ageMs(opening, file) < artifactTtl + staleIfError;
}
