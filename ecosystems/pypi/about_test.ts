import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import type { UpstreamDocument } from "../ecosystem.ts";
import { aboutProject } from "./legacy.ts";

function legacy(text: string, status: 200 | 404 = 200): UpstreamDocument {
  const url = "http://registry.example/pypi/x/json";
  const body = new TextEncoder().encode(text);
  return { key: "legacy", status, contentType: "application/json", body, fetchedAt: 0 as EpochMs, url };
}

Deno.test("pypi.about: the summary of the legacy JSON; what cannot be read, is absent or is large says nothing", () => {
  const whole = '{"info":{"summary":"A library"},"urls":[]}';
  assert.equal(aboutProject([legacy(whole)]), "A library");
  assert.equal(aboutProject([]), null);
  assert.equal(aboutProject([legacy(whole, 404)]), null);
  for (const text of ["{", "[]", "{}", '{"info":[]}', '{"info":{"summary":null}}']) {
    assert.equal(aboutProject([legacy(text)]), null, text);
  }
  assert.equal(aboutProject([legacy(whole + " ".repeat(2 ** 20))]), null);
});
