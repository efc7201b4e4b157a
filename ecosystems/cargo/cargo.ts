/** Cargo's sparse registry protocol. See README.md for its quirks. */
import type { PackageFacts } from "../../policy/types.ts";
import type {
  ArtifactAsk,
  ArtifactLocation,
  Ecosystem,
  Reading,
  Source,
  Subject,
  UpstreamDocument,
} from "../ecosystem.ts";
import { searchSource } from "./api.ts";
import { CONFIG_SOURCE, readConfig } from "./config.ts";
import { readIndexFile } from "./index_file.ts";
import { canonicalName, indexPath, isCrateName } from "./name.ts";
import { fail, local, refuse } from "./refuse.ts";
import { render } from "./render.ts";
import { parse } from "./request.ts";
import { searchMentions } from "./search.ts";
import { setup } from "./setup.ts";
import { cargoVersions } from "./version.ts";

const PUBLIC_INDEX = "https://index.crates.io/";
/** Where the public registry keeps its files, and its web API. */
const PUBLIC_HOSTS = Object.freeze(["static.crates.io", "crates.io"]);
const MAX_INDEX_BYTES = 64 * 1024 * 1024;
const MAX_CRATE_BYTES = 1024 * 1024 * 1024;

/** Cargo's sparse registry protocol. */
export const cargo: Ecosystem = Object.freeze(
  {
    id: "cargo",
    title: "Cargo",
    purlType: "cargo",
    upstreams: Object.freeze({ index: PUBLIC_INDEX }),
    allowedHosts: Object.freeze({ index: PUBLIC_HOSTS }),
    versions: cargoVersions,
    pathTokens: Object.freeze({
      refused: "A token in the address would end in Cargo.lock: use `cargo login --registry NAME`, " +
        "or CARGO_REGISTRIES_NAME_TOKEN.",
    }),
    clients: Object.freeze(["cargo"]),
    canonicalName,
    isName: isCrateName,
    setup,
    parse,
    sources,
    read,
    mentions: (_ask, documents) => searchMentions(documents),
    // There are no tags: what is no version in the index is nothing.
    names: () => false,
    render,
    local,
    locate,
    refuse,
    fail,
  } satisfies Ecosystem,
);

/** The index file has every fact; `config.json` says where the files are. */
function sources(subject: Subject, documents: readonly UpstreamDocument[]): readonly Source[] {
  if (documents.length > 0) return [];
  if (subject.kind === "catalogue") return [searchSource(subject.name)];
  return [{
    key: "index",
    upstream: "index",
    path: indexPath(subject.name),
    accept: "text/plain, */*",
    maxBytes: MAX_INDEX_BYTES,
    required: true,
    expects: "lines",
  }, CONFIG_SOURCE];
}

/** A search's answer holds no facts: a crate's own index file does. */
function* read(subject: Subject, documents: readonly UpstreamDocument[]): Generator<Reading | undefined> {
  if (subject.kind === "catalogue") return;
  const document = documents.find(({ key }) => key === "index");
  if (document === undefined || document.status !== 200) {
    throw new SyntaxError(`Cannot read index file ${JSON.stringify(subject.name)}: there is none`);
  }
  yield* readIndexFile(subject.name, document, readConfig(documents));
}

function locate(ask: ArtifactAsk, facts: PackageFacts): ArtifactLocation | null {
  for (const release of facts.releases) {
    const artifact = release.artifacts.find(({ filename }) => filename === ask.filename);
    if (artifact === undefined || artifact.url === null) continue;
    return {
      upstream: "index",
      url: artifact.url,
      digests: artifact.digests,
      sizeBytes: null,
      contentType: "application/gzip",
      maxBytes: MAX_CRATE_BYTES,
    };
  }
  return null;
}
