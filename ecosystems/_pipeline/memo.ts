/** Rendered bytes kept in memory, each valid for exactly the documents, policy and time they were made from. */
import type { EpochMs } from "../../policy/types.ts";
import type { ByteCache } from "../../storage/memory.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Ask, Rendered } from "../ecosystem.ts";
import type { Entity, RegistryRequest } from "../outcome.ts";
import { createEntity } from "./entity.ts";
import { placeOf } from "./instants.ts";
import { brotliLater } from "./late_coding.ts";
import { keyText } from "./load.ts";
import type { Services } from "./services.ts";
import type { Verdicts } from "./verdicts.ts";
import type { WithheldNote } from "./withheld.ts";

export interface MemoEntry extends WithheldNote {
  readonly entity: Entity;
  /** The same object as long as nothing in the organisation changed. */
  readonly organisation: OrganisationView;
  readonly revision: string;
  /** The past instant that it is as of, the first of those that are alike; null: now. */
  readonly asOf: EpochMs | null;
  readonly madeAt: EpochMs;
  readonly validUntil: EpochMs;
  readonly sizeBytes: number;
}

/** Organisation, package, variant and link base; the policy's stamp and the documents are checked on a hit. */
export function memoKey(
  request: RegistryRequest,
  ask: Extract<Ask, { kind: "index" | "version" }>,
  { known, asOf }: Verdicts,
): string {
  const version = ask.kind === "version" ? ask.version : "";
  const parts = [request.organisation.id, keyText(known.key), ask.kind, ask.variant, version, request.mount];
  return (asOf === null ? parts : [...parts, placeOf(asOf)]).join("\n");
}

/** What is as of past instants is kept apart. */
function memoOf(services: Services, { asOf }: Verdicts): ByteCache<MemoEntry> {
  return asOf === null ? services.memo : services.instants.memo;
}

/** The entry, if it was made from just this state and time has not overtaken it. */
export function recall(services: Services, state: {
  readonly key: string;
  readonly verdicts: Verdicts;
  readonly revision: string;
}): MemoEntry | null {
  const entry = memoOf(services, state.verdicts).get(state.key);
  if (entry === undefined || entry.organisation !== state.verdicts.organisation) return null;
  if (entry.revision !== state.revision || entry.asOf !== state.verdicts.asOf) return null;
  const now = services.clock();
  return entry.madeAt <= now && now < entry.validUntil ? entry : null;
}

/** Runs the rendering to its end, in slices, and keeps it unless it is one caller's own. */
export async function memorise(services: Services, options: {
  readonly key: string;
  readonly verdicts: Verdicts;
  /** Names every document that it was rendered from. */
  readonly revision: string;
  readonly rendered: Rendered;
  /** About how many bytes. */
  readonly sizeHint: number;
  /** Asked once the body was rendered: what to say of what was withheld. */
  readonly note: () => WithheldNote;
}): Promise<MemoEntry> {
  const { verdicts, rendered, revision } = options;
  const made = await createEntity(rendered, services.timers, options.sizeHint, verdicts.asOf === null);
  const entity = verdicts.personal ? made : withBrotli(services, made);
  const entry: MemoEntry = {
    entity,
    ...options.note(),
    organisation: verdicts.organisation,
    revision,
    asOf: verdicts.asOf,
    madeAt: verdicts.madeAt,
    validUntil: verdicts.validUntil,
    // As of an instant there is a second copy, with the address that was asked last.
    sizeBytes: (verdicts.asOf === null ? 1 : 2) *
      (1_024 + entity.identity.byteLength + codedBytes(entity)),
  };
  if (!verdicts.personal) memoOf(services, verdicts).set(options.key, entry);
  return entry;
}

/** Where gzip is worth it, so is what is smaller. */
function withBrotli(services: Services, entity: Entity): Entity {
  const { identity, gzip } = entity;
  if (gzip === null) return entity;
  return { ...entity, brotli: brotliLater(identity, { mostBytes: gzip.byteLength, services }) };
}

/** There is room for brotli from the beginning: what is kept does not grow. */
function codedBytes({ gzip, brotli }: Entity): number {
  return (gzip?.byteLength ?? 0) * (brotli === null ? 1 : 2);
}
