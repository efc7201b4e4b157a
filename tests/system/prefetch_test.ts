import assert from "node:assert/strict";
import { createTarball, startNpmRegistry } from "../fakes/npm_registry.ts";
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
