/** The index file and the pages of the web API under the decisions made. */
import { permits } from "../../policy/types.ts";
import type { CatalogueAsk, IndexAsk, Links, Material, Rendered, VersionAsk } from "../ecosystem.ts";
import { createByteWriter } from "../_shared/byte_writer.ts";
import { eachLine } from "./layout.ts";
import { renderCratePage, renderVersionPage, renderVersionsPage } from "./pages.ts";
import { renderSearch } from "./search.ts";

const LINE_END = "\n";

/** null: there is no such release, or upstream has no such page. */
export function render(
  ask: IndexAsk | VersionAsk | CatalogueAsk,
  material: Material,
  links: Links,
): Rendered | null {
  if (ask.kind === "catalogue") return renderSearch(material);
  if (ask.kind === "version") return renderVersionPage(ask.version, material, links);
  switch (ask.variant) {
    case "crate":
      return renderCratePage(material, links);
    case "versions":
      return renderVersionsPage(material, links);
    default:
      return renderIndexFile(material);
  }
}

/**
 * Upstream's lines. A withheld one stays, as yanked: new resolutions avoid it, and a lockfile that names it still
 * leads to the file, whose refusal says why. Nothing but the value of `yanked` is touched.
 */
function renderIndexFile(material: Material): Rendered | null {
  const document = material.documents.find(({ key }) => key === "index");
  const { reading } = material;
  if (document === undefined || reading === null) return null;
  const { name, releases } = reading.facts;
  const decisions = material.decisions(name);
  let withheld = 0;

  function* lines(body: Uint8Array): Generator<Uint8Array> {
    const writer = createByteWriter();
    withheld = 0;
    for (const line of eachLine(reading!.layout)) {
      const release = releases[line.release]!;
      const decision = decisions?.release(release.version) ?? null;
      const isYanked = release.artifacts.every(({ yanked }) => yanked.known && yanked.value);
      const isOffered = decision !== null && permits(decision);
      if (!isOffered) withheld++;
      if (isOffered || isYanked) writer.bytes(body, line.start, line.end);
      else {
        const isMissing = line.yankedStart === line.yankedEnd;
        writer.bytes(body, line.start, line.yankedStart);
        writer.text(isMissing ? '"yanked":true,' : "true");
        writer.bytes(body, line.yankedEnd, line.end);
      }
      writer.text(LINE_END);
      yield* writer.pieces();
    }
    yield* writer.end();
  }

  return {
    status: 200,
    contentType: "text/plain; charset=utf-8",
    headers: {},
    body: lines(document.body),
    withheld: () => withheld,
  };
}
