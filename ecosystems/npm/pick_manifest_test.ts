import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { npm } from "./npm.ts";
import { documentOf, indexAsk, LINKS, materialOf, readAll, textOf } from "./test_support.ts";
import { samplePackage } from "./testing.ts";

type PickManifest = (
  packument: unknown,
  wanted: string,
  options?: Record<string, unknown>,
) => { version: string };

/** npm's own choice of a version, from the npm on this machine. */
function load(): PickManifest | null {
  const places = ["/usr/lib/node_modules", "/usr/local/lib/node_modules", "/opt/node/lib/node_modules"];
  for (const place of places) {
    try {
      return createRequire(`${place}/npm/package.json`)("npm-pick-manifest");
    } catch {
      continue;
    }
  }
  return null;
}

const pick = load();

function packumentWithout(variant: string, hidden: readonly string[]) {
  const sample = samplePackage({
    name: "x",
    versions: ["1.0.0", "1.1.0", "2.0.0"].map((version) => ({ version })),
    tags: { latest: "2.0.0", next: "2.0.0" },
  });
  const document = documentOf(sample.json, "http://registry.example/x");
  const rendered = npm.render(
    indexAsk("x", variant),
    materialOf(document, readAll("x", document), hidden),
    LINKS,
  );
  return JSON.parse(textOf(rendered!.body));
}

for (const variant of ["full", "abbreviated"]) {
  Deno.test({
    name: `npm-pick-manifest takes the newest that is offered, from ${variant}`,
    ignore: pick === null,
    fn() {
      const packument = packumentWithout(variant, ["2.0.0"]);
      for (const wanted of ["", "latest", "*", "^1.0.0", ">=1"]) {
        assert.equal(pick!(packument, wanted).version, "1.1.0", wanted);
      }
      assert.equal(pick!(packument, "^1.0.0", { before: new Date("2021-01-01") }).version, "1.1.0");
    },
  });

  Deno.test({
    name: `npm-pick-manifest says why where only withheld releases match, from ${variant}`,
    ignore: pick === null,
    fn() {
      const some = packumentWithout(variant, ["2.0.0"]);
      const none = packumentWithout(variant, ["1.0.0", "1.1.0", "2.0.0"]);
      const rows: [unknown, string][] = [[some, "2.0.0"], [some, "^2.0.0"], [none, ""], [none, "*"], [
        none,
        "1.0.0",
      ]];
      for (const [packument, wanted] of rows) {
        assert.throws(
          () => pick!(packument, wanted),
          (error: Error & { code?: string }) =>
            error.code === "E403" && error.message.includes("withheld: 2.0.0"),
          wanted,
        );
      }
      assert.throws(() => pick!(some, "^3.0.0"), { code: "ETARGET" });
    },
  });
}
