/** A package's index, or one release's own document: rendered from raw documents under the decisions made. */
import { newestAllowed } from "../../policy/explain.ts";
import { type Decision, permits } from "../../policy/types.ts";
import type { IndexAsk, UpstreamDocument, VersionAsk } from "../ecosystem.ts";
import type { Outcome, RegistryRequest, Trace } from "../outcome.ts";
import { linksOf, notThere } from "./answers.ts";
import { readingFor } from "./as_of.ts";
import type { Loaded } from "./load.ts";
import { type MemoEntry, memoKey, memorise, recall } from "./memo.ts";
import { finished, withPlaceholder } from "./placeholder.ts";
import { refuse } from "./refuse.ts";
import { isHuge, type Known, type Services } from "./services.ts";
import { loadSide, openSide, type SideRequest, sidesOf } from "./side.ts";
import { openDocument } from "./source.ts";
import type { Verdicts } from "./verdicts.ts";
import { noteWithheld, noticeOf } from "./withheld.ts";

/** An index ask with all that was found out about it. */
interface Rendering {
  readonly services: Services;
  readonly request: RegistryRequest;
  readonly ask: IndexAsk | VersionAsk;
  readonly verdicts: Verdicts;
  /** Documents of this form beside those that hold the facts. */
  readonly also: readonly SideRequest[];
  readonly key: string;
  /** Names every document that it is rendered from. */
  readonly revision: string;
}

export async function serveIndex(
  services: Services,
  request: RegistryRequest,
  ask: IndexAsk | VersionAsk,
  options: { readonly loaded: Loaded; readonly verdicts: Verdicts },
): Promise<Outcome> {
  const { loaded, verdicts } = options;
  const refused = refusedRelease(request, ask, verdicts);
  if (refused !== null) return await refuse(services, request, verdicts, { ask, filename: null, ...refused });
  if (ask.kind === "version" && !await isThere(services, request, ask, verdicts)) {
    return noVersion(request, ask);
  }
  const also = sidesOf(services, request, { sources: ask.also ?? [], name: ask.subject.name });
  const revision = also.length === 0 ? loaded.known.revision : await revisionOf(services, loaded.known, also);
  const shared = withPlaceholder(services, request);
  const key = memoKey(shared, ask, verdicts);
  const kept = verdicts.personal ? null : recall(services, { key, verdicts, revision });
  const made = kept ?? await rendered({ services, request: shared, ask, verdicts, also, key, revision });
  if (made === null) return noVersion(request, ask);
  const entry = request.at === undefined ? made : await finished(services, made, request.at);
  const trace: Trace = {
    cache: kept !== null && loaded.state === "fresh" ? "hit" : loaded.state,
    decisionId: entry.decisionId,
    whyLink: entry.whyLink,
    maxAgeSeconds: 0,
    staleSince: loaded.staleSince,
    copy: loaded.known.copy,
    forwarded: loaded.forwarded,
    detail: loaded.detail,
  };
  return { kind: "document", entity: entry.entity, trace };
}

function noVersion(request: RegistryRequest, ask: IndexAsk | VersionAsk): Outcome {
  const what = ask.kind === "version" ? `version ${JSON.stringify(ask.version)} of ` : "";
  return notThere(request, `No ${what}${JSON.stringify(ask.subject.name)}`);
}

/** Asked before the raw documents are opened: whoever thinks up versions makes nobody read twenty megabytes. */
async function isThere(
  services: Services,
  request: RegistryRequest,
  ask: VersionAsk,
  verdicts: Verdicts,
): Promise<boolean> {
  const { ecosystem } = request;
  const { known } = verdicts;
  if (known.facts.releases.some((release) => release.version === ask.version)) return true;
  if (ecosystem.names === undefined) return true;
  return ecosystem.names(ask, await readingFor(services, ecosystem, verdicts));
}

async function revisionOf(services: Services, known: Known, also: readonly SideRequest[]): Promise<string> {
  const records = await Promise.all(also.map((side) => loadSide(services, side)));
  return [known.revision, ...records.map((record) => record.blob ?? "")].join("|");
}

/**
 * The release whose refusal answers this ask: the one asked for, or the newest where nothing is offered and the
 * plugin says that this client is better told so. null: there is something to render.
 */
function refusedRelease(
  request: RegistryRequest,
  ask: IndexAsk | VersionAsk,
  verdicts: Verdicts,
): { readonly version: string; readonly decision: Decision } | null {
  const { decisions, known } = verdicts;
  const version = ask.kind === "version" ? ask.version : known.facts.releases.at(-1)?.version;
  const decision = version === undefined ? null : decisions.release(version);
  if (version === undefined || decision === null || permits(decision)) return null;
  if (ask.kind === "version") return { version, decision };
  const { ecosystem, caller } = request;
  if (ecosystem.tellsByRefusal?.(ask, caller.client) !== true) return null;
  return newestAllowed(known.facts, decisions, ecosystem.versions) === null ? { version, decision } : null;
}

/** Rendered once for all who ask for it at the same time; what is one caller's own is rendered for that caller. */
async function rendered(rendering: Rendering): Promise<MemoEntry | null> {
  const { services, verdicts, key, revision } = rendering;
  if (verdicts.personal) return await renderNow(rendering);
  return await services.renders.run(
    `${verdicts.organisation.stamp}\n${revision}\n${verdicts.asOf}\n${key}`,
    () => renderNow(rendering),
  );
}

async function renderNow(rendering: Rendering): Promise<MemoEntry | null> {
  const { services, request, ask, verdicts, key, revision } = rendering;
  const { known, decisions } = verdicts;
  const sizeBytes = known.record.documents.reduce((sum, record) => sum + record.sizeBytes, 0);
  // Before there is room for it: it may have to be fetched, and others wait for the room.
  const sides = await Promise.all(rendering.also.map((side) => openSide(services, side)));
  return await inTurn(services, sizeBytes, async () => {
    const documents = [...await openAll(services, known), ...sides.map((side) => side.document)];
    const reading = await readingFor(services, request.ecosystem, verdicts);
    const made = request.ecosystem.render(ask, {
      documents,
      reading,
      decisions: (name) => name === known.key.name ? decisions : null,
      now: services.clock(),
      notice: (withheld) => noticeOf(request, verdicts, withheld, services.clock()),
    }, linksOf(request, verdicts));
    if (made === null) return null;
    const note = () => noteWithheld(services, request, verdicts);
    const sizeHint = sizeHintOf(documents);
    return await memorise(services, { key, verdicts, revision, rendered: made, sizeHint, note });
  });
}

/** As there is room; a huge one not beside another that is fetched or rendered. */
async function inTurn<T>(services: Services, sizeBytes: number, work: () => Promise<T>): Promise<T> {
  const release = isHuge(sizeBytes) ? await services.huge.acquire() : null;
  try {
    return await services.work.run(3 * sizeBytes, work);
  } finally {
    release?.();
  }
}

/** Most are about as long as what they are made from; longer where links become longer. */
function sizeHintOf(documents: readonly UpstreamDocument[]): number {
  return Math.ceil(1.05 * documents.reduce((sum, { body }) => sum + body.byteLength, 4_096));
}

/** The raw documents; serve() fetches them anew where one is lost. */
async function openAll(services: Services, known: Known): Promise<readonly UpstreamDocument[]> {
  const documents = await Promise.all(known.record.documents.map((record) => openDocument(services, record)));
  if (documents.every((document) => document !== null)) return documents;
  throw new LostDocumentError(
    `Cannot render ${known.key.ecosystem} ${
      JSON.stringify(known.key.name)
    }: its raw document is lost or damaged`,
    known.revision,
  );
}

/** A record points at bytes that are gone from the store. */
export class LostDocumentError extends Error {
  override readonly name = "LostDocumentError";
  /** `revision`: of the Known that named the bytes. */
  constructor(message: string, readonly revision: string) {
    super(message);
  }
}
