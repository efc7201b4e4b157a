import assert from "node:assert/strict";
import { createHostTable, loopbackHosts, matchHost } from "./host.ts";

Deno.test("matchHost: the base's host with its port, one label before it, and nothing else", () => {
  const table = createHostTable(new URL("https://Sluice.Test/x"), ["localhost:8080"]);
  const rows: readonly (readonly [string, string, string | null])[] = [
    ["sluice.test", "known", null],
    ["SLUICE.TEST:443", "known", null],
    ["localhost:8080", "known", null],
    ["acme.sluice.test", "known", "acme"],
    ["ACME.sluice.test:443", "known", "acme"],
    ["acme.sluice.test:80", "unknown", null],
    ["a.acme.sluice.test", "unknown", null],
    ["a_b.sluice.test", "unknown", null],
    ["acmesluice.test", "unknown", null],
    ["acme.localhost:8080", "unknown", null],
    ["localhost", "unknown", null],
    ["test", "unknown", null],
    ["[::1]:8080", "unknown", null],
    ["", "malformed", null],
    [".sluice.test", "malformed", null],
    ["-a.sluice.test", "malformed", null],
    ["sluice.test:65536", "malformed", null],
    ["sluice.test/", "malformed", null],
    ["sluice.test?", "malformed", null],
    ["u@sluice.test", "malformed", null],
    [`${"a".repeat(64)}.sluice.test`, "malformed", null],
  ];
  for (const [host, kind, label] of rows) {
    const match = matchHost(host, table);
    assert.deepEqual([match.kind, match.kind === "known" ? match.label : null], [kind, label], host);
  }
});

Deno.test("matchHost: an IP address has no organisations before it", () => {
  for (const base of ["http://127.0.0.1:8080", "http://[::1]:8080"]) {
    const table = createHostTable(new URL(base), []);
    assert.equal(matchHost(new URL(base).host, table).kind, "known");
    assert.equal(matchHost(`acme.${new URL(base).host}`, table).kind === "known", false);
  }
});

Deno.test("loopbackHosts: what this machine calls itself, only while listening there", () => {
  assert.deepEqual(loopbackHosts("127.0.0.1", 8080), ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"]);
  assert.deepEqual(loopbackHosts("::1", 8080).length, 3);
  assert.deepEqual(loopbackHosts("localhost", 80).length, 6);
  assert.deepEqual(loopbackHosts("0.0.0.0", 8080), []);
  assert.deepEqual(loopbackHosts("192.0.2.1", 8080), []);
});
