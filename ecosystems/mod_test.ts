import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ECOSYSTEMS } from "./mod.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const SOURCE = /\.(?:ts|tsx|md|json|ya?ml)$|\/run$/;
const NOT_OURS: ReadonlySet<string> = new Set([".git", ".cache", "data", "node_modules", "deno.lock"]);

Deno.test("ECOSYSTEMS lists exactly the folders of ecosystems/ that begin with no underscore", async () => {
  const folders: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}ecosystems`)) {
    if (isDirectory && !name.startsWith("_")) folders.push(name);
  }
  assert.deepEqual(ECOSYSTEMS.map(({ id }) => id).toSorted(), folders.toSorted());
});

Deno.test("ECOSYSTEMS have ids, titles and purl types of their own, and ids that can be mounted", () => {
  for (const field of ["id", "title", "purlType"] as const) {
    const values = ECOSYSTEMS.map((ecosystem) => ecosystem[field].toLowerCase());
    assert.equal(new Set(values).size, values.length, field);
  }
  // A purl type that is another's id would make a policy's "id/name" mean two things.
  for (const { id, purlType } of ECOSYSTEMS) {
    assert.match(id, /^[a-z][a-z0-9-]*$/);
    assert.ok(ECOSYSTEMS.every((other) => other.id === id || other.id !== purlType), purlType);
  }
});

Deno.test("ECOSYSTEMS are frozen, through and through", () => {
  assert.ok(Object.isFrozen(ECOSYSTEMS));
  for (const ecosystem of ECOSYSTEMS) {
    assert.ok(Object.isFrozen(ecosystem), ecosystem.id);
    for (const [key, value] of Object.entries(ecosystem)) {
      const isOpen = typeof value === "object" && value !== null && !Object.isFrozen(value);
      assert.ok(!isOpen, `${ecosystem.id}.${key} is not frozen`);
    }
  }
});

Deno.test("ECOSYSTEMS set up every client with the mount that they are given", () => {
  for (const { id, setup } of ECOSYSTEMS) {
    const base = `http://sluice.example:8080/o/acme/${id}`;
    const lines = setup(base);
    assert.ok(lines.length > 0, id);
    for (const { client, line } of lines) assert.ok(line.includes(base), `${client}: ${line}`);
  }
});

Deno.test("no ecosystem imports another, nor anything of one but its own folder", async () => {
  const ids = ECOSYSTEMS.map(({ id }) => id);
  for await (const { path, text } of sources("ecosystems")) {
    const own = /^ecosystems\/([^/]+)\//.exec(path)?.[1];
    if (path === "ecosystems/mod.ts" || !path.endsWith(".ts") || path.endsWith("_test.ts")) continue;
    for (const [, specifier = ""] of text.matchAll(/(?:from|import\()\s*["'`](\.[^"'`]+)["'`]/g)) {
      const to = new URL(specifier, `file:///${path}`).pathname.slice(1);
      const other = ids.find((id) => to.startsWith(`ecosystems/${id}/`));
      assert.ok(other === undefined || other === own, `${path} imports ${to}`);
    }
  }
});

Deno.test("a default upstream's address stands in its ecosystem's own folder and nowhere else", async () => {
  const hosts = ECOSYSTEMS.flatMap(({ id, upstreams }) =>
    Object.values(upstreams).map((url) => {
      assert.match(url, /^https:\/\/[^/?#]+\/(?:[^?#]*\/)?$/, `${id}: a root ends with a slash`);
      return { id, host: new URL(url).host };
    })
  );
  const strayed: string[] = [];
  const found = new Set<string>();
  for await (const { path, text } of sources("")) {
    for (const { id, host } of hosts) {
      if (!text.includes(host)) continue;
      if (path.startsWith(`ecosystems/${id}/`)) found.add(host);
      else strayed.push(`${path} names ${host}`);
    }
  }
  assert.deepEqual(strayed, []);
  assert.deepEqual(found, new Set(hosts.map(({ host }) => host)), "the scan sees what it looks for");
});

/** Every text of the repository below a folder, by its path in it. */
async function* sources(
  folder: string,
): AsyncGenerator<{ readonly path: string; readonly text: string }> {
  for await (const { name, isDirectory } of Deno.readDir(ROOT + folder)) {
    if (NOT_OURS.has(name)) continue;
    const path = folder === "" ? name : `${folder}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (SOURCE.test(path)) yield { path, text: await Deno.readTextFile(ROOT + path) };
  }
}
