/** One artifact ask with all that was found out about it, and what is written down of it. */
import type { Decision } from "../../policy/types.ts";
import { sha256Of } from "../../storage/artifacts/key.ts";
import type { BlobKey } from "../../storage/artifacts/store.ts";
import type { InstallRecord } from "../../storage/installs/log.ts";
import type { FileRecord } from "../../storage/kv/packages.ts";
import type { Upstream } from "../../storage/upstream/upstream.ts";
import type { ArtifactAsk, ArtifactLocation } from "../ecosystem.ts";
import type { RegistryRequest, Trace } from "../outcome.ts";
import { grantServed } from "./grants.ts";
import { keyText } from "./load.ts";
import { installRecord, servedOutcome } from "./record.ts";
import { notifyObserved } from "./refuse.ts";
import type { Services } from "./services.ts";
import type { Settling } from "./transfer.ts";
import type { Verdicts } from "./verdicts.ts";
import { countWaived } from "./waived.ts";

/** A file that was decided on, and where it is. */
export interface PlacedFile {
  readonly services: Services;
  readonly request: RegistryRequest;
  readonly verdicts: Verdicts;
  readonly upstream: Upstream;
  readonly filename: string;
  readonly location: ArtifactLocation;
}

export interface Opening extends PlacedFile {
  readonly ask: ArtifactAsk;
  readonly version: string;
  readonly decision: Decision;
  readonly decisionId: string;
  readonly trace: Trace;
}

/** The record of a file whose bytes were verified against all that the index claims now; else null. */
export async function keptFile(opening: PlacedFile): Promise<FileRecord | null> {
  const { services, verdicts, filename, location } = opening;
  const id = fileId(opening);
  const file = services.fileRecords.get(id) ?? await services.files.get(verdicts.known.key, filename);
  if (file === null) return null;
  const changed = location.digests.find((digest) =>
    !file.verified.includes(`${digest.algorithm}:${digest.hex}`)
  );
  if (changed !== undefined && location.digests.length > 0) {
    services.log(
      "error",
      `Digest of ${verdicts.known.key.ecosystem} file ${JSON.stringify(filename)} changed: fetching it anew`,
      {
        "digest.claimed": `${changed.algorithm}:${changed.hex}`,
        "digest.verified": file.verified.join(" "),
      },
    );
    alertOfDigest(opening);
    return null;
  }
  services.fileRecords.set(id, file);
  return file;
}

/** Of an upstream that only some may use, nobody else is told. */
function alertOfDigest({ services, request, verdicts, filename }: PlacedFile): void {
  const { ecosystem, name, scope, upstreamId } = verdicts.known.key;
  services.alerted({
    kind: "digest-changed",
    subject: `${ecosystem}/${upstreamId}/${name}/${filename}`,
    detail:
      `The digest that upstream states of ${ecosystem} ${name}, file ${filename}, is not that of the bytes ` +
      "which were served before: it is fetched anew, and was not immutable",
    organisation: scope === "public" ? null : request.organisation.id,
  });
}

/** Its bytes were held against every digest that the index claims now. */
export function isVerified(file: FileRecord, location: ArtifactLocation): boolean {
  return location.digests.every(({ algorithm, hex }) => file.verified.includes(`${algorithm}:${hex}`));
}

export function fileId(opening: PlacedFile): string {
  return `${keyText(opening.verdicts.known.key)}\n${opening.filename}`;
}

/** A file that came in while it was sent: the record is durable before its last byte leaves. */
export function settlingOf(opening: Opening): Settling {
  const { services, request, verdicts, version } = opening;
  let complete: InstallRecord | null = null;
  return {
    async settle(bytes, stat, isComplete) {
      const sha256 = stat === null ? null : sha256Of(stat.key);
      const record = recordOf(opening, { sha256, bytes, cache: "miss" });
      await services.installs.append(isComplete ? record : { ...record, outcome: "partial" });
      tellObserved(opening, record);
      if (!isComplete) return;
      complete = record;
      countWaived(services, request.organisation, opening.decision);
      grantServed(services, request, verdicts, version);
    },
    async cutOff(bytes) {
      if (complete !== null) await services.installs.markPartial(complete, bytes);
    },
  };
}

/** Before the answer leaves. null: a range that this caller was already recorded for. */
export async function recordNow(opening: Opening, blob: BlobKey, bytes: number, isRange: boolean) {
  const { services, request, verdicts, version } = opening;
  const { caller } = request;
  services.used(blob);
  if (
    isRange &&
    !services.ranges.count([caller.organisation, caller.user ?? "", caller.address, blob].join("\n"))
  ) return null;
  const record = recordOf(opening, { sha256: sha256Of(blob), bytes, cache: "hit" });
  await services.installs.append(record);
  tellObserved(opening, record);
  countWaived(services, request.organisation, opening.decision);
  grantServed(services, request, verdicts, version);
  return record;
}

function tellObserved(opening: Opening, record: InstallRecord): void {
  const { services, request, verdicts, version, filename, decision, ask } = opening;
  notifyObserved(services, request, verdicts, { ask, version, filename, decision, record });
}

export function recordOf(
  opening: Opening,
  facts: { readonly sha256: string | null; readonly bytes: number; readonly cache: "hit" | "miss" | "none" },
) {
  const { services, request, verdicts, version, filename, decision } = opening;
  return installRecord(services, request, {
    name: verdicts.known.key.name,
    version,
    filename,
    decision,
    decisionId: opening.decisionId,
    outcome: servedOutcome(decision),
    ...facts,
  });
}

export function etagOf(blob: BlobKey): string {
  return `"sha256-${sha256Of(blob)}"`;
}
