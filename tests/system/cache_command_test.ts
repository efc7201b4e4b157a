/** `deno task cache …` beside a running Sluice, on the data folder and on the real S3 server. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cache } from "../../cli/cache.ts";
import { testIo } from "../../cli/testing.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import { createPackages } from "../../storage/kv/packages.ts";
import { createTarball, type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { S3_MISSING, s3Skip, startS3Server } from "../fakes/s3_server.ts";
import { daysAgo, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const OLD = { publishedAt: daysAgo(100) };
const NAMES = ["alpha", "beta", "gamma"];

interface Place extends AsyncDisposable {
  readonly sluice: TestSluice;
  readonly registry: FakeNpmRegistry;
  /** Runs `deno task cache …` on what the server works with. */
  run(
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** Replaces a blob's bytes behind everybody's back; null: takes it away. */
  damage(blob: string, bytes: Uint8Array<ArrayBuffer> | null): Promise<void>;
}

async function createPlace(
  env: Readonly<Record<string, string>>,
  damage: (place: TestSluice, blob: string, bytes: Uint8Array<ArrayBuffer> | null) => Promise<void>,
  more: { readonly now?: number; readonly end?: () => Promise<void> } = {},
): Promise<Place> {
  const registry = await startNpmRegistry();
  for (const name of NAMES) {
    const release = { ...OLD, files: { "text.txt": `${name} `.repeat(1000) } };
    registry.publish({ name, releases: { "1.0.0": release, "1.1.0": { ...OLD } } });
  }
  const all = { SLUICE_UPSTREAM_NPM: registry.upstream.url, ...env };
  const sluice = await startSluice({ env: all, ...(more.now === undefined ? {} : { now: more.now }) });
  async function run(...args: readonly string[]) {
    const io = testIo({ cwd: sluice.data, env: all });
    const code = await cache([...args, "--data", sluice.data], {
      ...io,
      ...(more.now === undefined ? {} : { clock: () => Date.now() as ReturnType<typeof io.clock> }),
    });
    return { code, ...io.take() };
  }
  return {
    sluice,
    registry,
    run,
    damage: (blob, bytes) => damage(sluice, blob, bytes),
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
      await more.end?.();
    },
  };
}

function onFolder(): Promise<Place> {
  return createPlace({}, async ({ data }, blob, bytes) => {
    const path = `${data}/artifacts/${blob}`;
    await Deno.remove(path);
    if (bytes !== null) await Deno.writeFile(path, bytes);
  });
}

async function onBucket(): Promise<Place> {
  const server = await startS3Server();
  await server.createBucket("sluice");
  const env = {
    SLUICE_ARTIFACTS: `s3://sluice/prod?endpoint=${encodeURIComponent(server.endpoint)}`,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
  };
  return await createPlace(env, async (_place, blob, bytes) => {
    const { status } = await server.ask(
      bytes === null ? "DELETE" : "PUT",
      `/sluice/prod/${blob}`,
      bytes ?? undefined,
    );
    assert.ok(status < 300, String(status));
  }, { now: Date.now(), end: async () => await server[Symbol.asyncDispose]() });
}

const tarball = (name: string) =>
  createTarball(name, "1.0.0", { ...OLD, files: { "text.txt": `${name} `.repeat(1000) } });

function blobOf(bytes: Uint8Array): string {
  const hex = createHash("sha256").update(bytes).digest("hex");
  return `sha256/${hex.slice(0, 2)}/${hex}`;
}

/** The packument of a package. */
async function documentOf({ data }: TestSluice, name: string): Promise<string> {
  const kv = await openStorage(`${data}/kv.sqlite3`);
  try {
    for await (const { key, record } of createPackages(kv).list()) {
      if (key.name === name) return record.documents[0]!.blob!;
    }
  } finally {
    kv.close();
  }
  throw new Error(`Nothing is known of ${name}`);
}

async function fetchAll({ url }: TestSluice): Promise<void> {
  for (const name of NAMES) {
    const index = await ask(`${url}/npm/${name}`);
    assert.equal(index.status, 200, index.text);
    const file = await ask(`${url}/npm/${name}/-/${name}-1.0.0.tgz`);
    assert.equal(file.status, 200, file.text);
    assert.deepEqual(file.bytes, new Uint8Array(tarball(name)));
  }
}

const PLACES: readonly (readonly [string, string | null, () => Promise<Place>])[] = [
  ["a folder", null, onFolder],
  [`a bucket${s3Skip}`, S3_MISSING, onBucket],
];

for (const [title, missing, open] of PLACES) {
  Deno.test({
    name:
      `cache verify, on ${title}: what is wrong or gone is named, taken away, and fetched anew; then nothing is wrong`,
    ignore: missing !== null,
    fn: async () => {
      await using place = await open();
      const { sluice, run, damage } = place;
      await fetchAll(sluice);
      const sound = await run("verify");
      assert.deepEqual([sound.code, sound.err], [0, ""], sound.out);
      assert.match(sound.out, /^Checked 6 blobs, [\d.]+ kB\.\nNothing is wrong\.\n$/);

      const altered = blobOf(tarball("alpha"));
      const cut = await documentOf(sluice, "beta");
      const gone = blobOf(tarball("gamma"));
      await damage(altered, tarball("alpha").with(20, 7));
      await damage(cut, new TextEncoder().encode("{}"));
      await damage(gone, null);

      const looked = await run("verify", "--dry-run", "--json");
      const again = await run("verify", "--dry-run", "--json");
      assert.equal(looked.code, 1);
      assert.equal(looked.out, again.out, "nothing was changed");
      const { wrong, dangling, checked } = JSON.parse(looked.out);
      assert.equal(checked.blobs, 5);
      assert.deepEqual(
        wrong.toSorted((a: { files: string[] }, b: { files: string[] }) =>
          a.files[0]! < b.files[0]! ? -1 : 1
        ),
        [
          { blob: altered, files: ["npm alpha-1.0.0.tgz"] },
          { blob: cut, files: ["npm beta (its documents)"] },
        ],
      );
      assert.deepEqual(dangling.find(({ why }: { why: string }) => why === "gone"), {
        ecosystem: "npm",
        package: "gamma",
        file: "gamma-1.0.0.tgz",
        target: gone,
        why: "gone",
      });

      const mended = await run("verify");
      assert.equal(mended.code, 1, mended.err);
      for (
        const words of [
          "evicted",
          "npm alpha-1.0.0.tgz",
          "npm beta (its documents)",
          "npm gamma-1.0.0.tgz",
          gone,
        ]
      ) {
        assert.ok(mended.out.includes(words), mended.out);
      }
      assert.match((await run("verify")).out, /^Checked 3 blobs.*\nNothing is wrong\.\n$/);
      // What it has in memory it has verified; a restart forgets that.
      await sluice.restart();
      await fetchAll(sluice);
      assert.match((await run("verify")).out, /^Checked 6 blobs.*\nNothing is wrong\.\n$/);
    },
  });
}

Deno.test("cache verify: facts in KV that are gone or damaged are fetched anew", async () => {
  await using place = await onFolder();
  const { sluice, run } = place;
  await fetchAll(sluice);
  const kv = await openStorage(`${sluice.data}/kv.sqlite3`);
  const parts = await Array.fromAsync(kv.list<Uint8Array>({ prefix: ["parts", "packages"] }));
  const of = (name: string) => parts.find(({ key }) => key.includes(name))!;
  await kv.delete(of("alpha").key);
  await kv.set(of("beta").key, of("gamma").value);
  kv.close();
  const { code, out } = await run("verify");
  assert.equal(code, 1);
  assert.match(out, /npm alpha \(its documents\): facts is gone/);
  assert.match(out, /npm beta \(its documents\): facts is gone/);
  assert.doesNotMatch(out, /gamma/);
  await sluice.restart();
  await fetchAll(sluice);
  assert.equal((await run("verify")).code, 0);
});

Deno.test("cache purge: a release, a package, an ecosystem, everything; a dry run changes nothing, and what must stay stays", async () => {
  await using place = await onFolder();
  const { sluice, run } = place;
  await sluice.setPolicy({ minimumAge: "14d", block: ["npm/evil"] });
  await fetchAll(sluice);
  await ask(`${sluice.url}/npm/alpha/-/alpha-1.1.0.tgz`);
  const kept = await keptKeys(sluice);
  const amounts = async (...args: readonly string[]) => {
    const { code, out, err } = await run("purge", ...args, "--json");
    assert.equal(code, 0, err);
    const { packages, files, blobs, bytes } = JSON.parse(out);
    assert.ok(blobs === 0 || bytes > 0);
    return [packages, files, blobs];
  };
  for (
    const [what, expected] of [
      [["pkg:npm/alpha@1.0.0"], [1, 1, 1]],
      [["pkg:npm/alpha"], [1, 1, 2]],
      [["npm"], [2, 2, 4]],
      [["--all"], [0, 0, 0]],
    ] as const
  ) {
    if (what[0] !== "--all" && what[0] !== "pkg:npm/alpha") {
      assert.deepEqual(await amounts(...what, "--dry-run"), await amounts(...what, "--dry-run"));
    }
    assert.deepEqual(await amounts(...what), expected, what[0]);
    assert.deepEqual(await amounts(...what), [0, 0, 0], `${what[0]}, again`);
    assert.equal((await run("verify")).code, 0, what[0]);
  }
  assert.deepEqual(await keptKeys(sluice), kept);
  assert.equal((await sluice.installs()).length, 4);
  await sluice.restart();
  await fetchAll(sluice);
  assert.match(
    (await run("purge", "--all", "--dry-run")).out,
    /^Would take away 3 records of documents, 3 files of 3 packages: 6 blobs, /,
  );
  assert.match(
    (await run("purge", "--all")).out,
    /^Took away 3 records of documents, 3 files of 3 packages: 6 blobs, /,
  );
});

/** Everything that a purge must not touch. */
async function keptKeys({ data }: TestSluice): Promise<readonly string[]> {
  const kv = await openStorage(`${data}/kv.sqlite3`);
  const kept: string[] = [];
  for await (const { key, versionstamp } of kv.list({ prefix: [] })) {
    if (["packages", "files"].includes(String(key[0]))) continue;
    // What is said of the cache: that it was purged, by whom, how large it is, what was used.
    if (["purged", "audit_trail", "cache_tally", "blob_uses"].includes(String(key[0]))) continue;
    if (key[0] === "parts" && key[1] === "packages") continue;
    if (["leases", "jobs", "installs"].includes(String(key[0]))) continue;
    kept.push(`${key.map(String).join("/")} ${versionstamp}`);
  }
  kv.close();
  assert.ok(kept.some((key) => key.startsWith("first_seen/npm/")));
  return kept;
}

Deno.test("cache: a wrong command line is told, and ends with 2", async () => {
  await using place = await onFolder();
  const { run } = place;
  for (
    const [args, sentence] of [
      [["purge"], /Expected one purl/],
      [["purge", "npm", "pypi"], /Expected one purl/],
      [["purge", "npm", "--all"], /not both/],
      [["purge", "pkg:nonsense"], /Cannot read the purl/],
      [["purge", "pkg:gem/rails"], /Cannot read the purl/],
      [["purge", "gem/rails"], /Cannot read the purl "pkg:gem\/rails"/],
      [["purge", "gems"], /Unknown ecosystem "gems": there are npm/],
      [["verify", "npm"], /Expected nothing after verify/],
      [["verify", "--ecosystem", "gems"], /Unknown ecosystem/],
      [["verify", "--ecosystems"], /Unknown option/],
      [["clean"], /Unknown command "clean"/],
      [[], /^Usage: deno task cache/],
    ] as const
  ) {
    const { code, err } = await run(...args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, sentence, args.join(" "));
  }
  assert.equal((await run("--help")).code, 0);
});
