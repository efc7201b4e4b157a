/** One file that the policy lets through, with what its clients ask for beside it: here, or fetched now. */
import { createHash } from "node:crypto";
import type { Digest, DigestAlgorithm } from "../../policy/types.ts";
import { StorageError } from "../../storage/errors.ts";
import type { SidecarAsk } from "../ecosystem.ts";
import { follow } from "./artifact_open.ts";
import type { Loaded } from "./load.ts";
import { keptFile, type PlacedFile } from "./opening.ts";
import { MissingError, textOf } from "./prefetch_choose.ts";
import { serveSidecar } from "./sidecar.ts";

/** Its size, where its record and its bytes are both there; null: it has to be fetched. */
export async function isHere(placed: PlacedFile): Promise<number | null> {
  const file = await keptFile(placed);
  if (file === null) return null;
  const stat = await placed.services.artifacts.stat(file.blob);
  return stat?.sizeBytes === file.sizeBytes ? file.sizeBytes : null;
}

/** Its size. `bytes`: it is here already; null: it is fetched. Throws what a client would be answered. */
export async function fetchFile(
  { placed, sidecars, loaded }: {
    readonly placed: PlacedFile;
    readonly sidecars: readonly SidecarAsk[];
    readonly loaded: Loaded;
  },
  { bytes, signal }: { readonly bytes: number | null; readonly signal?: AbortSignal | undefined },
): Promise<number> {
  const { services, request, verdicts } = placed;
  const size = bytes ?? await fill(placed, signal);
  // Decided with their file: nothing of them is ever refused by itself.
  for (const ask of sidecars) await serveSidecar(services, request, ask, { loaded, verdicts });
  return size;
}

/** Throws MissingError where its bytes, which are here, have none of a group's digests. */
export async function holdAgainst(
  placed: PlacedFile,
  groups: readonly (readonly Digest[])[],
): Promise<void> {
  if (groups.length === 0) return;
  const own = await computed(placed, new Set(groups.flat().map(({ algorithm }) => algorithm)));
  const against = groups.find((group) => !group.some(({ algorithm, hex }) => own.get(algorithm) === hex))
    ?.[0];
  if (against === undefined) return;
  const { algorithm } = against;
  const has = textOf({ algorithm, hex: own.get(algorithm) ?? "" });
  throw new MissingError(`${placed.filename} is locked as ${textOf(against)}, but what it holds is ${has}`);
}

async function computed(
  placed: PlacedFile,
  algorithms: ReadonlySet<DigestAlgorithm>,
): Promise<ReadonlyMap<DigestAlgorithm, string>> {
  const { services, filename } = placed;
  const file = await keptFile(placed);
  const blob = file === null ? null : await services.artifacts.get(file.blob);
  if (blob === null) throw new StorageError(`Cannot read ${filename}: the store has it no more`);
  const hashes = [...algorithms].map((algorithm) => ({ algorithm, hash: createHash(algorithm) }));
  for await (const chunk of blob.body) for (const { hash } of hashes) hash.update(chunk);
  return new Map(hashes.map(({ algorithm, hash }) => [algorithm, hash.digest("hex")]));
}

async function fill(placed: PlacedFile, signal: AbortSignal | undefined): Promise<number> {
  const { filename, services } = placed;
  const following = await follow(placed);
  if (following === null) throw new MissingError(`Upstream lists ${filename} but does not have it`);
  const stop = Promise.withResolvers<never>();
  const abort = () => stop.reject(new MissingError(`The prefetch was ended while ${filename} was fetched`));
  stop.promise.catch(() => {});
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const stat = await Promise.race([following.done, stop.promise]);
    const record = stat === null ? null : await keptFile(placed);
    const isThere = record !== null && await services.artifacts.stat(record.blob) !== null;
    if (isThere) return record.sizeBytes;
    throw new StorageError(
      stat === null
        ? `Cannot keep ${filename}: upstream states neither its digest nor its length`
        : `Cannot keep ${filename}: the store took it not`,
    );
  } finally {
    signal?.removeEventListener("abort", abort);
    // The unread body holds nobody up; until now it kept the fill going.
    await following.body.cancel().catch(() => {});
  }
}
