import assert from "node:assert/strict";
import type { UpstreamDocument } from "../ecosystem.ts";
import type { EpochMs } from "../../policy/types.ts";
import { npm } from "./npm.ts";

function aboutOf(fields: Readonly<Record<string, unknown>>): string | null {
  const packument = { name: "x", ...fields, versions: { "1.0.0": { name: "x", version: "1.0.0" } } };
  const document: UpstreamDocument = {
    key: "packument",
    status: 200,
    contentType: "application/json",
    body: new TextEncoder().encode(JSON.stringify(packument)),
    fetchedAt: 0 as EpochMs,
    url: "http://registry.example/x",
  };
  const reading = [...npm.read({ kind: "package", name: "x" }, [document])].find((each) =>
    each !== undefined
  )!;
  return npm.about!([document], reading);
}

Deno.test("npm.about: the packument's own description, as text alone; a release's is none", () => {
  assert.equal(aboutOf({ description: 'Says "hé" \u2028 twice' }), 'Says "hé" \u2028 twice');
  for (const description of [undefined, null, 7, ["a"], { a: "b" }]) {
    assert.equal(aboutOf({ description }), null);
  }
  assert.equal(aboutOf({ descriptions: "longer key", readme: '"description":"no"' }), null);
});
