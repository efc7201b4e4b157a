/** npm's registry protocol, for npm, pnpm, yarn 1 and 4, bun and Deno. See README.md for its quirks. */
import type { PackageFacts } from "../../policy/types.ts";
import type {
  ArtifactAsk,
  ArtifactLocation,
  Ecosystem,
  Reading,
  Source,
  Subject,
  Tags,
  UpstreamDocument,
} from "../ecosystem.ts";
import { forwarding } from "./audit.ts";
import { asLayout } from "./layout.ts";
import { about } from "./about.ts";
import { isPackageName, packumentPath, tarballFolder } from "./name.ts";
import { readPackument } from "./packument.ts";
import { fail, local, refuse, tellsByRefusal } from "./refuse.ts";
import { render } from "./render.ts";
import { parse, parseAtRoot } from "./request.ts";
import { searchMentions, searchSource } from "./search.ts";
import { setup } from "./setup.ts";
import { repairTags } from "./tags.ts";
import { PUBLIC_REGISTRY } from "./tarball.ts";
import { npmVersions } from "./version.ts";

const MAX_PACKUMENT_BYTES = 256 * 1024 * 1024;
const MAX_TARBALL_BYTES = 4 * 1024 * 1024 * 1024;

/** Its layout knows the tags; what became of them since is put there. */
const TAGS: Tags = Object.freeze({
  of: ({ layout }: Reading) => asLayout(layout).tags,
  put: withTags,
  among: (reading: Reading, versions: readonly string[]) =>
    withTags(reading, [...repairTags(asLayout(reading.layout).tags, versions, npmVersions)]),
});

/** npm's registry protocol. */
export const npm: Ecosystem = Object.freeze(
  {
    id: "npm",
    title: "npm",
    purlType: "npm",
    upstreams: Object.freeze({ registry: PUBLIC_REGISTRY }),
    isName: isPackageName,
    versions: npmVersions,
    pathTokens: Object.freeze({
      refused: "A token in the address would end in a lockfile: " +
        "put it into .npmrc as //HOST/npm/:_authToken=TOKEN (yarn 4: npmAuthToken).",
    }),
    clients: Object.freeze(["npm", "pnpm", "yarn", "bun", "deno"]),
    setup,
    parse,
    parseAtRoot,
    sources,
    read,
    mentions: (_ask, documents) => searchMentions(documents),
    names: (ask, { layout }) => asLayout(layout).tags.some(([tag]) => tag === ask.version),
    render,
    local,
    locate,
    about,
    refuse,
    tellsByRefusal,
    // It answers no challenge, and says "Incorrect or missing password" of one instead of the reason.
    challenges: ({ name }) => name !== "npm",
    fail,
    forwarding,
    tags: TAGS,
  } satisfies Ecosystem,
);

/** Always the full document: dates and trust are in no other, and the abbreviated one is derived from it. */
function sources(subject: Subject, documents: readonly UpstreamDocument[]): readonly Source[] {
  if (documents.length > 0) return [];
  if (subject.kind === "catalogue") return [searchSource(subject.name)];
  return [{
    key: "packument",
    upstream: "registry",
    path: packumentPath(subject.name),
    accept: "application/json",
    maxBytes: MAX_PACKUMENT_BYTES,
    required: true,
    expects: "json",
  }];
}

/** A search's answer holds no facts: a package's own packument does. */
function* read(subject: Subject, documents: readonly UpstreamDocument[]): Generator<Reading | undefined> {
  if (subject.kind === "catalogue") return;
  const document = documents.find((candidate) => candidate.key === "packument");
  if (document === undefined || document.status !== 200) {
    throw new SyntaxError(`Cannot read packument ${JSON.stringify(subject.name)}: there is none`);
  }
  yield* readPackument(subject.name, document);
}

function withTags(reading: Reading, tags: readonly (readonly [tag: string, version: string])[]): Reading {
  return { ...reading, layout: { ...asLayout(reading.layout), tags } };
}

function locate(ask: ArtifactAsk, facts: PackageFacts): ArtifactLocation | null {
  for (const release of facts.releases) {
    const artifact = release.artifacts.find((candidate) => candidate.filename === ask.filename);
    if (artifact === undefined) continue;
    return {
      upstream: "registry",
      url: artifact.url ?? tarballFolder(facts.name) + encodeURI(artifact.filename),
      digests: artifact.digests,
      sizeBytes: artifact.sizeBytes,
      contentType: "application/octet-stream",
      maxBytes: MAX_TARBALL_BYTES,
    };
  }
  return null;
}
