/** A crate's pages of the web API, all from the one that upstream has of the whole crate, without what is withheld. */
import { permits } from "../../policy/types.ts";
import type { Links, Material, Rendered } from "../ecosystem.ts";
import { answerOf, isRecord, type Json, member, withVersions } from "./api.ts";
import { canonicalName } from "./name.ts";
import { cargoVersions } from "./version.ts";

/** `/api/v1/crates/{crate}`. */
export function renderCratePage(material: Material, links: Links): Rendered | null {
  const page = pageOf(material);
  const crate = page === null ? undefined : member(page.answer, "crate");
  if (page === null || !isRecord(crate) || !isOf(page.name, member(crate, "id") ?? member(crate, "name"))) {
    return null;
  }
  const { kept, withheld } = versionsOf(page, links);
  const shown = shownOf(kept);
  const ids = new Set(kept.map((version) => member(version, "id")));
  const own = Array.isArray(crate["versions"])
    ? { versions: crate["versions"].filter((id) => ids.has(id)) }
    : {};
  return json(
    {
      ...page.answer,
      crate: withVersions({ ...crate, ...own }, shown),
      ...(member(page.answer, "versions") === undefined ? {} : { versions: kept }),
    },
    withheld,
  );
}

/** `/api/v1/crates/{crate}/versions`, out of the crate's page. */
export function renderVersionsPage(material: Material, links: Links): Rendered | null {
  const page = pageOf(material);
  if (page === null) return null;
  const { kept, withheld } = versionsOf(page, links);
  return json({ versions: kept, meta: { total: kept.length, next_page: null } }, withheld);
}

/** `/api/v1/crates/{crate}/{version}`, out of the crate's page. */
export function renderVersionPage(version: string, material: Material, links: Links): Rendered | null {
  const page = pageOf(material);
  if (page === null) return null;
  const own = versionsOf(page, links).kept.find((entry) => member(entry, "num") === version);
  return own === undefined ? null : json({ version: own }, 0);
}

/** A page with what its entries are held against. */
interface Page {
  readonly name: string;
  readonly answer: Json;
  readonly isOffered: (version: string) => boolean;
}

function pageOf(material: Material): Page | null {
  const { reading } = material;
  const answer = answerOf(material.documents, "page");
  if (reading === null || answer === null) return null;
  const { name } = reading.facts;
  const decisions = material.decisions(name);
  const isOffered = (version: string) => {
    const decision = decisions?.release(version) ?? null;
    return decision !== null && permits(decision);
  };
  return { name, answer, isOffered };
}

/** What the index does not list either is not offered: the page may know of a release before the index does. */
function versionsOf(page: Page, links: Links): { readonly kept: readonly Json[]; readonly withheld: number } {
  const versions = member(page.answer, "versions");
  const listed = Array.isArray(versions) ? versions : [];
  const kept = listed.map((entry) => versionIn(page, entry, links)).filter((entry) => entry !== null);
  return { kept, withheld: listed.length - kept.length };
}

/** null: withheld, unknown, or another crate's. Its download leads here. */
function versionIn(page: Page, entry: unknown, links: Links): Json | null {
  const version = member(entry, "num");
  if (!isRecord(entry) || typeof version !== "string" || !page.isOffered(version)) return null;
  const crate = member(entry, "crate");
  if (crate !== undefined && !isOf(page.name, crate)) return null;
  if (typeof member(entry, "dl_path") !== "string") return entry;
  const path = new URL(links.base).pathname.replace(/\/$/, "");
  return { ...entry, dl_path: `${path}/api/v1/crates/${page.name}/${encodeURIComponent(version)}/download` };
}

function isOf(name: string, given: unknown): boolean {
  return typeof given === "string" && canonicalName(given) === name;
}

/** The greatest that are offered and not yanked. */
function shownOf(kept: readonly Json[]) {
  const versions = kept.filter((entry) => member(entry, "yanked") !== true)
    .map((entry) => member(entry, "num") as string)
    .sort(cargoVersions.compare);
  return {
    newest: versions.at(-1) ?? null,
    newestStable: versions.findLast((version) => !cargoVersions.isPrerelease(version)) ?? null,
  };
}

function json(value: Json, withheld: number): Rendered {
  return {
    status: 200,
    contentType: "application/json",
    headers: {},
    body: [new TextEncoder().encode(JSON.stringify(value))],
    withheld: () => withheld,
  };
}
