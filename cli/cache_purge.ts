/** `deno task cache purge WHAT`: takes away what is cached of a package, a release, an ecosystem, or everything. */
import { ECOSYSTEMS } from "../ecosystems/mod.ts";
import { parsePurl } from "../ecosystems/_shared/purl.ts";
import { purgeCache } from "../storage/cache/purge.ts";
import type { Reference } from "../storage/cache/references.ts";
import { keyPart } from "../storage/kv/key_part.ts";
import { createPackages } from "../storage/kv/package_store.ts";
import { type CacheCommand, checkEcosystem } from "./cache_command.ts";
import { countText, sizeText } from "./cache_print.ts";
import { UsageError } from "./storage.ts";

type Matches = (reference: Reference) => boolean;

/** Exit code 0, whatever there was. */
export async function purgeCommand(command: CacheCommand): Promise<number> {
  const { io, kv, store, all, dryRun, json } = command;
  const matches = all ? everything(command) : await matcherOf(command);
  const purged = await purgeCache({ kv, store, matches, unreferenced: all, dryRun });
  if (json) {
    io.stdout(`${JSON.stringify({ dryRun, ...purged }, null, 2)}\n`);
    return 0;
  }
  const { packages, files, blobs, bytes } = purged;
  const what = `${countText(packages, "record")} of documents, ${countText(files, "file")}: ${
    countText(blobs, "blob")
  }`;
  io.stdout(`${dryRun ? "Would take away" : "Took away"} ${what}, ${sizeText(bytes)}.\n`);
  return 0;
}

function everything({ operands }: CacheCommand): Matches {
  if (operands.length > 0) throw new UsageError(`Expected --all or ${operands.join(" ")}, not both.`);
  return () => true;
}

/** Throws UsageError for what is neither a purl nor an ecosystem. */
async function matcherOf(command: CacheCommand): Promise<Matches> {
  const [what, ...more] = command.operands;
  if (what === undefined || more.length > 0) {
    throw new UsageError("Expected one purl (pkg:npm/left-pad), one ecosystem (npm), or --all after purge.");
  }
  if (!what.startsWith("pkg:")) {
    checkEcosystem(what);
    return ({ ecosystem }) => ecosystem === what;
  }
  const purl = parsePurl(what);
  const ecosystem = ECOSYSTEMS.find(({ purlType }) => purlType === purl?.type);
  if (purl === null || ecosystem === undefined) {
    throw new UsageError(
      `Cannot read the purl ${JSON.stringify(what)}: expected pkg:npm/left-pad or the like.`,
    );
  }
  const name = ecosystem.canonicalName?.(purl.name) ?? purl.name;
  const isOfPackage = ({ key }: Reference) =>
    key[1] === ecosystem.id && key[3] === "package" && key[4] === keyPart(name);
  if (purl.version === null) return isOfPackage;
  const files = await filesOf(command.kv, ecosystem.id, { name, version: purl.version });
  return (reference) =>
    isOfPackage(reference) && reference.filename !== null && files.has(reference.filename);
}

/** The files of one release, as its facts name them; empty where nothing is cached of it. */
async function filesOf(
  kv: Deno.Kv,
  ecosystem: string,
  wanted: { readonly name: string; readonly version: string },
): Promise<ReadonlySet<string>> {
  const packages = createPackages(kv);
  const files = new Set<string>();
  for await (const { key, record } of packages.list(ecosystem)) {
    if (key.subject !== "package" || key.name !== wanted.name) continue;
    const facts = await packages.facts(key, record);
    for (const { version, artifacts } of facts?.releases ?? []) {
      if (version !== wanted.version) continue;
      for (const { filename } of artifacts) files.add(filename);
    }
  }
  return files;
}
