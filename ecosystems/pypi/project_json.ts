/** The legacy JSON of a project or release, with the files that are allowed and our links. */
import { type Decisions, permits, type Release } from "../../policy/types.ts";
import type { Links, Material, Reading, Rendered, UpstreamDocument, VersionAsk } from "../ecosystem.ts";
import { isRecord, parseObject } from "./page.ts";
import { filePath } from "./paths.ts";
import { LEGACY_KEY } from "./sources.ts";
import { pypiVersions, versionKey } from "./version.ts";

/** What a project's own JSON is asked for by: no release is called so. */
export const NEWEST = "latest";

type Fields = Readonly<Record<string, unknown>>;

interface View {
  readonly name: string;
  readonly links: Links;
  readonly decisions: Decisions;
  readonly releases: readonly Release[];
  /** By file name, where upstream says that the bytes are. */
  readonly urls: ReadonlyMap<string, string | null>;
  withheld: number;
}

/** null: upstream has none, or nothing of it is allowed. */
export function renderProjectJson(ask: VersionAsk, material: Material, links: Links): Rendered | null {
  const { name } = ask.subject;
  const document = material.documents.findLast(({ key }) => key === documentKey(ask));
  const decisions = material.decisions(name);
  if (document?.status !== 200 || decisions === null || material.reading === null) return null;
  const { releases } = material.reading.facts;
  const artifacts = releases.flatMap((release) => release.artifacts);
  const urls = new Map(artifacts.map(({ filename, url }) => [filename, url]));
  const view: View = { name, links, decisions, releases, urls, withheld: 0 };
  const made = ask.version === NEWEST && ask.variant === "project"
    ? projectOf(view, readDocument(name, document))
    : releaseOf(view, ask.version, readDocument(name, document));
  if (made === null) return null;
  return {
    status: 200,
    contentType: "application/json",
    headers: {},
    body: [new TextEncoder().encode(JSON.stringify(made))],
    withheld: () => view.withheld,
  };
}

/** A project's is also a source of facts; a release's has a key of its own. */
export function documentKey(ask: Pick<VersionAsk, "version" | "variant">): string {
  return ask.variant === "project" ? LEGACY_KEY : `${LEGACY_KEY} ${ask.version}`;
}

/** A project's own is asked for by a name that is no version's; a release in any spelling of its version. */
export function namesRelease(ask: VersionAsk, { facts }: Reading): boolean {
  if (ask.variant === "project") return ask.version === NEWEST;
  const key = versionKey(ask.version);
  return facts.releases.some(({ version }) => versionKey(version) === key);
}

function readDocument(name: string, document: UpstreamDocument): Fields {
  return parseObject(document.body, `legacy JSON of ${JSON.stringify(name)}`);
}

function releaseOf(view: View, version: string, fields: Fields): Fields | null {
  const key = versionKey(version);
  const own = isRecord(fields.info) && typeof fields.info.version === "string"
    ? fields.info.version
    : version;
  const release = view.releases.find((candidate) => versionKey(candidate.version) === key);
  if (release === undefined || versionKey(own) !== key || !isOffered(view, release.version)) return null;
  const made: Record<string, unknown> = { ...fields, urls: filesOf(view, fields.urls) };
  if (isRecord(fields.releases)) made.releases = releasesOf(view, fields.releases);
  return made;
}

function isOffered({ decisions }: View, version: string): boolean {
  const decision = decisions.release(version);
  return decision !== null && permits(decision);
}

/** `info` describes the newest release. Where that is withheld, it describes the newest that is offered. */
function projectOf(view: View, fields: Fields): Fields | null {
  const info = isRecord(fields.info) ? fields.info : {};
  const listed = isRecord(fields.releases) ? fields.releases : null;
  const releases = listed === null ? null : releasesOf(view, listed);
  const made: Record<string, unknown> = { ...fields };
  if (releases !== null) made.releases = releases;
  const current = typeof info.version === "string" ? info.version : "";
  const own = view.releases.find(({ version }) => versionKey(version) === versionKey(current));
  if (own !== undefined && isOffered(view, own.version)) {
    return { ...made, urls: filesOf(view, fields.urls) };
  }
  const newest = newestBelow(view, current);
  if (newest === null) return null;
  const key = Object.keys(releases ?? {}).find((version) => versionKey(version) === versionKey(newest));
  const urls = key === undefined ? [] : releases![key] ?? [];
  // What upstream says of the withheld release's flaws is not true of this one.
  delete made.vulnerabilities;
  return { ...made, info: infoOf(info, newest, urls), urls };
}

/** Stable before pre-release; never above the one that upstream names, if it can be compared. */
function newestBelow(view: View, current: string): string | null {
  const { compare, isValid, isPrerelease } = pypiVersions;
  const offered = view.releases.map(({ version }) => version)
    .filter((version) => isOffered(view, version))
    .sort(compare);
  const below = isValid(current) ? offered.filter((version) => compare(version, current) <= 0) : offered;
  return below.findLast((version) => !isPrerelease(version)) ?? below.at(-1) ?? offered.at(-1) ?? null;
}

/** Only what is the project's own or known of this release. */
function infoOf(info: Fields, version: string, urls: readonly Fields[]): Fields {
  const made: Record<string, unknown> = { ...info, version };
  made.requires_dist = null;
  made.requires_python = urls[0]?.requires_python ?? null;
  made.yanked = urls.length > 0 && urls.every((file) => file.yanked === true);
  made.yanked_reason = urls[0]?.yanked_reason ?? null;
  if (typeof info.package_url === "string") {
    made.release_url = `${info.package_url.replace(/\/$/, "")}/${encodeURIComponent(version)}/`;
  } else delete made.release_url;
  return made;
}

function releasesOf(view: View, listed: Fields): Readonly<Record<string, readonly Fields[]>> {
  const kept = Object.entries(listed).flatMap(([version, list]) => {
    const files = filesOf(view, list);
    return files.length === 0 ? [] : [[version, files] as const];
  });
  return Object.fromEntries(kept);
}

function filesOf(view: View, list: unknown): readonly Fields[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry) => {
    if (!isRecord(entry) || typeof entry.filename !== "string") return [];
    const decision = view.decisions.artifact(entry.filename);
    if (decision === null) return [];
    if (!permits(decision)) {
      view.withheld++;
      return [];
    }
    return [{ ...entry, url: urlOf(view, entry.filename) }];
  });
}

function urlOf({ links, name, urls }: View, filename: string): string {
  const upstream = links.artifacts === "upstream" ? urls.get(filename) : null;
  return upstream ?? `${links.base}/${filePath(name, filename)}`;
}
