import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);

Deno.test("tests/README: every test file it names is there", async () => {
  const text = await Deno.readTextFile(new URL("tests/README.md", ROOT));
  const named = [...text.matchAll(/`([\w./]+_test\.tsx?)`/g)].map((match) => match[1]!);
  assert.ok(named.length > 60, String(named.length));
  const there = await Array.fromAsync(testsBelow(""));
  const missing = named.filter((name) => !there.some((path) => path === name || path.endsWith(`/${name}`)));
  assert.deepEqual([...new Set(missing)], []);
});

async function* testsBelow(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder === "" ? "." : folder, ROOT))) {
    if (entry.name.startsWith(".") || entry.name === "data" || entry.name === "node_modules") continue;
    if (entry.isDirectory) yield* testsBelow(`${folder}${entry.name}/`);
    else if (entry.name.includes("_test.ts")) yield folder + entry.name;
  }
}
