import assert from "node:assert/strict";
import { startNpmRegistry } from "../tests/fakes/npm_registry.ts";
import { daysAgo, NOW, startSluice } from "../tests/fakes/sluice.ts";
import { prefetch } from "./prefetch.ts";
import { newReport, note, progressText } from "./prefetch_print.ts";
import { testIo } from "./testing.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";

async function createWorld(file = "") {
  const registry = await startNpmRegistry();
  const old = { publishedAt: daysAgo(100) };
  registry.publish({ name: "steady", releases: { "1.0.0": old, "1.1.0": old } });
  registry.publish({ name: "fresh", releases: { "1.0.0": old, "1.1.0": { publishedAt: daysAgo(2) } } });
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ADMIN_TOKEN: ADMIN };
  const sluice = await startSluice({ env, now: NOW, ...(file === "" ? {} : { file }) });
  const io = testIo({ cwd: sluice.data, env: { SLUICE_TOKEN: ADMIN, ...env } });
  return {
    registry,
    sluice,
    io,
    write: (name: string, text: string) => Deno.writeTextFile(`${sluice.data}/${name}`, text),
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

const WANTED = ["pkg:npm/steady@1.0.0", "pkg:npm/fresh@1.1.0", "pkg:npm/fresh", "pkg:npm/nobody@1.0.0"];

Deno.test("prefetch --server: fetches what the policy lets through, says what it refused, and logs no install", async () => {
  await using world = await createWorld();
  const { io, sluice, registry } = world;
  registry.upstream.answer("/nobody", { status: 404 });
  const server = ["--server", sluice.url];
  assert.equal(await prefetch([...WANTED, "--dry-run", "--json", ...server], io), 1);
  const planned = JSON.parse(io.take().out);
  assert.deepEqual([planned.wanted, planned.refused, planned.failed, planned.dryRun], [2, 1, 1, true]);
  assert.equal(registry.downloads("steady", "1.0.0"), 0);

  assert.equal(await prefetch([...WANTED, ...server], io), 1);
  const { out } = io.take();
  assert.match(out, /^4 releases: fetched 2 files, \d+ B; 0 files were here already\./);
  assert.match(
    out,
    /1 refused by the policy:\n {2}pkg:npm\/fresh@1\.1\.0 fresh-1\.1\.0\.tgz: .*held until 20.*minimum/,
  );
  assert.match(out, /1 failed:\n {2}pkg:npm\/nobody@1\.0\.0: There is no package "nobody"/);
  assert.deepEqual([registry.downloads("steady", "1.0.0"), registry.downloads("fresh", "1.1.0")], [1, 0]);
  assert.deepEqual(await sluice.installs(), [], "nobody received anything");

  assert.equal(await prefetch(["pkg:npm/steady@1.0.0", "pkg:npm/fresh", ...server], io), 0);
  assert.match(io.take().out, /^2 releases: fetched 0 files, 0 B; 2 files were here already\.\n$/);
  assert.equal(registry.downloads("steady", "1.0.0"), 1);

  await registry.upstream.stop();
  sluice.advance(3 * 3_600_000);
  const served = await fetch(`${sluice.url}/npm/steady/-/steady-1.0.0.tgz`);
  assert.equal(served.status, 200);
  await served.body?.cancel();
  const index = await fetch(`${sluice.url}/npm/fresh`);
  assert.equal(index.status, 200, await index.text());
});

Deno.test("prefetch: beside the server, a lockfile's digests are held against the registry's; what is no registry's is skipped", async () => {
  await using world = await createWorld();
  const { io, sluice, registry } = world;
  const integrity = `sha512-${btoa("0".repeat(64))}`;
  await world.write(
    "package-lock.json",
    JSON.stringify({
      lockfileVersion: 3,
      packages: {
        "node_modules/steady": { version: "1.0.0", integrity },
        "node_modules/fresh": { version: "1.0.0" },
        "node_modules/local": { version: "1.0.0", resolved: "file:local" },
      },
    }),
  );
  const config = `listen: 127.0.0.1:0\nupstreams:\n  npm:\n    - url: ${registry.upstream.url}\n`;
  await world.write("other.yaml", config);
  const local = ["--data", sluice.data, "--config", `${sluice.data}/other.yaml`];
  assert.equal(await prefetch(["package-lock.json", ...local], io), 1);
  const { out } = io.take();
  assert.match(
    out,
    /steady-1\.0\.0\.tgz is locked as sha512:3030303030303030…, but the registry has sha512:/,
  );
  assert.match(out, /\(package-lock\.json, packages\["node_modules\/steady"\]\)/);
  assert.match(
    out,
    /1 skipped.*\n {2}package-lock\.json, packages\["node_modules\/local"\]: it is a folder or file/,
  );
  assert.deepEqual([registry.downloads("steady", "1.0.0"), registry.downloads("fresh", "1.0.0")], [0, 1]);
});

Deno.test("prefetch --from-log: what people really installed, fetched again after a purge", async () => {
  await using world = await createWorld();
  const { io, sluice, registry } = world;
  const response = await fetch(`${sluice.url}/npm/steady/-/steady-1.1.0.tgz`);
  await response.arrayBuffer();
  for await (const entry of Deno.readDir(`${sluice.data}/artifacts/sha256`)) {
    await Deno.remove(`${sluice.data}/artifacts/sha256/${entry.name}`, { recursive: true });
  }
  const instant = new Date(NOW - 86_400_000).toISOString();
  assert.equal(await prefetch(["--from-log", instant, "--server", sluice.url], io), 0);
  assert.match(io.take().out, /^1 release: fetched 1 file/);
  assert.equal(registry.downloads("steady", "1.1.0"), 2);
});

Deno.test("prefetch: what is wrong is told with its place, and nothing is fetched", async () => {
  await using world = await createWorld();
  const { io, sluice, registry } = world;
  await world.write("uv.lock", "version = 1\nbroken\n");
  const server = ["--server", sluice.url];
  const rows: readonly (readonly [readonly string[], number, RegExp])[] = [
    [[], 2, /needs purls, files or --from-log/],
    [["nowhere.lock"], 2, /Cannot read "nowhere\.lock": .*A purl begins with pkg:/],
    [["uv.lock", ...server], 1, /uv\.lock: line 2: expected TOML/],
    [["pkg:gem/rails", ...server], 1, /"pkg:gem\/rails" is of no ecosystem here: expected pkg:npm\//],
    [["pkg:npm", ...server], 1, /expected a purl such as pkg:npm\/left-pad@1\.3\.0/],
    [["--from-log", "soon", ...server], 1, /"soon" is neither a date/],
    [["--from-log", "2099-01-01", ...server], 1, /in the future/],
    [["pkg:npm/steady", "--file", "x"], 2, /Did you mean --files/],
  ];
  for (const [args, code, words] of rows) {
    assert.equal(await prefetch(args, io), code, args.join(" "));
    assert.match(io.take().err, words);
  }
  assert.equal(registry.upstream.requests.length, 0);
});

Deno.test("prefetch: Ctrl-C says how far it was", async () => {
  await using world = await createWorld();
  const { io, sluice } = world;
  const stop = new AbortController();
  stop.abort();
  assert.equal(await prefetch(["pkg:npm/steady", "--server", sluice.url], io, stop.signal), 130);
  assert.match(io.take().out, /^Broken off after 0 of 0 releases; what is here stays\./);
});

Deno.test("progressText: a bar, how much, how fast, how long still, and what was refused", () => {
  const report = newReport(1_000, false);
  note(report, { kind: "plan", releases: 4, skipped: [] });
  assert.equal(progressText(report, 1_000), "[························] 0 of 4 releases");
  const file = {
    kind: "file",
    purl: "pkg:npm/a@1",
    filename: "a.tgz",
    message: null,
    rule: null,
    where: "",
  } as const;
  note(report, { ...file, outcome: "filled", bytes: 8_000_000 });
  note(report, { ...file, outcome: "refused", bytes: 0 });
  note(report, { kind: "progress" });
  assert.equal(
    progressText(report, 5_000),
    "[######··················] 1 of 4 releases · 8.0 MB · 2.0 MB/s · about 12 s left · 1 refused",
  );
  for (let i = 0; i < 3; i++) note(report, { kind: "progress" });
  assert.equal(
    progressText(report, 9_000),
    "[########################] 4 of 4 releases · 8.0 MB · 1.0 MB/s · 1 refused",
  );
});
