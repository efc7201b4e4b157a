import assert from "node:assert/strict";
import { SAMPLE } from "../routes/testing.ts";
import type { UpstreamConfig } from "../storage/upstream/config.ts";
import { allUpstreams } from "./default_upstreams.ts";

function configured(given: Partial<UpstreamConfig>): UpstreamConfig {
  return {
    ecosystem: SAMPLE.id,
    key: "registry",
    url: "http://mirror.example/",
    match: [],
    allowedHosts: [],
    credentials: null,
    organisations: null,
    ...given,
  };
}

Deno.test("allUpstreams: the ecosystem's own stands in exactly where nobody configured a catch-all for all", () => {
  const table: [string, readonly UpstreamConfig[], readonly string[]][] = [
    ["nothing configured", [], ["http://registry.example/"]],
    ["a catch-all", [configured({})], ["http://mirror.example/"]],
    ["a pattern", [configured({ match: ["@acme/*"] })], [
      "http://mirror.example/",
      "http://registry.example/",
    ]],
    ["some organisations", [configured({ organisations: ["acme"] })], [
      "http://mirror.example/",
      "http://registry.example/",
    ]],
    ["another key", [configured({ key: "files" })], ["http://mirror.example/", "http://registry.example/"]],
    ["another ecosystem", [configured({ ecosystem: "x" })], [
      "http://mirror.example/",
      "http://registry.example/",
    ]],
  ];
  for (const [name, given, expected] of table) {
    assert.deepEqual(allUpstreams([SAMPLE], given).map(({ url }) => url), expected, name);
  }
});
