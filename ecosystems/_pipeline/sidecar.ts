/** Signatures, provenance, metadata: passed on as they are, under the verdict of their file or release. */
import { type Digest, type PackageFacts, permits } from "../../policy/types.ts";
import type { SidecarAsk, Source } from "../ecosystem.ts";
import type { Outcome, RegistryRequest } from "../outcome.ts";
import { notOffered, notThere, PLAIN_TRACE } from "./answers.ts";
import { createEntity } from "./entity.ts";
import type { Loaded } from "./load.ts";
import { refuse } from "./refuse.ts";
import type { Services } from "./services.ts";
import { openSide, type SideRequest, sidesOf } from "./side.ts";
import { decisionId, type Verdicts } from "./verdicts.ts";

export async function serveSidecar(
  services: Services,
  request: RegistryRequest,
  ask: SidecarAsk,
  options: { readonly loaded: Loaded; readonly verdicts: Verdicts },
): Promise<Outcome> {
  const { verdicts, loaded } = options;
  const { decisions } = verdicts;
  const about = ask.filename ?? ask.version ?? "";
  const decision = ask.filename !== null ? decisions.artifact(about) : decisions.release(about);
  if (decision === null) {
    return notThere(request, `No ${JSON.stringify(about)} of ${JSON.stringify(ask.subject.name)}`);
  }
  if (!permits(decision)) {
    const version = ask.version ?? versionOf(verdicts, about);
    return await refuse(services, request, verdicts, { ask, version, filename: null, decision });
  }
  const [side] = sidesOf(services, request, { sources: [ask.source], name: ask.subject.name })
    .map((found) => besideFile(found, ask, loaded));
  const document = side === undefined ? null : (await openSide(services, side)).document;
  if (document === null || document.status === 404) {
    return notOffered(request, `Upstream has no ${ask.source.key} for ${JSON.stringify(about)}`);
  }
  const { contentType, body } = document;
  const rendered = { status: 200, contentType, headers: {}, body: [body], withheld: () => 0 };
  const id = decisionId(verdicts, about, [[about, decision]]);
  const entity = await createEntity(rendered, services.timers);
  const freshMs = services.lifetimes(loaded.known.key).metadataTtl;
  const copy = { checkedAt: document.fetchedAt, freshMs };
  return {
    kind: "document",
    entity,
    trace: { ...PLAIN_TRACE, cache: "fresh", copy, decisionId: id, staleSince: loaded.staleSince },
  };
}

/** Of a file that was decided, so it is there: a refusal speaks of the release, and its link leads to one. */
function versionOf({ known }: Verdicts, filename: string): string {
  const release = known.facts.releases.find(({ artifacts }) =>
    artifacts.some((file) => file.filename === filename)
  );
  return release?.version ?? filename;
}

/** The same, at the address that goes by the file's where it stands beside the file, and as the index says it is. */
function besideFile(side: SideRequest, ask: SidecarAsk, { known }: Loaded): SideRequest {
  if (ask.beside === undefined || ask.filename === null) return side;
  const file = { kind: "artifact", subject: ask.subject, filename: ask.filename } as const;
  const location = side.ecosystem.locate(file, known.facts);
  if (location === null) return side;
  const url = new URL(location.url, side.upstream.root);
  const path = `${url.pathname.slice(url.pathname.lastIndexOf("/") + 1)}${ask.beside}${url.search}`;
  const source = { ...side.source, path };
  const digests = statedOf(known.facts, ask.filename, ask.beside);
  return {
    ...side,
    root: new URL("./", url).href,
    source: digests.length === 0 ? source : pinned(source, digests),
  };
}

/** By its digests as well: what was kept before the index stated them, or stated others, is not what is asked for. */
function pinned(source: Source, digests: readonly Digest[]): Source {
  const named = digests.map(({ algorithm, hex }) => `${algorithm}-${hex}`).join(" ");
  return { ...source, key: `${source.key} ${named}`, digests };
}

function statedOf({ releases }: PackageFacts, filename: string, suffix: string): readonly Digest[] {
  for (const { artifacts } of releases) {
    const file = artifacts.find((artifact) => artifact.filename === filename);
    if (file === undefined) continue;
    const { beside = {} } = file;
    return Object.hasOwn(beside, suffix) ? beside[suffix] ?? [] : [];
  }
  return [];
}
