/** Search: upstream finds the names, cached facts say what may be said of them. */
import { permits } from "../../policy/types.ts";
import type { Material, Rendered, UpstreamDocument } from "../ecosystem.ts";
import { answerOf, isRecord, type Json, member, type ShownVersions, withVersions } from "./api.ts";
import { canonicalName, isCrateName } from "./name.ts";
import { cargoVersions } from "./version.ts";

const MAX_RESULTS = 100;
const NOTHING: ShownVersions = { newest: null, newestStable: null };

/** The names found, valid ones only. */
export function searchMentions(documents: readonly UpstreamDocument[]): readonly string[] {
  return entriesOf(answerOf(documents, "search")).map(nameOf).filter((name) => name !== null);
}

/** An entry whose crate is unknown here stays without version, and so does one of which nothing may be named. */
export function renderSearch(material: Material): Rendered | null {
  const answer = answerOf(material.documents, "search");
  if (answer === null) return null;
  let withheld = 0;
  const crates = entriesOf(answer).flatMap((crate) => {
    const name = nameOf(crate);
    if (name === null) return [];
    const shown = shownOf(material, name, crate);
    if (material.decisions(name) !== null && shown.newest !== member(crate, "max_version")) withheld++;
    return [
      withVersions({ ...crate, ...(Object.hasOwn(crate, "versions") ? { versions: null } : {}) }, shown),
    ];
  });
  return {
    status: 200,
    contentType: "application/json",
    headers: {},
    body: [new TextEncoder().encode(JSON.stringify({ ...answer, crates }))],
    withheld: () => withheld,
  };
}

/** The greatest that are offered, not yanked, and not above what upstream itself names. */
function shownOf(material: Material, name: string, crate: Json): ShownVersions {
  const decisions = material.decisions(name);
  const releases = material.facts?.(name)?.releases ?? [];
  const named = [member(crate, "max_version"), member(crate, "newest_version")]
    .filter((version) => typeof version === "string").sort(cargoVersions.compare);
  const bound = named.at(-1);
  if (decisions === null || bound === undefined) return NOTHING;
  const offered = releases.filter(({ version, artifacts }) => {
    const decision = decisions.release(version);
    return decision !== null && permits(decision) && cargoVersions.compare(version, bound) <= 0 &&
      !artifacts.every(({ yanked }) => yanked.known && yanked.value);
  }).map(({ version }) => version);
  const newestStable = offered.findLast((version) => !cargoVersions.isPrerelease(version)) ?? null;
  return { newest: newestStable ?? offered.at(-1) ?? null, newestStable };
}

function entriesOf(answer: Json | null): readonly Json[] {
  const crates = answer === null ? undefined : member(answer, "crates");
  if (!Array.isArray(crates)) throw new SyntaxError("Cannot read search: crates is missing");
  return crates.slice(0, MAX_RESULTS).filter(isRecord);
}

function nameOf(crate: Json): string | null {
  const name = member(crate, "name") ?? member(crate, "id");
  return typeof name === "string" && isCrateName(name) ? canonicalName(name) : null;
}
