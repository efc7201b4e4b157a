/** PyPI's protocols, for pip, uv, poetry, pdm, pipenv and what asks the JSON API. See README.md for their quirks. */
import type { PackageFacts } from "../../policy/types.ts";
import type {
  ArtifactAsk,
  ArtifactLocation,
  CatalogueAsk,
  Ecosystem,
  IndexAsk,
  Links,
  Material,
  Reading,
  Rendered,
  Subject,
  UpstreamDocument,
  VersionAsk,
} from "../ecosystem.ts";
import type { Form } from "./accept.ts";
import { readProject } from "./facts.ts";
import { aboutProject } from "./legacy.ts";
import { isProjectName, normaliseName } from "./name.ts";
import { namesRelease, renderProjectJson } from "./project_json.ts";
import { projectMentions, renderProjects } from "./projects.ts";
import { fail, local, refuse } from "./refuse.ts";
import { parse, sidecars } from "./request.ts";
import { setup } from "./setup.ts";
import { renderSimple } from "./simple.ts";
import { sources } from "./sources.ts";
import { pypiVersions } from "./version.ts";

/** PyPI itself; the one place where its addresses are written. */
const PUBLIC_INDEX = "https://pypi.org/";
const PUBLIC_FILES = "files.pythonhosted.org";
const MAX_FILE_BYTES = 8 * 1024 * 1024 * 1024;

const CLIENTS: readonly string[] = Object.freeze([
  "pip",
  "uv",
  "poetry",
  "pdm",
  "unearth",
  "pipenv",
  "twine",
  "pip-audit",
]);

/** PyPI's simple API and the JSON APIs beside it. */
export const pypi: Ecosystem = Object.freeze(
  {
    id: "pypi",
    title: "PyPI",
    purlType: "pypi",
    upstreams: Object.freeze({ index: PUBLIC_INDEX }),
    allowedHosts: Object.freeze({ index: Object.freeze([PUBLIC_FILES]) }),
    canonicalName: normaliseName,
    isName: isProjectName,
    versions: pypiVersions,
    pathTokens: Object.freeze({
      refused: "A token in the address would end in a lockfile: put it into ~/.netrc (password TOKEN), " +
        "a keyring, or UV_INDEX_NAME_PASSWORD.",
    }),
    clients: CLIENTS,
    setup,
    parse,
    sources,
    read,
    names: namesRelease,
    mentions: (_ask, documents) => projectMentions(documents),
    render,
    local,
    locate,
    sidecars,
    about: aboutProject,
    refuse,
    fail,
  } satisfies Ecosystem,
);

/** The list of projects holds no facts: a project's own page does. */
function* read(subject: Subject, documents: readonly UpstreamDocument[]): Generator<Reading | undefined> {
  if (subject.kind === "package") yield* readProject(subject.name, documents);
}

function render(
  ask: IndexAsk | VersionAsk | CatalogueAsk,
  material: Material,
  links: Links,
): Rendered | null {
  if (ask.kind === "catalogue") return renderProjects(ask, material, links);
  if (ask.kind === "version") return renderProjectJson(ask, material, links);
  const [form, short] = ask.variant.split(" ") as [Form, string?];
  const up = short === undefined ? "../../" : "../";
  return renderSimple({ name: ask.subject.name, form, material, links, up });
}

function locate(ask: ArtifactAsk, facts: PackageFacts): ArtifactLocation | null {
  for (const { artifacts } of facts.releases) {
    const artifact = artifacts.find(({ filename }) => filename === ask.filename);
    if (artifact === undefined || artifact.url === null) continue;
    return {
      upstream: "index",
      url: artifact.url,
      digests: artifact.digests,
      sizeBytes: artifact.sizeBytes,
      contentType: "application/octet-stream",
      maxBytes: MAX_FILE_BYTES,
    };
  }
  return null;
}
