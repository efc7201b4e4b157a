/** The steps of a cold answer, one by one, in this process: on a KV and a folder of its own. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { npm } from "../../ecosystems/npm/npm.ts";
import type { Links, Reading, UpstreamDocument } from "../../ecosystems/ecosystem.ts";
import { parseFloor, parsePolicy } from "../../policy/config.ts";
import { resolvePolicy } from "../../policy/resolve.ts";
import { type EpochMs, type Joined, type ResolvedPolicy } from "../../policy/types.ts";
import { sha256Of } from "../../storage/artifacts/key.ts";
import { createFolderStore } from "../../storage/artifacts/folder.ts";
import { createPackages } from "../../storage/kv/package_store.ts";
import { encodeFacts, factsDigest } from "../../storage/kv/facts_codec.ts";
import type { PackageKey, PackageRecord } from "../../storage/kv/packages.ts";
import { createShaped, shapedName, type ShapeName } from "./shapes.ts";

export interface ColdParts extends AsyncDisposable {
  /** Milliseconds: the stored document, facts and layout read, decided on, and written without what is withheld. */
  readAndRender(): Promise<number>;
  /** The same where facts and layout are in memory. */
  decideAndRender(): Promise<number>;
  /** Milliseconds: what most proxies do with the same stored document. */
  parseEditStringify(): Promise<number>;
  /** Milliseconds: what stands between upstream's last byte and the first answer, each step at once. */
  scanRenderCompress(): Promise<number>;
}

const NOW = Date.UTC(2013, 3, 20) as EpochMs;
const LINKS: Links = { base: "http://127.0.0.1:8080/npm", authRequired: false, artifacts: "proxy" };

/** A tenth of the releases is younger than the minimum age. */
export async function openCold(shape: ShapeName): Promise<ColdParts> {
  const data = await Deno.makeTempDir({ prefix: "sluice-bench-cold-" });
  const name = shapedName(shape, 0);
  const body = createShaped(shape, "http://registry.example/")(name);
  const store = await createFolderStore({ path: data, clock: () => NOW, instance: "bench" });
  const kv = await Deno.openKv(`${data}/kv.sqlite3`);
  const packages = createPackages(kv);
  const key: PackageKey = {
    ecosystem: "npm",
    upstreamId: "bench",
    scope: "public",
    subject: "package",
    name,
  };
  const { key: blob, sizeBytes } = await store.put(body, { maxBytes: body.length });
  const first = read(name, documentOf(name, body));
  const record: PackageRecord = {
    v: 1,
    absent: false,
    documents: [],
    factsDigest: factsDigest(encodeFacts(first.facts)),
    checkedAt: NOW,
  };
  await packages.commit(key, { record, ...first }, null);
  const policy = policyOfTenDays();

  async function timed(work: () => Promise<unknown>): Promise<number> {
    const startedAt = performance.now();
    await work();
    return performance.now() - startedAt;
  }
  async function document(): Promise<UpstreamDocument> {
    return documentOf(name, (await store.read(blob, sizeBytes))!);
  }

  /** As the pipeline opens it. */
  async function verified(): Promise<UpstreamDocument> {
    const found = await document();
    if (createHash("sha256").update(found.body).digest("hex") !== sha256Of(blob)) {
      throw new Error("Not the same");
    }
    return found;
  }

  return {
    readAndRender: () =>
      timed(async () => {
        const [facts, firstSeen, layout, raw] = await Promise.all([
          packages.facts(key, record),
          packages.firstSeen(key),
          packages.layout(key, record),
          verified(),
        ]);
        const joined = joinedTo((filename) => firstSeen!.of(filename));
        write(raw, { facts: facts!, layout }, policy, joined);
      }),
    decideAndRender: () =>
      timed(async () => void write(await verified(), first, policy, joinedTo(() => null))),
    parseEditStringify: () => timed(async () => classic((await document()).body)),
    scanRenderCompress: () =>
      timed(() => {
        const raw = documentOf(name, body);
        const pieces = write(raw, read(name, raw), policy, joinedTo(() => null));
        gzipSync(pieces, { level: 6 });
        return Promise.resolve();
      }),
    async [Symbol.asyncDispose]() {
      kv.close();
      await Deno.remove(data, { recursive: true });
    },
  };
}

function documentOf(name: string, body: Uint8Array): UpstreamDocument {
  const url = `http://registry.example/${name}`;
  return { key: "packument", status: 200, contentType: "application/json", body, url, fetchedAt: NOW };
}

function read(name: string, document: UpstreamDocument): Reading {
  for (const reading of npm.read({ kind: "package", name }, [document])) {
    if (reading !== undefined) return reading;
  }
  throw new Error(`${name} was not read`);
}

function joinedTo(firstSeen: Joined["firstSeen"]): Joined {
  return { firstSeen, grants: new Set(), digest: "" };
}

function policyOfTenDays(): ResolvedPolicy {
  const [policy, floor] = [parsePolicy({ minimumAge: "10d" }), parseFloor({})];
  if (!policy.ok || !floor.ok) throw new Error("The bench's policy does not parse");
  return resolvePolicy({ document: policy.document, floor: floor.document, waivers: [], ecosystem: npm });
}

function write(
  document: UpstreamDocument,
  reading: Reading,
  policy: ResolvedPolicy,
  joined: Joined,
): Uint8Array {
  const decisions = policy.decide(reading.facts, joined, NOW);
  const material = {
    documents: [document],
    reading,
    decisions: () => decisions,
    now: NOW,
    notice: () => "held",
  };
  const subject = { kind: "package", name: reading.facts.name } as const;
  const rendered = npm.render({ kind: "index", subject, variant: "full" }, material, LINKS);
  const whole = new Uint8Array(Math.ceil(document.body.length * 1.1));
  let used = 0;
  for (const piece of rendered!.body) {
    whole.set(piece, used);
    used += piece.length;
  }
  if (used < document.body.length / 2 || rendered!.withheld() === 0) {
    throw new Error("Not rendered as it should");
  }
  return whole.subarray(0, used);
}

/** Decode, parse, leave out a tenth of the releases, write the links anew, stringify, encode. */
function classic(bytes: Uint8Array): Uint8Array {
  const packument = JSON.parse(new TextDecoder().decode(bytes));
  for (const [i, version] of Object.keys(packument.versions).entries()) {
    if (i % 10 === 0) {
      delete packument.versions[version];
      delete packument.time[version];
      continue;
    }
    const { dist } = packument.versions[version];
    dist.tarball = dist.tarball.replace("http://registry.example/", `${LINKS.base}/`);
  }
  return new TextEncoder().encode(JSON.stringify(packument));
}
