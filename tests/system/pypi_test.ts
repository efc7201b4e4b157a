/** A whole Sluice before a Python index: its documents, its hosts, its names. */
import assert from "node:assert/strict";
import { MEDIA_TYPES } from "../../ecosystems/pypi/accept.ts";
import { type FakePypiOptions, type FakePypiRegistry, startPypiRegistry } from "../fakes/pypi_registry.ts";
import { daysAgo, startSluice, type TestSluice } from "../fakes/sluice.ts";

interface World extends AsyncDisposable {
  readonly registry: FakePypiRegistry;
  readonly sluice: TestSluice;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<{
    readonly status: number;
    readonly headers: Headers;
    readonly text: string;
  }>;
  /** The versions that a page offers. */
  offered(name: string): Promise<readonly string[]>;
}

async function startWorld(
  options: FakePypiOptions & { readonly allowsFiles?: boolean } = {},
): Promise<World> {
  const registry = await startPypiRegistry(options);
  const sluice = await startSluice({
    env: {
      SLUICE_UPSTREAM_PYPI: registry.upstream.url,
      ...(options.allowsFiles === false ? {} : { SLUICE_UPSTREAM_PYPI_ALLOWED_HOSTS: registry.files.host }),
    },
  });
  async function get(path: string, headers: Readonly<Record<string, string>> = {}) {
    const response = await fetch(`${sluice.url}${path}`, { headers, redirect: "manual" });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
  return {
    registry,
    sluice,
    get,
    async offered(name) {
      const { text } = await get(`/pypi/simple/${name}/`, { accept: MEDIA_TYPES.json });
      return JSON.parse(text).versions;
    },
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

const OLD = { publishedAt: daysAgo(100) };
const WHEEL = "foo_bar-1.0-py3-none-any.whl";

Deno.test("pypi: a legacy JSON that fails is not one that says nothing: 502 until it answers", async () => {
  await using world = await startWorld({ speaks: "html" });
  world.registry.publish({ name: "foo-bar", releases: { "1.0": OLD } });
  await world.sluice.setPolicy({ unknownAge: "allow" });
  world.registry.upstream.answer("/pypi/foo-bar/json", { status: 503, times: 3 });
  const failed = await world.get("/pypi/simple/foo-bar/");
  assert.equal(failed.status, 502, failed.text);
  assert.ok(!failed.text.includes(WHEEL));
  assert.deepEqual(await world.offered("foo-bar"), ["1.0"]);
});

Deno.test("pypi: an HTML page without any legacy JSON works, and what has no date is undated", async () => {
  await using world = await startWorld({ speaks: "html", withoutLegacy: true });
  world.registry.publish({ name: "foo-bar", releases: { "1.0": OLD } });
  await world.sluice.setPolicy({ unknownAge: "deny" });
  assert.deepEqual(await world.offered("foo-bar"), []);
  await world.sluice.setPolicy({ unknownAge: "allow" });
  assert.deepEqual(await world.offered("foo-bar"), ["1.0"]);
  const file = await world.get(`/pypi/packages/foo-bar/${WHEEL}`);
  assert.equal(file.status, 200);
});

Deno.test("pypi: files and what stands beside them come from the host that the page names, if it is allowed", async () => {
  await using world = await startWorld();
  const { files } = world.registry.publish({ name: "foo-bar", releases: { "1.0": OLD } });
  const file = await world.get(`/pypi/packages/foo-bar/${WHEEL}`);
  assert.equal(file.status, 200);
  const metadata = await world.get(`/pypi/packages/foo-bar/${WHEEL}.metadata`);
  assert.equal(metadata.status, 200);
  assert.equal(metadata.text, new TextDecoder().decode(files[0]!.metadata!));
  await world.get(`/pypi/packages/foo-bar/${WHEEL}.metadata`);
  assert.equal(world.registry.downloads(`${WHEEL}.metadata`), 1, "kept");
  const installs = await world.sluice.installs();
  assert.deepEqual(installs.map((install) => install.file), [WHEEL], "a look at its metadata is no install");

  await using strict = await startWorld({ allowsFiles: false });
  strict.registry.publish({ name: "foo-bar", releases: { "1.0": OLD } });
  assert.deepEqual(await strict.offered("foo-bar"), ["1.0"]);
  for (const suffix of ["", ".metadata"]) {
    const refused = await strict.get(`/pypi/packages/foo-bar/${WHEEL}${suffix}`);
    assert.equal(refused.status, 502, suffix);
  }
  assert.equal(strict.registry.files.requests.length, 0);
});

Deno.test("pypi: metadata has the verdict of its file", async () => {
  await using world = await startWorld();
  world.registry.publish({ name: "foo-bar", releases: { "1.0": OLD } });
  await world.sluice.setPolicy({ block: ["pypi/foo-bar==1.0"] });
  for (const agent of ["pip/26.3", "curl/8"]) {
    const { status, headers, text } = await world.get(`/pypi/packages/foo-bar/${WHEEL}.metadata`, {
      "user-agent": agent,
    });
    assert.equal(status, agent === "curl/8" ? 403 : 302, text);
    assert.ok(headers.get("x-sluice-decision"));
  }
  assert.equal(world.registry.files.requests.length, 0);
});

for (const options of [{}, { speaks: "html" }] as const) {
  Deno.test(`pypi: metadata that is not what the page says it is: 502, not kept ${JSON.stringify(options)}`, async () => {
    await using world = await startWorld(options);
    const { files: [file] } = world.registry.publish({ name: "foo-bar", releases: { "1.0": OLD } });
    const honest = file!.metadata!;
    const headers = { "content-type": "text/plain" };
    // Of the same length: only the digest can tell.
    const forged = new TextEncoder().encode(new TextDecoder().decode(honest).replace("A sample", "Exampled"));
    assert.equal(forged.byteLength, honest.byteLength);
    world.registry.files.answer(`/${file!.path}.metadata`, { body: forged, headers });
    for (let i = 0; i < 2; i++) {
      const refused = await world.get(`/pypi/packages/foo-bar/${WHEEL}.metadata`);
      assert.equal(refused.status, 502, refused.text);
      assert.ok(!refused.text.includes("Exampled"));
    }
    assert.equal(world.registry.downloads(`${WHEEL}.metadata`), 2, "asked for anew");
    world.registry.files.answer(`/${file!.path}.metadata`, { body: honest, headers });
    const mended = await world.get(`/pypi/packages/foo-bar/${WHEEL}.metadata`);
    assert.equal(mended.text, new TextDecoder().decode(honest));
  });
}

Deno.test("pypi: other spellings of a name lead to the page's own address", async () => {
  await using world = await startWorld();
  world.registry.publish({ name: "foo-bar", releases: { "1.0": OLD } });
  const to = async (path: string) => {
    const { status, headers } = await world.get(path);
    return `${status} ${headers.get("location")?.replace(world.sluice.url, "")}`;
  };
  assert.equal(await to("/pypi/simple/Foo_Bar/"), "301 /pypi/simple/foo-bar/");
  assert.equal(await to("/pypi/simple/foo-bar"), "301 /pypi/simple/foo-bar/");
  assert.equal(await to("/pypi/foo.bar"), "301 /pypi/foo-bar/");
  assert.equal(await to("/pypi/simple"), "301 /pypi/simple/");
  assert.equal(await to("/o/default/pypi/simple/FOO-BAR/"), "301 /o/default/pypi/simple/foo-bar/");
  assert.equal(
    await to("/pypi/simple/Foo_Bar/?format=text%2Fhtml"),
    "301 /pypi/simple/foo-bar/?format=text%2Fhtml",
  );
  assert.equal(world.registry.upstream.requests.length, 0, "upstream untouched");
});

Deno.test("pypi: overrides by purl, glob, short form and VERS range, in PEP 440's order and any spelling", async () => {
  await using world = await startWorld();
  const versions = ["1.0rc1", "1.0", "1.0.post1", "1.9", "1.10", "1!0.5"];
  world.registry.publish({
    name: "foo-bar",
    releases: Object.fromEntries(versions.map((version) => [version, OLD])),
  });
  const table: [policy: Readonly<Record<string, unknown>>, withheld: readonly string[]][] = [
    [{}, []],
    [{ block: ["pypi/Foo_Bar==1.0.0"] }, ["1.0"]],
    [{ block: ["pypi/foo.bar"] }, versions],
    [{ block: ["pypi/foo-*==1.10"] }, ["1.10"]],
    [{ overrides: [{ effect: "deny", purl: "pkg:pypi/Foo_Bar@1.9" }] }, ["1.9"]],
    [
      { overrides: [{ effect: "deny", purl: "pkg:pypi/foo-bar", range: "vers:pypi/>=1.0|<1.10" }] },
      ["1.0", "1.0.post1", "1.9"],
    ],
    [{ overrides: [{ effect: "deny", purl: "pkg:pypi/foo-bar", range: "vers:pypi/>1.10" }] }, ["1!0.5"]],
    [{ block: ["pypi/*"], allow: ["pypi/foo-bar==1.9"] }, versions.filter((version) => version !== "1.9")],
  ];
  for (const [policy, withheld] of table) {
    await world.sluice.setPolicy(policy);
    assert.deepEqual(
      await world.offered("foo-bar"),
      versions.filter((version) => !withheld.includes(version)),
      JSON.stringify(policy),
    );
    for (const version of versions) {
      const { status } = await world.get(`/pypi/packages/foo-bar/foo_bar-${version}-py3-none-any.whl`);
      assert.equal(status, withheld.includes(version) ? 403 : 200, `${version} ${JSON.stringify(policy)}`);
    }
  }
});

Deno.test("pypi: a wheel that joins an old release is as young as it is", async () => {
  await using world = await startWorld();
  const project = world.registry.publish({
    name: "foo-bar",
    releases: { "1.0": { ...OLD, kinds: ["sdist", "wheel"] } },
  });
  const page = JSON.parse(new TextDecoder().decode(project.json));
  page.files[1]["upload-time"] = daysAgo(1);
  const body = JSON.stringify(page);
  world.registry.upstream.answer("/simple/foo-bar/", () => ({
    body,
    headers: { "content-type": MEDIA_TYPES.json },
  }));
  const { text } = await world.get("/pypi/simple/foo-bar/", { accept: MEDIA_TYPES.json });
  const { files, versions } = JSON.parse(text);
  assert.deepEqual(files.map((file: { filename: string }) => file.filename), ["foo_bar-1.0.tar.gz"]);
  assert.deepEqual(versions, ["1.0"]);
  assert.equal((await world.get(`/pypi/packages/foo-bar/${WHEEL}`)).status, 403);
});

Deno.test("pypi: a why page answers for any spelling of a name", async () => {
  await using world = await startWorld();
  world.registry.publish({ name: "foo-bar", releases: { "1.0": { publishedAt: daysAgo(1) } } });
  assert.deepEqual(await world.offered("foo-bar"), []);
  for (const name of ["foo-bar", "Foo_Bar"]) {
    const { status, text } = await world.get(`/-/why/pkg:pypi/${name}@1.0`);
    assert.ok(status === 200 || status === 403, `${status} ${text.slice(0, 200)}`);
    assert.match(text, /minimumAge/);
  }
});
