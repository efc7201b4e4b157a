/** From decisions to what a client gets. */
import { createByteWriter } from "../_shared/byte_writer.ts";
import { createJsonCursor } from "../_shared/json_scan.ts";
import type { CatalogueAsk, IndexAsk, Links, Material, Rendered, VersionAsk } from "../ecosystem.ts";
import { abbreviatedPackument } from "./abbreviated.ts";
import { ABBREVIATED_TYPE, FULL_TYPE } from "./accept.ts";
import { fullPackument } from "./full.ts";
import type { VersionSpan } from "./layout.ts";
import { renderSearch } from "./search.ts";
import { type View, viewOf } from "./view.ts";
import { offeredVersions, tagsJson, writeRewritten } from "./write.ts";

/** null: there is no such version or tag among what is offered. */
export function render(
  ask: IndexAsk | VersionAsk | CatalogueAsk,
  material: Material,
  links: Links,
): Rendered | null {
  if (ask.kind === "catalogue") return renderSearch(material);
  const view = viewOf(material, links);
  if (view === null) return null;
  if (ask.kind === "version") return renderManifest(view, ask.version);
  if (ask.variant === "dist-tags") {
    return rendered(view, FULL_TYPE, [new TextEncoder().encode(tagsJson(view))]);
  }
  if (ask.variant === "abbreviated") return rendered(view, ABBREVIATED_TYPE, abbreviatedPackument(view));
  return rendered(view, FULL_TYPE, fullPackument(view));
}

function rendered(view: View, contentType: string, body: Iterable<Uint8Array>): Rendered {
  // npm prints the notice only of an answer that it does not put into its cache.
  const notice = view.notice === null ? {} : { "npm-notice": view.notice, "cache-control": "no-store" };
  return {
    status: 200,
    contentType,
    headers: { vary: "accept", ...notice },
    body,
    withheld: () => view.withheld.length,
  };
}

/** A tag is resolved among what is offered; an exact version that is withheld never comes here. */
function renderManifest(view: View, versionOrTag: string): Rendered | null {
  const version = view.tags.get(versionOrTag) ?? versionOrTag;
  const release = view.releases.findIndex((candidate) => candidate.version === version);
  const span = offeredVersions(view).find((candidate) => candidate.release === release);
  return span === undefined ? null : rendered(view, FULL_TYPE, manifest(view, span));
}

function* manifest(view: View, span: VersionSpan): Generator<Uint8Array> {
  const writer = createByteWriter();
  const cursor = createJsonCursor(view.document.body, { label: `packument ${JSON.stringify(view.name)}` });
  cursor.seekMember(span.start);
  writeRewritten(writer, view, span, { start: cursor.position, end: span.end });
  yield* writer.end();
}
