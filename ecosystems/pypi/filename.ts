/** Which release a file belongs to, by its name (PyPA, "Binary distribution format", "Source distribution format"). */
import { normaliseName } from "./name.ts";
import { isVersionText, pypiVersions } from "./version.ts";

export type FileKind = "wheel" | "sdist" | "other";

export interface FileName {
  readonly kind: FileKind;
  readonly version: string;
}

const FILENAME = /^[A-Za-z0-9_][A-Za-z0-9._+!~@-]{0,249}$/;
const SDIST = /\.(?:tar\.gz|zip|tar\.bz2|tar\.xz|tar\.Z|tgz|tar)$/i;
const INSTALLER = /\.(?:exe|msi|dmg)$/i;
/** `foo-1.0.linux-x86_64.tar.gz`, `foo-1.0.win32-py2.7.exe`: what a "dumb" distribution or an installer adds. */
const PLATFORM =
  /\.(?:linux|macosx|darwin|cygwin|freebsd|openbsd|netbsd|solaris|sunos|aix|win32|win-)[a-z0-9_.-]*$/i;
const EGG = /^([^-]+)-([^-]+)(?:-py[0-9.]+(?:-.*)?)?$/;
const RPM = /^(.+)-([0-9][^-]*)-[0-9A-Za-z.]+\.(?:noarch|src|x86_64|i[3-6]86|aarch64)$/;
const DEB = /^([^_]+)_([^_-]+)(?:-[^_]+)?_[a-z0-9]+$/;

/** May stand in a path, a header and a page as it is. */
export function isFilename(text: string): boolean {
  return FILENAME.test(text);
}

/** null: it cannot be said which release of this project (a normalised name) it is, or it is another project's. */
export function readFilename(filename: string, project: string): FileName | null {
  if (!isFilename(filename)) return null;
  if (/\.whl$/i.test(filename)) return readWheel(filename.slice(0, -4), project);
  if (/\.egg$/i.test(filename)) return matched(EGG, filename.slice(0, -4), project);
  if (/\.rpm$/i.test(filename)) return matched(RPM, filename.slice(0, -4), project);
  if (/\.deb$/i.test(filename)) return matched(DEB, filename.slice(0, -4), project);
  if (INSTALLER.test(filename)) {
    return readStem(filename.replace(INSTALLER, "").replace(PLATFORM, ""), project, "other");
  }
  if (!SDIST.test(filename)) return null;
  const stem = filename.replace(SDIST, "");
  const source = readStem(stem, project, "sdist");
  return source !== null && pypiVersions.isValid(source.version)
    ? source
    : readBuilt(stem, project) ?? source;
}

function readBuilt(stem: string, project: string): FileName | null {
  const bare = stem.replace(PLATFORM, "");
  return bare === stem ? null : readStem(bare, project, "other");
}

/** `{name}-{version}(-{build})?-{python}-{abi}-{platform}`; no part holds a hyphen. */
function readWheel(stem: string, project: string): FileName | null {
  const parts = stem.split("-");
  if (parts.length !== 5 && parts.length !== 6) return null;
  const [name = "", version = ""] = parts;
  return normaliseName(name) === project ? fileName("wheel", version) : null;
}

function matched(pattern: RegExp, stem: string, project: string): FileName | null {
  const match = pattern.exec(stem);
  if (match === null || normaliseName(match[1]!) !== project) return null;
  return fileName("other", match[2]!);
}

/** What follows the project's name, wherever that ends: names and old versions may hold hyphens. */
function readStem(stem: string, project: string, kind: FileKind): FileName | null {
  for (let at = stem.indexOf("-"); at > 0; at = stem.indexOf("-", at + 1)) {
    if (normaliseName(stem.slice(0, at)) === project) return fileName(kind, stem.slice(at + 1));
  }
  return null;
}

/** An underscore stands for a hyphen where the file name could not hold one. */
function fileName(kind: FileKind, text: string): FileName | null {
  const hyphenated = text.replaceAll("_", "-");
  const version = pypiVersions.isValid(text) || !pypiVersions.isValid(hyphenated) ? text : hyphenated;
  return isVersionText(version) ? { kind, version } : null;
}
