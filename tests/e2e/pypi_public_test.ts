/** The public index, where this machine reaches it (or a mirror of it); else every test here skips and says so. */
import assert from "node:assert/strict";
import { MEDIA_TYPES } from "../../ecosystems/pypi/accept.ts";
import { pypi } from "../../ecosystems/pypi/pypi.ts";
import { startSluice } from "../fakes/sluice.ts";
import { createPythonProject } from "./pypi_client.ts";
import { findPythonProgram, type PythonClient } from "./pypi_programs.ts";
import { unreachable } from "./reach.ts";

const DAY = Date.UTC(2026, 10, 20);
/** A proxy that refuses every connection: upstream is gone, its address stays the same. */
const GONE = { HTTPS_PROXY: "http://127.0.0.1:9" };

const away = await unreachable(new URL("simple/six/", pypi.upstreams.index));

for (const client of ["pip-machine", "pip", "uv"] as const) {
  await publicTest(
    client,
    "flask, requests and numpy, cold, then with upstream switched off",
    (client) => coldThenOffline(client, ["flask", "requests", "werkzeug", "numpy"]),
  );
}
for (const client of ["poetry", "pdm"] as const) {
  await publicTest(
    client,
    "flask and requests, cold, then with upstream switched off",
    (client) => coldThenOffline(client, ["flask", "requests", "werkzeug"]),
  );
}
await publicTest("uv", "numpy's wheel whole, in part, and its metadata alone", numpyInParts);

async function publicTest(
  client: PythonClient,
  criterion: string,
  test: (client: PythonClient) => Promise<void>,
): Promise<void> {
  const found = await findPythonProgram(client) !== null;
  const why = away !== null
    ? " (skipped: the public index cannot be reached)"
    : found
    ? ""
    : ' (skipped: run "deno task clients" first)';
  Deno.test({
    name: `${client}: real projects from the public index: ${criterion}${why}`,
    ignore: why !== "",
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () => test(client),
  });
}

/** `names`: what is then installed; werkzeug comes with flask. */
async function coldThenOffline(client: PythonClient, names: readonly string[]): Promise<void> {
  await using sluice = await startSluice({ env: {}, now: DAY });
  await using project = await createPythonProject({
    client,
    index: `${sluice.url}/pypi/simple/`,
    user: "ada",
    dependencies: ["flask>=3,<4", "requests>=2.30", ...(names.includes("numpy") ? ["numpy<2.3"] : [])],
  });
  const cold = await project.install();
  if (Deno.env.get("SLUICE_SHOW")) console.log(`--- ${client} public\n${cold.output.trim()}`);
  assert.equal(cold.code, 0, cold.output);
  for (const name of names) {
    assert.notEqual(await project.installed(name), null, name);
  }
  const first = await sluice.installs();
  assert.ok(first.length >= 10 && first.every(({ user }) => user === "ada"));
  // Of a wheel that has no metadata beside it uv reads a part.
  const inPart = first.filter(({ outcome }) => outcome !== "served");
  assert.ok(inPart.every((record) => `${record.package} ${record.outcome}` === "numpy partial"));

  await sluice.restart(GONE);
  sluice.advance(3 * 60 * 60_000);
  await project.forget();
  const warm = client === "pip-machine" ? await project.install() : await project.sync();
  assert.equal(warm.code, 0, warm.output);
  for (const name of names) {
    assert.notEqual(await project.installed(name), null, name);
  }
  // With a cold cache of its own: every index and every metadata is asked for again.
  if (client === "uv") assert.equal((await project.run("lock", "--check")).code, 0);
  const hits = (await sluice.installs()).slice(0, -first.length).filter(({ cache }) => cache === "hit");
  assert.ok(hits.length >= 10, `${hits.length} files came from the cache`);
  if (client !== "pip-machine") assert.doesNotMatch(await project.lockfile(), /YWRh|ada:|ada@/);
}

interface Listed {
  readonly filename: string;
  readonly url: string;
  readonly hashes: { readonly sha256?: string };
  readonly size?: number;
  readonly "upload-time"?: string;
  readonly "core-metadata"?: unknown;
}

async function numpyInParts(): Promise<void> {
  await using sluice = await startSluice({ env: {}, now: DAY });
  const page = `${sluice.url}/pypi/simple/numpy/`;
  const { files } = await json(page);
  assert.ok(
    files.length > 1_000 && files.every((file) => file["upload-time"] !== undefined),
    `${files.length}`,
  );
  const wheel = files.findLast(({ filename }) => /-cp311-cp311-manylinux.*x86_64\.whl$/.test(filename))!;
  const url = new URL(wheel.url, page);
  const part = await fetch(url, { headers: { range: "bytes=-65536" } });
  assert.equal(part.status, 206);
  const end = new Uint8Array(await part.arrayBuffer());
  const whole = new Uint8Array(await (await fetch(url)).arrayBuffer());
  assert.deepEqual(end, whole.slice(-65_536));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole)).toHex();
  assert.equal(digest, wheel.hashes.sha256);
  const metadata = await fetch(`${url}.metadata`);
  const text = await metadata.text();
  if (wheel["core-metadata"]) assert.equal(metadata.status, 200, text);
  if (metadata.status === 200) assert.match(text, /^Name: numpy$/m);
}

async function json(page: string): Promise<{ readonly files: readonly Listed[] }> {
  const response = await fetch(page, { headers: { accept: MEDIA_TYPES.json } });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), MEDIA_TYPES.json);
  return await response.json();
}
