import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createTarball, publishBytes, startNpmRegistry } from "../fakes/npm_registry.ts";
import { startPypiRegistry } from "../fakes/pypi_registry.ts";
import { daysAgo, startSluice, type TestSluice } from "../fakes/sluice.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";
const OLD = { publishedAt: daysAgo(100) };

interface Line {
  readonly kind: string;
  readonly outcome?: string;
  readonly filename?: string;
  readonly message?: string;
}

async function ask(sluice: TestSluice, body: unknown, organisation = ""): Promise<readonly Line[]> {
  const response = await fetch(`${sluice.url}${organisation}/-/api/v1/prefetch`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN}` },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

function outcomes(lines: readonly Line[]): readonly string[] {
  return lines.filter(({ kind }) => kind === "file").map(({ outcome, filename }) => `${outcome} ${filename}`)
    .sort();
}

async function npmWorld() {
  const registry = await startNpmRegistry();
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ADMIN_TOKEN: ADMIN };
  return { registry, sluice: await startSluice({ env }) };
}

Deno.test("POST /prefetch: many at once, and no origin is asked for more than six files at a time", async () => {
  const { registry, sluice } = await npmWorld();
  await using _registry = registry;
  await using _sluice = sluice;
  const names = Array.from({ length: 24 }, (_, index) => `package-${index}`);
  let running = 0;
  let most = 0;
  const six = Promise.withResolvers<void>();
  for (const name of names) {
    registry.publish({ name, releases: { "1.0.0": OLD } });
    registry.upstream.answer(registry.tarballPath(name, "1.0.0"), async () => {
      most = Math.max(most, ++running);
      if (running === 6) six.resolve();
      await six.promise;
      // Long enough that all that would come at once have come.
      await new Promise((resolve) => setTimeout(resolve, 20));
      running--;
      return { body: createTarball(name, "1.0.0", OLD) };
    });
  }
  const lines = await ask(sluice, { purls: names.map((name) => `pkg:npm/${name}@1.0.0`) });
  assert.deepEqual(lines[0], { kind: "plan", releases: 24, skipped: [] });
  assert.equal(lines.filter(({ kind }) => kind === "progress").length, 24);
  assert.equal(lines.at(-1)?.kind, "end");
  assert.equal(outcomes(lines).filter((line) => line.startsWith("filled ")).length, 24);
  assert.equal(most, 6);
});

Deno.test("POST /prefetch: whoever breaks it off keeps what came; the same again does the rest", async () => {
  const { registry, sluice } = await npmWorld();
  await using _registry = registry;
  await using _sluice = sluice;
  const path = registry.tarballPath("slow", "1.0.0");
  const body = createTarball("slow", "1.0.0", OLD);
  registry.publish({ name: "quick", releases: { "1.0.0": OLD } });
  registry.publish({ name: "slow", releases: { "1.0.0": OLD } });
  const released = Promise.withResolvers<void>();
  registry.upstream.answer(path, async () => {
    await released.promise;
    return { body };
  });
  const purls = ["pkg:npm/quick@1.0.0", "pkg:npm/slow@1.0.0"];
  const stop = new AbortController();
  const response = await fetch(`${sluice.url}/-/api/v1/prefetch`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN}` },
    body: JSON.stringify({ purls }),
    signal: stop.signal,
  });
  let seen = "";
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  while (!seen.includes("quick-1.0.0.tgz")) seen += (await reader.read()).value ?? "";
  stop.abort();
  await reader.closed.catch(() => {});
  released.resolve();
  const again = await ask(sluice, { purls });
  assert.ok(outcomes(again).includes("kept quick-1.0.0.tgz"), outcomes(again).join());
  assert.equal(outcomes(again).length, 2);
  assert.deepEqual(["quick", "slow"].map((name) => registry.downloads(name, "1.0.0")), [1, 1]);
});

Deno.test("POST /prefetch: an organisation's own policy decides, and one that sends clients upstream keeps nothing", async () => {
  const { registry, sluice } = await npmWorld();
  await using _registry = registry;
  await using _sluice = sluice;
  registry.publish({ name: "young", releases: { "1.0.0": { publishedAt: daysAgo(5) } } });
  await sluice.setPolicy({ minimumAge: "3d" }, "acme");
  await sluice.setPolicy({ artifacts: "upstream", minimumAge: "3d" }, "far");
  const body = { purls: ["pkg:npm/young@1.0.0"] };
  assert.deepEqual(outcomes(await ask(sluice, body)), ["refused young-1.0.0.tgz"]);
  const far = await ask(sluice, body, "/o/far");
  assert.deepEqual(outcomes(far), ["failed young-1.0.0.tgz"]);
  assert.match(JSON.stringify(far), /artifacts: upstream/);
  assert.equal(registry.downloads("young", "1.0.0"), 0);
  assert.deepEqual(outcomes(await ask(sluice, body, "/o/acme")), ["filled young-1.0.0.tgz"]);
});

Deno.test("POST /prefetch: an ecosystem that is switched off is none", async () => {
  const file =
    "ecosystems: { npm: { enabled: false } }\nmirror:\n  - { ecosystem: npm, packages: [steady] }\n";
  const env = { SLUICE_UPSTREAM_NPM: "http://127.0.0.1:9", SLUICE_ADMIN_TOKEN: ADMIN };
  await using sluice = await startSluice({ env, file });
  const response = await fetch(`${sluice.url}/-/api/v1/prefetch`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN}` },
    body: JSON.stringify({ purls: ["pkg:npm/steady"] }),
  });
  const { errors } = await response.json();
  assert.deepEqual([response.status, errors[0].field], [400, "body.purls.0"]);
  await sluice.maintain();
  assert.deepEqual(sluice.lines.filter(({ level }) => level !== "debug" && level !== "info"), []);
});

Deno.test("POST /prefetch: of several files those that are locked, or that match, each with its metadata", async () => {
  await using registry = await startPypiRegistry();
  registry.publish({ name: "both", releases: { "1.0.0": { ...OLD, kinds: ["wheel", "sdist"] } } });
  const env = {
    SLUICE_UPSTREAM_PYPI: registry.upstream.url,
    SLUICE_UPSTREAM_PYPI_ALLOWED_HOSTS: registry.files.host,
    SLUICE_ADMIN_TOKEN: ADMIN,
  };
  await using sluice = await startSluice({ env });
  const [wheel, sdist] = ["both-1.0.0-py3-none-any.whl", "both-1.0.0.tar.gz"];
  const dry = await ask(sluice, { purls: ["pkg:pypi/Both@1.0.0"], dryRun: true });
  assert.deepEqual(outcomes(dry), [`wanted ${wheel}`, `wanted ${sdist}`]);
  assert.equal(registry.files.requests.length, 0);

  const page = await fetch(`${sluice.url}/pypi/simple/both/`, {
    headers: { accept: "application/vnd.pypi.simple.v1+json" },
  });
  const { files } = await page.json();
  const { sha256 } = files.find((file: { filename: string }) => file.filename === wheel).hashes;
  const text = `both==1.0.0 --hash=sha256:${sha256} --hash=sha256:${"0".repeat(64)}\n`;
  const locked = await ask(sluice, { lockfiles: [{ name: "requirements.txt", text }] });
  assert.deepEqual(outcomes(locked), [`filled ${wheel}`]);
  assert.deepEqual(
    [wheel, `${wheel}.metadata`, sdist].map((name) => registry.downloads(name)),
    [1, 1, 0],
  );
  const matching = await ask(sluice, { purls: ["pkg:pypi/both@1.0"], files: ["*.tar.gz", "*win32*"] });
  assert.deepEqual(outcomes(matching), [`filled ${sdist}`]);
  const none = `both==1.0.0 --hash=sha256:${"0".repeat(64)}\n`;
  const [, failed] = await ask(sluice, { lockfiles: [{ name: "requirements.txt", text: none }] });
  assert.match(
    failed!.message!,
    /No file of 1\.0\.0 that the registry lists has a digest that is locked \(sha256:0000/,
  );
});

/** What came of each lockfile's one file, with why. */
async function ofLockfiles(
  sluice: TestSluice,
  lockfiles: readonly (readonly [name: string, text: string])[],
) {
  const found: string[] = [];
  for (const [name, text] of lockfiles) {
    const lines = await ask(sluice, { lockfiles: [{ name, text }] });
    const files = lines.filter(({ kind }) => kind === "file");
    found.push(files.map(({ outcome, message }) => `${outcome}: ${message ?? ""}`).join("; "));
  }
  return found;
}

Deno.test("POST /prefetch: a file is held against what its lockfile states, whatever the index states of it", async () => {
  const { registry, sluice } = await npmWorld();
  await using _registry = registry;
  await using _sluice = sluice;
  registry.publish({ name: "steady", releases: { "1.0.0": OLD } });
  const bytes = new TextEncoder().encode("a tarball of which the index has no shasum");
  publishBytes(registry.upstream, "plain", bytes);
  const digest = (algorithm: string, of: Uint8Array) => createHash(algorithm).update(of).digest("hex");
  const yarn = (name: string, lines: string) =>
    `# yarn lockfile v1\n${name}@^1.0.0:\n  version "1.0.0"\n${lines}`;
  const resolved = (name: string, sha1: string) =>
    yarn(name, `  resolved "http://registry.example/${name}/-/${name}-1.0.0.tgz#${sha1}"\n`);
  const sha1 = digest("sha1", createTarball("steady", "1.0.0", OLD));
  const wrong = "0".repeat(40);
  assert.deepEqual(
    await ofLockfiles(sluice, [
      ["yarn.lock", resolved("steady", sha1)],
      ["yarn.lock", resolved("steady", wrong)],
      ["yarn.lock", resolved("steady", "0000")],
      ["yarn.lock", resolved("plain", digest("sha1", bytes))],
      ["yarn.lock", resolved("plain", wrong)],
      ["yarn.lock", yarn("steady", "  integrity sha512-AAAA\n")],
      ["package-lock.json", npmLock("steady", "sha512-AAAA")],
      ["package-lock.json", npmLock("plain", `sha256-${btoa("x".repeat(32))}`)],
      [
        "package-lock.json",
        npmLock("plain", `sha256-${createHash("sha256").update(bytes).digest("base64")}`),
      ],
    ]),
    [
      "filled: ",
      `failed: steady-1.0.0.tgz is locked as sha1:0000000000000000…, but the registry has sha1:${
        sha1.slice(0, 16)
      }…`,
      'failed: 1.0.0 is locked as "#0000", which is no sha1 digest',
      "filled: ",
      `failed: plain-1.0.0.tgz is locked as sha1:0000000000000000…, but what it holds is sha1:${
        digest("sha1", bytes).slice(0, 16)
      }…`,
      'failed: 1.0.0 is locked as "sha512-AAAA", which is no sha512 digest',
      'failed: 1.0.0 is locked as "sha512-AAAA", which is no sha512 digest',
      `failed: plain-1.0.0.tgz is locked as sha256:7878787878787878…, but what it holds is sha256:${
        digest("sha256", bytes).slice(0, 16)
      }…`,
      "kept: ",
    ],
  );
  // A line that wants all of the release takes nothing away from what another locks of it.
  const both = await ask(sluice, {
    purls: ["pkg:npm/steady@1.0.0"],
    lockfiles: [{ name: "yarn.lock", text: resolved("steady", wrong) }],
  });
  assert.deepEqual(outcomes(both), ["failed steady-1.0.0.tgz"]);
});

function npmLock(name: string, integrity: string): string {
  const packages = { [`node_modules/${name}`]: { version: "1.0.0", integrity } };
  return JSON.stringify({ lockfileVersion: 3, packages });
}

Deno.test("POST /prefetch: of the hashes of a line one is enough, of which none that says nothing is one", async () => {
  await using registry = await startPypiRegistry();
  registry.publish({ name: "one", releases: { "1.0.0": OLD } });
  const env = {
    SLUICE_UPSTREAM_PYPI: registry.upstream.url,
    SLUICE_UPSTREAM_PYPI_ALLOWED_HOSTS: registry.files.host,
    SLUICE_ADMIN_TOKEN: ADMIN,
  };
  await using sluice = await startSluice({ env });
  const { files: [file] } = await (await fetch(`${sluice.url}/pypi/simple/one/`, {
    headers: { accept: "application/vnd.pypi.simple.v1+json" },
  })).json();
  const { filename, hashes: { sha256 } } = file;
  const other = "0".repeat(64);
  const line = (...hashes: readonly string[]) =>
    ["requirements.txt", `one==1.0.0 ${hashes.map((hash) => `--hash=${hash}`).join(" ")}\n`] as const;
  const md5 = `md5:${"a".repeat(32)}`;
  assert.deepEqual(
    await ofLockfiles(sluice, [
      line(`sha256:${sha256}`, `sha256:${other}`),
      line(`sha256:${other}`, `sha256:${sha256}`, md5, "sha256:dead"),
      line("sha256:dead", md5),
      line(md5),
      line(`sha512:${"0".repeat(128)}`),
      [
        "poetry.lock",
        `[[package]]\nname = "one"\nversion = "1.0.0"\nfiles = [{file = "${filename}", hash = "sha256:dead"}]\n`,
      ],
    ]).then((all) => all.map((each) => each.replace(/sha512:(?!0000)\w+…$/, "sha512:own"))),
    [
      "filled: ",
      "kept: ",
      'failed: 1.0.0 is locked as "sha256:dead", which is no sha256 digest',
      `failed: 1.0.0 is locked as "${md5}", which cannot be checked (only sha1, sha256, sha384, sha512 can)`,
      `failed: ${filename} is locked as sha512:0000000000000000…, but what it holds is sha512:own`,
      `failed: ${filename} is locked as "sha256:dead", which is no sha256 digest`,
    ],
  );
});
