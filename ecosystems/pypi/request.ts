/** From a request to the one thing it asks for. */
import type { PackageFacts } from "../../policy/types.ts";
import type {
  ArtifactAsk,
  Ask,
  ClientRequest,
  SidecarAsk,
  Source,
  UpstreamDocument,
  VersionAsk,
} from "../ecosystem.ts";
import { chooseForm } from "./accept.ts";
import { isFilename } from "./filename.ts";
import { readLegacy } from "./legacy.ts";
import { isProjectName, normaliseName } from "./name.ts";
import { provenancePath } from "./paths.ts";
import { documentKey, NEWEST } from "./project_json.ts";
import { legacySource, PROJECT_LIST } from "./sources.ts";
import { isVersionText } from "./version.ts";

const MAX_SIDECAR_BYTES = 16 * 1024 * 1024;
const MAX_FORMAT = 100;
/** The upload address, and the index's, which is often taken for it. */
const UPLOAD_PATHS: ReadonlySet<string> = new Set(["", "legacy", "legacy/", "simple", "simple/"]);

/**
 * null: no such route. Never throws. Which words a path begins with tells nothing by itself, since projects may
 * be called `simple` or `packages`: how many segments there are does.
 */
export function parse(request: ClientRequest): Ask | null {
  const { segments, method } = request;
  if (segments.length > 6 || segments.some((segment) => segment.includes("/"))) return null;
  if (method === "POST") {
    return UPLOAD_PATHS.has(segments.join("/")) ? { kind: "publish", subject: null } : null;
  }
  if (method !== "GET" && method !== "HEAD") return null;
  const isFolder = segments.at(-1) === "";
  const parts = isFolder ? segments.slice(0, -1) : segments;
  if (parts.includes("")) return null;
  const [first = "", second = "", third = "", fourth = "", fifth = ""] = parts;
  switch (parts.length) {
    case 0:
      return readList(request);
    case 1:
      if (first === "simple") return isFolder ? readList(request) : redirect("simple/", request);
      return readPage(request, first, { isFolder, isShort: true });
    case 2:
      return first === "simple" ? readPage(request, second, { isFolder, isShort: false }) : null;
    case 3:
      if (isFolder) return null;
      if (first === "packages") return readFile(second, third);
      return first === "pypi" && third === "json" ? readProjectJson(second, null) : null;
    case 4:
      return first === "pypi" && fourth === "json" && !isFolder ? readProjectJson(second, third) : null;
    case 5:
      return first === "integrity" && fifth === "provenance" && !isFolder
        ? readProvenance(second, third, fourth)
        : null;
    default:
      return null;
  }
}

function formOf(request: ClientRequest) {
  return chooseForm(request.headers.get("accept"), request.query.get("format"));
}

function readList(request: ClientRequest): Ask {
  return { kind: "catalogue", subject: { kind: "catalogue", name: PROJECT_LIST }, variant: formOf(request) };
}

/** A spelling that is not the normalised one is redirected to it (PEP 503), and so is a missing slash. */
function readPage(
  request: ClientRequest,
  spelling: string,
  { isFolder, isShort }: { readonly isFolder: boolean; readonly isShort: boolean },
): Ask | null {
  if (!isProjectName(spelling)) return null;
  const name = normaliseName(spelling);
  if (name !== spelling || !isFolder) return redirect(`${isShort ? "" : "simple/"}${name}/`, request);
  const variant = isShort ? `${formOf(request)} short` : formOf(request);
  return { kind: "index", subject: { kind: "package", name }, variant };
}

/** The variant says where it leads, below the mount. */
function redirect(to: string, { query }: ClientRequest): Ask {
  const format = query.get("format");
  const isKept = format !== null && format.length <= MAX_FORMAT && format.isWellFormed();
  return { kind: "local", variant: isKept ? `${to}?format=${encodeURIComponent(format)}` : to };
}

function readFile(spelling: string, filename: string): Ask | null {
  if (!isProjectName(spelling) || !isFilename(filename)) return null;
  const name = normaliseName(spelling);
  const beside = [".metadata", ".asc"].find((suffix) => filename.endsWith(suffix));
  if (beside === undefined) {
    return { kind: "artifact", subject: { kind: "package", name }, filename };
  }
  const about = filename.slice(0, -beside.length);
  return isFilename(about) ? sidecar(name, about, besideSource(about, beside), beside) : null;
}

/** The metadata that the index says it has (PEP 658), which uv and pip read before the file. */
export function sidecars(ask: ArtifactAsk, { releases }: PackageFacts): readonly SidecarAsk[] {
  const { subject: { name }, filename } = ask;
  const file = releases.flatMap(({ artifacts }) => artifacts).find((each) => each.filename === filename);
  return Object.keys(file?.beside ?? {}).map((beside) =>
    sidecar(name, filename, besideSource(filename, beside), beside)
  );
}

function besideSource(filename: string, beside: string): Source {
  return {
    key: `${beside.slice(1)} ${filename}`,
    upstream: "index",
    path: "",
    accept: "*/*",
    maxBytes: MAX_SIDECAR_BYTES,
    required: true,
    expects: "any",
  };
}

function sidecar(name: string, filename: string, source: Source, beside?: string): SidecarAsk {
  return {
    kind: "sidecar",
    subject: { kind: "package", name },
    filename,
    version: null,
    source,
    ...(beside === undefined ? {} : { beside }),
  };
}

function readProvenance(spelling: string, version: string, filename: string): Ask | null {
  if (!isProjectName(spelling) || !isVersionText(version) || !isFilename(filename)) return null;
  const name = normaliseName(spelling);
  return sidecar(name, filename, {
    key: `provenance ${filename}`,
    upstream: "index",
    path: provenancePath(name, version, filename),
    accept: "application/vnd.pypi.integrity.v1+json",
    maxBytes: MAX_SIDECAR_BYTES,
    required: true,
    expects: "json",
  });
}

/** `version` null: the project's own, which speaks of its newest release. */
function readProjectJson(spelling: string, version: string | null): VersionAsk | null {
  if (!isProjectName(spelling) || (version !== null && !isVersionText(version))) return null;
  const name = normaliseName(spelling);
  const asked = version === null ? { version: NEWEST, variant: "project" } : { version, variant: "release" };
  const source = {
    ...legacySource(name, version ?? undefined),
    key: documentKey(asked),
    check: (document: UpstreamDocument) => void readLegacy(name, document),
  };
  return { kind: "version", subject: { kind: "package", name }, ...asked, also: [source] };
}
