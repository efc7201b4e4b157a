/** The cache by API and command, on a running server and beside it: purged, verified, pinned, asked how large it is. */
import assert from "node:assert/strict";
import { cache } from "../../cli/cache.ts";
import { testIo } from "../../cli/testing.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import type { EpochMs } from "../../policy/types.ts";
import type { BlobKey } from "../../storage/artifacts/store.ts";
import { createFiles } from "../../storage/kv/files.ts";
import { createPackages } from "../../storage/kv/packages.ts";
import { type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, NOW, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";
const OLD = { publishedAt: daysAgo(100) };
const NAMES = ["alpha", "beta", "gamma"] as const;
const DAY = 86_400_000;

interface Place extends AsyncDisposable {
  readonly sluice: TestSluice;
  readonly registry: FakeNpmRegistry;
  /** `deno task cache …`, on the data folder or, with `--server`, on the running server. */
  run(
    args: readonly string[],
    options?: { readonly answers?: readonly string[]; readonly isTty?: boolean },
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  readonly server: readonly string[];
  readonly local: readonly string[];
  advance(ms: number): void;
}

async function createPlace(env: Readonly<Record<string, string>> = {}): Promise<Place> {
  const registry = await startNpmRegistry();
  for (const name of NAMES) {
    registry.publish({ name, releases: { "1.0.0": { ...OLD, files: { "t.txt": noise(name, 20_000) } } } });
  }
  const all = { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ADMIN_TOKEN: ADMIN, ...env };
  const sluice = await startSluice({ env: all });
  let offset = 0;
  return {
    sluice,
    registry,
    server: ["--server", sluice.url],
    local: ["--data", sluice.data],
    advance(ms) {
      offset += ms;
      sluice.advance(ms);
    },
    async run(args, { answers = [], isTty = false } = {}) {
      const io = testIo({ cwd: sluice.data, env: { ...all, SLUICE_TOKEN: ADMIN }, answers });
      const clock = () => NOW + offset as ReturnType<typeof io.clock>;
      const code = await cache(args, { ...io, isTty, clock });
      return { code, ...io.take() };
    },
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Text that does not compress. */
function noise(seed: string, length: number): string {
  let state = seed.length * 7919 + seed.charCodeAt(0);
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return String.fromCharCode(33 + state % 90);
  }).join("");
}

const file = (name: string) => `/npm/${name}/-/${name}-1.0.0.tgz`;

async function fetchAll({ url }: TestSluice, names: readonly string[] = NAMES): Promise<void> {
  for (const name of names) {
    assert.equal((await ask(`${url}/npm/${name}`)).status, 200);
    assert.equal((await ask(`${url}${file(name)}`)).status, 200);
  }
}

async function post(url: string, path: string, body: unknown, token = ADMIN): Promise<Response> {
  return await fetch(`${url}/-/api/v1${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
}

Deno.test("cache purge, by API and from beside: what a running server has in memory goes with it, within a second", async () => {
  await using place = await createPlace();
  const { sluice, registry, run, local, server } = place;
  const versions = async () => Object.keys((await ask(`${sluice.url}/npm/alpha`)).json().versions);
  await fetchAll(sluice);
  const publish = (version: string) => {
    const releases = Object.fromEntries(["1.0.0", "1.1.0", version].map((each) => [each, OLD]));
    registry.publish({ name: "alpha", releases });
  };
  publish("1.1.0");
  assert.deepEqual(await versions(), ["1.0.0"]);
  assert.equal((await run(["purge", "pkg:npm/alpha", ...server])).code, 0);
  assert.deepEqual(await versions(), ["1.0.0", "1.1.0"]);

  publish("1.2.0");
  const before = registry.upstream.asked(/alpha-1.0.0.tgz$/).length;
  assert.equal((await run(["purge", "pkg:npm/alpha", ...local])).code, 0);
  place.advance(1_001);
  assert.deepEqual(await versions(), ["1.0.0", "1.1.0", "1.2.0"]);
  assert.equal((await ask(`${sluice.url}${file("beta")}`)).status, 200);
  assert.equal(registry.upstream.asked(/alpha-1.0.0.tgz$/).length, before);
  assert.deepEqual(sluice.lines.filter(({ level }) => level === "error"), []);
});

Deno.test("cache status, verify, pin, unpin and pins: the same on the data folder and on a running server", async () => {
  await using place = await createPlace({ SLUICE_MAX_SIZE: "1MB" });
  const { sluice, run, local, server } = place;
  await fetchAll(sluice);
  await sluice.maintain();
  for (const where of [local, server]) {
    const status = await run(["status", ...where]);
    // Or seven: maintenance has just tried whether the store can be written.
    assert.match(status.out, /^\d+ kB of 1\.0 MB \(\d+ %\), in [67] files and documents\.\n$/, status.err);
    assert.match(
      (await run(["verify", ...where])).out,
      /^Checked [67] blobs, [\d.]+ kB\.\nNothing is wrong\.\n$/,
    );
    assert.match((await run(["pins", ...where])).out, /^Nothing is pinned/);
    const pinned = await run(["pin", "npm/alpha@1.0.0", "--reason", "train", ...where]);
    assert.equal(pinned.out, "pkg:npm/alpha@1.0.0 is pinned.\n", pinned.err);
    const [pin] = JSON.parse((await run(["pins", "--json", ...where])).out);
    assert.deepEqual([pin.purl, pin.ecosystem, pin.name, pin.version, pin.reason], [
      "pkg:npm/alpha@1.0.0",
      "npm",
      "alpha",
      "1.0.0",
      "train",
    ]);
    assert.match((await run(["pins", ...where])).out, /pkg:npm\/alpha@1\.0\.0 .*train/);
    assert.equal((await run(["unpin", "npm/alpha@1.0.0", ...where])).code, 0);
    const again = await run(["unpin", "npm/alpha@1.0.0", ...where]);
    assert.equal(again.code, 1);
    assert.match(again.err, /is not pinned/);
  }
  const usage = JSON.parse((await run(["status", "--json", ...server])).out);
  assert.ok(usage.blobs === 6 || usage.blobs === 7, JSON.stringify(usage));
  assert.equal(usage.maxBytes, 1_000_000);
});

Deno.test("cache verify on a running server: what is wrong is named and mended, exit code 1; a server that goes is told", async () => {
  await using place = await createPlace();
  const { sluice, run, server } = place;
  await fetchAll(sluice);
  const blob = await blobOf(sluice, "alpha");
  await Deno.remove(`${sluice.data}/artifacts/${blob}`);
  await Deno.writeTextFile(`${sluice.data}/artifacts/${blob}`, "{}");
  const found = await run(["verify", "--json", ...server]);
  assert.equal(found.code, 1, found.err);
  const report = JSON.parse(found.out);
  assert.deepEqual(report.wrong, [{ blob, files: ["npm alpha (its documents)"] }]);
  assert.equal(report.checked.blobs, 6);
  assert.equal((await run(["verify", ...server])).code, 0);
  const nobody = await run(["verify", "--server", "http://127.0.0.1:9"]);
  assert.deepEqual([nobody.code, /Cannot reach/.test(nobody.err)], [1, true]);
});

/** The packument of a package. */
async function blobOf({ data }: TestSluice, name: string): Promise<string> {
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

Deno.test("cache purge --older-than and --unused-for: by age, by use, never what is pinned; a dry run frees nothing", async () => {
  await using place = await createPlace();
  const { sluice, run, local, server } = place;
  await fetchAll(sluice, ["alpha", "beta"]);
  place.advance(10 * DAY);
  await fetchAll(sluice, ["gamma"]);
  // A hit, which the server has in its memory.
  assert.equal((await ask(`${sluice.url}${file("alpha")}`)).status, 200);
  place.advance(DAY);
  const amounts = async (...args: readonly string[]) => {
    const { code, out, err } = await run(["purge", ...args, "--json"]);
    assert.equal(code, 0, err);
    const { packages, files, blobs } = JSON.parse(out);
    return [packages, files, blobs];
  };
  assert.deepEqual(await amounts("--older-than", "5d", "--dry-run", ...server), [2, 2, 3]);
  assert.deepEqual(await amounts("--unused-for", "5d", "--dry-run", ...server), [1, 1, 2]);
  assert.deepEqual(await amounts("npm", "--unused-for", "5d", "--dry-run", ...server), [1, 1, 2]);
  assert.deepEqual(await amounts("pypi", "--unused-for", "5d", "--dry-run", ...server), [0, 0, 0]);
  assert.equal((await run(["pin", "npm/beta", ...server])).code, 0);
  assert.deepEqual(await amounts("--unused-for", "5d", "--dry-run", ...server), [0, 0, 0]);
  assert.equal((await run(["unpin", "npm/beta", ...server])).code, 0);
  // An hour later it is written down.
  await sluice.maintain();
  assert.deepEqual(await amounts("--unused-for", "5d", ...local), [1, 1, 2]);
  assert.deepEqual(await amounts("--unused-for", "5d", ...local), [0, 0, 0]);
  assert.deepEqual(await amounts("--all", "--dry-run", ...server), [2, 2, 4]);
  for (
    const [args, sentence] of [
      [["--unused-for", "soon"], /"soon" is no duration/],
      [["--older-than", "5"], /"5" is no duration/],
    ] as const
  ) {
    const { code, err } = await run(["purge", ...args, ...local]);
    assert.deepEqual([code, sentence.test(err)], [2, true], err);
  }
});

Deno.test("cache purge on a terminal: asks with what it would free, and takes no for an answer", async () => {
  await using place = await createPlace();
  const { sluice, run, local } = place;
  await fetchAll(sluice);
  const no = await run(["purge", "npm", ...local], { isTty: true, answers: ["n"] });
  assert.deepEqual([no.code, no.out], [1, ""]);
  assert.match(no.err, /Nothing was taken away/);
  assert.match((await run(["purge", "npm", "--dry-run", ...local])).out, /6 blobs/);
  const yes = await run(["purge", "npm", ...local], { isTty: true, answers: ["y"] });
  assert.match(yes.out, /^Took away .*6 blobs/);
  place.advance(1_001);
  await fetchAll(sluice);
  const given = await run(["purge", "--all", "--yes", ...local], { isTty: true });
  assert.match(given.out, /^Took away .*6 blobs/);
});

Deno.test("cache purge --dry-run names what would go: the first 50 on a terminal, all with --list, in JSON and by API", async () => {
  await using place = await createPlace();
  const { sluice, run, local, server } = place;
  await fetchAll(sluice, ["alpha", "beta"]);
  const look = ["purge", "npm/alpha", "--dry-run"];
  for (const where of [local, server]) {
    const { out, err } = await run([...look, ...where]);
    const lines =
      /^Would take away 1 record of documents, 1 file of 1 package: 2 blobs, .*\.\n(?<items>[^]*)$/.exec(out);
    assert.match(
      lines?.groups?.items ?? "",
      /^ {2}pkg:npm\/alpha {2}\(its documents\) {2}[\d.]+ k?B\n {2}pkg:npm\/alpha {2}alpha-1\.0\.0\.tgz {2}[\d.]+ k?B\n$/,
      out + err,
    );
    const json = JSON.parse((await run([...look, "--json", ...where])).out);
    assert.deepEqual([json.packages, json.documents, json.files, json.isCut], [1, 1, 1, false]);
    const [, tarball] = json.items;
    assert.ok(tarball.bytes > 100);
    assert.deepEqual(tarball, {
      purl: "pkg:npm/alpha",
      ecosystem: "npm",
      name: "alpha",
      file: "alpha-1.0.0.tgz",
      bytes: tarball.bytes,
    });
  }
  const of = await (await post(sluice.url, "/purge", { what: "pkg:npm/alpha@1.0.0", dryRun: true })).json();
  assert.deepEqual([of.packages, of.documents, of.files, of.items.length], [1, 0, 1, 1]);

  await fillNames(sluice, 70);
  const seen = await run(["purge", "npm", "--dry-run", ...local], { isTty: true });
  assert.equal(seen.out.split("\n").length, 1 + 50 + 1 + 1);
  assert.match(seen.out, /\n {2}… and 24 more \(--list names them\)\n$/);
  const all = await run(["purge", "npm", "--dry-run", "--list", ...local], { isTty: true });
  assert.equal(all.out.split("\n").length, 1 + 74 + 1);
  const asked = await run(["purge", "npm", ...local], { isTty: true, answers: ["n"] });
  assert.match(asked.err, /… and 24 more \(--list names them\)\nNothing was taken away/);
  const done = await (await post(sluice.url, "/purge", { what: "npm" })).json();
  assert.deepEqual([done.packages, done.items.length, done.isCut], [72, 74, false]);
});

/** Records of files, without their bytes. */
async function fillNames({ data }: TestSluice, count: number): Promise<void> {
  const kv = await openStorage(`${data}/kv.sqlite3`);
  const files = createFiles(kv);
  for (let index = 0; index < count; index++) {
    const key = { ecosystem: "npm", upstreamId: "npm", scope: "public", subject: "package" } as const;
    await files.put({ ...key, name: `filler-${index}` }, `filler-${index}-1.0.0.tgz`, {
      v: 1,
      blob: `sha256/00/${index.toString(16).padStart(64, "0")}` as BlobKey,
      sizeBytes: 10,
      contentType: "application/octet-stream",
      verified: [],
      filledAt: NOW as EpochMs,
    });
  }
  kv.close();
}

Deno.test("POST /purge that fails half-way says what was done, and the same again does the rest", async () => {
  await using place = await createPlace();
  const { sluice, run, server } = place;
  await fetchAll(sluice);
  const path = `${sluice.data}/artifacts/${await blobOf(sluice, "beta")}`;
  await Deno.remove(path);
  await Deno.mkdir(path);
  await Deno.writeTextFile(`${path}/in-the-way`, "");
  const broken = await post(sluice.url, "/purge", { what: "npm" });
  const problem = await broken.json();
  assert.deepEqual([broken.status, problem.code], [503, "purge-broken"], JSON.stringify(problem));
  assert.deepEqual([problem.done.packages, problem.done.documents, problem.done.files], [3, 3, 3]);
  assert.ok(problem.done.blobs < 6);
  assert.match(problem.detail, /3 records of documents and 3 files are gone/);
  await Deno.remove(path, { recursive: true });
  assert.equal((await run(["purge", "--all", ...server])).code, 0);
  assert.match((await run(["verify", ...server])).out, /^Checked 0 blobs/);
  await fetchAll(sluice);
  assert.match((await run(["verify", ...server])).out, /^Checked 6 blobs.*\nNothing is wrong/);
});

Deno.test("the cache's API: every mistake is told with its field, and operate is the scope", async () => {
  await using place = await createPlace();
  const { sluice } = place;
  for (
    const [path, body, code, field] of [
      ["/purge", {}, "nothing-named", "body"],
      ["/purge", { what: "npm", all: true }, "invalid-input", "body.all"],
      ["/purge", { what: "gems" }, "invalid-input", "body.what"],
      ["/purge", { what: "pkg:gem/rails" }, "invalid-input", "body.what"],
      ["/purge", { unusedSince: "soon" }, "invalid-input", "body.unusedSince"],
      ["/purge", { everything: true }, "invalid-input", "body.everything"],
      ["/cache/verify", { ecosystem: "gems" }, "invalid-input", "body.ecosystem"],
      ["/cache/pin", { purl: "alpha" }, "invalid-input", "body.purl"],
      ["/cache/pin", { purl: "pkg:npm/alpha", reason: "x".repeat(501) }, "invalid-input", "body.reason"],
    ] as const
  ) {
    const response = await post(sluice.url, path, body);
    const problem = await response.json();
    assert.deepEqual([response.status, problem.code, problem.errors?.[0]?.field], [400, code, field], path);
  }
  const made = await post(sluice.url, "/tokens", {
    user: "eve",
    scopes: ["read", "audit", "policy"],
    organisation: null,
  });
  const { secret } = await made.json();
  for (
    const [path, body] of [["/purge", { all: true }], ["/cache/verify", {}], ["/cache/pin", {
      purl: "pkg:npm/a",
    }]] as const
  ) {
    const response = await post(sluice.url, path, body, secret);
    assert.deepEqual([response.status, (await response.json()).code], [403, "scope-missing"]);
  }
});
