import assert from "node:assert/strict";
import plugin from "./imports.ts";

function hits(file: string, source: string): readonly string[] {
  return Deno.lint.runPlugin(plugin, file, source).map(({ id }) => id.replace("sluice/", ""));
}

/** Importer, specifier, whether only types are imported, whether it is allowed. */
const IMPORTS: readonly (readonly [string, string, "type" | "value", boolean])[] = [
  ["main.ts", "./cli/compose.ts", "value", true],
  ["main.ts", "./ecosystems/mod.ts", "value", true],
  ["routes/app.ts", "../ecosystems/outcome.ts", "value", true],
  ["routes/app.ts", "../ecosystems/npm/npm.ts", "value", false],
  ["routes/app.ts", "../cli/config.ts", "type", false],
  ["routes/app.ts", "../main.ts", "value", false],
  ["cli/compose.ts", "../routes/app.ts", "value", true],
  ["cli/compose.ts", "../ecosystems/mod.ts", "value", true],
  ["cli/compose.ts", "../ecosystems/npm/npm.ts", "value", false],
  ["cli/version.ts", "../deno.json", "value", true],
  ["ecosystems/pipeline.ts", "../storage/fill.ts", "value", true],
  ["ecosystems/pipeline.ts", "../policy/resolve.ts", "value", true],
  ["ecosystems/pipeline.ts", "./npm/npm.ts", "value", false],
  ["ecosystems/pipeline.ts", "../routes/app.ts", "type", false],
  ["ecosystems/mod.ts", "./npm/npm.ts", "value", true],
  ["ecosystems/_pipeline/load.ts", "../npm/npm.ts", "type", false],
  ["ecosystems/npm/npm.ts", "../ecosystem.ts", "value", true],
  ["ecosystems/npm/npm.ts", "../_shared/time.ts", "value", true],
  ["ecosystems/npm/npm.ts", "../../policy/types.ts", "value", true],
  ["ecosystems/npm/npm.ts", "./render.ts", "value", true],
  ["ecosystems/npm/npm.ts", "../pypi/pypi.ts", "value", false],
  ["ecosystems/npm/npm.ts", "../../policy/decide.ts", "value", false],
  ["ecosystems/npm/npm.ts", "../../storage/fill.ts", "type", false],
  ["ecosystems/npm/npm.ts", "../pipeline.ts", "type", false],
  ["ecosystems/npm/npm.ts", "node:fs", "value", false],
  ["ecosystems/npm/npm.ts", "node:zlib", "value", true],
  ["ecosystems/npm/npm_test.ts", "../../storage/fill.ts", "value", true],
  ["ecosystems/npm/npm.ts", "./npm_test.ts", "value", false],
  ["ecosystems/npm/sample.ts", "../../tests/contract/sample.ts", "type", true],
  ["ecosystems/npm/npm.ts", "./sample.ts", "value", false],
  ["ecosystems/_shared/time.ts", "../npm/npm.ts", "value", false],
  ["storage/fill.ts", "../policy/types.ts", "value", true],
  ["storage/organisations.ts", "../policy/config.ts", "type", true],
  ["storage/organisations.ts", "../policy/decide.ts", "type", false],
  ["storage/upstream/upstream.ts", "../../ecosystems/ecosystem.ts", "type", true],
  ["storage/upstream/upstream.ts", "../../ecosystems/pipeline.ts", "value", false],
  ["storage/kv/kv.ts", "../../routes/app.ts", "value", false],
  ["policy/decide.ts", "./types.ts", "value", true],
  ["policy/decide.ts", "zod", "value", true],
  ["policy/decide.ts", "undici", "value", false],
  ["policy/decide.ts", "../ecosystems/ecosystem.ts", "type", false],
  ["storage/fill.ts", "../tests/fakes/clock.ts", "value", false],
];

Deno.test("one-way-imports: each layer may import what is below it, and nothing else", () => {
  for (const [from, to, kind, allowed] of IMPORTS) {
    const forms = kind === "type"
      ? [
        `import type { x } from "${to}";`,
        `import { type x } from "${to}";`,
        `export type { x } from "${to}";`,
      ]
      : [
        `import { x } from "${to}";`,
        `export { x } from "${to}";`,
        `export * from "${to}";`,
        `import("${to}");`,
      ];
    for (const source of forms) {
      const expected = allowed ? [] : ["one-way-imports"];
      assert.deepEqual(hits(from, source), expected, `${from}: ${source}`);
    }
  }
});

Deno.test("one-way-imports: a value from where only types may come is refused", () => {
  assert.deepEqual(hits("storage/organisations.ts", `import { parsePolicy } from "../policy/config.ts";`), [
    "one-way-imports",
  ]);
  const mixed = `import { parsePolicy, type PolicyDocument } from "../policy/config.ts";`;
  assert.deepEqual(hits("storage/organisations.ts", mixed), ["one-way-imports"]);
});

Deno.test("one-way-imports: an absolute file name is the same file", () => {
  const file = new URL("../../policy/decide.ts", import.meta.url);
  assert.deepEqual(hits(file.pathname, `import "../storage/fill.ts";`), ["one-way-imports"]);
});

Deno.test("no-default-export: refused everywhere but in the plugin itself", () => {
  assert.deepEqual(hits("policy/decide.ts", "export default 1;"), ["no-default-export"]);
  assert.deepEqual(hits("cli/io.ts", "export default function f() {}"), ["no-default-export"]);
  assert.deepEqual(hits("tests/lint/imports.ts", "export default 1;"), []);
});

Deno.test("no-ambient-clock-or-env: only main.ts, cli/ and storage/timers.ts read the world", () => {
  for (const source of ["Date.now();", "f(Date.now);", "new Date();", "Date();", "Deno.env.get('A');"]) {
    for (const file of ["storage/fill.ts", "routes/app.ts", "ecosystems/npm/npm.ts", "policy/decide.ts"]) {
      assert.deepEqual(hits(file, source), ["no-ambient-clock-or-env"], `${file}: ${source}`);
    }
    for (const file of ["main.ts", "cli/io.ts", "storage/timers.ts", "storage/fill_test.ts"]) {
      assert.deepEqual(hits(file, source), [], `${file}: ${source}`);
    }
  }
  assert.deepEqual(hits("storage/fill.ts", "new Date(now); Deno.open('x');"), []);
  assert.deepEqual(hits("policy/decide.ts", "Deno.readTextFileSync('x');"), ["no-ambient-clock-or-env"]);
});

Deno.test("no-module-state: a module holds no variable", () => {
  assert.deepEqual(hits("cli/io.ts", "let a = 1;"), ["no-module-state"]);
  assert.deepEqual(hits("cli/io.ts", "export let a = 1;"), ["no-module-state"]);
  assert.deepEqual(hits("cli/io.ts", "var a = 1;"), ["no-module-state"]);
  assert.deepEqual(hits("cli/io.ts", "const a = 1; function f() { let b = a; return b; }"), []);
});
