import assert from "node:assert/strict";
import { createPeerOf, networkOf } from "./peer.ts";

function from(hostname: string): Deno.ServeHandlerInfo {
  return { remoteAddr: { transport: "tcp", hostname, port: 1 }, completed: Promise.resolve() };
}

Deno.test("peerOf: X-Forwarded-For counts only as far as trusted proxies wrote it", () => {
  const table: readonly (readonly [readonly string[], string, string | null, string])[] = [
    [[], "192.0.2.7", "203.0.113.1", "192.0.2.7"],
    [["10.0.0.0/8"], "192.0.2.7", "203.0.113.1", "192.0.2.7"],
    [["10.0.0.0/8"], "10.1.2.3", "203.0.113.1", "203.0.113.1"],
    [["10.0.0.0/8"], "::ffff:10.1.2.3", "203.0.113.1", "203.0.113.1"],
    [["10.0.0.0/8"], "10.1.2.3", "6.6.6.6, 203.0.113.1", "203.0.113.1"],
    [["10.0.0.0/8"], "10.1.2.3", "203.0.113.1, 10.9.9.9", "203.0.113.1"],
    [["10.0.0.0/8"], "10.1.2.3", "10.9.9.9", "10.1.2.3"],
    [["10.0.0.0/8"], "10.1.2.3", null, "10.1.2.3"],
    [["10.0.0.0/8"], "10.1.2.3", "nonsense", "10.1.2.3"],
    [["10.0.0.0/8"], "10.1.2.3", "6.6.6.6, nonsense, 10.9.9.9", "10.1.2.3"],
    [["10.1.2.3"], "10.1.2.3", "2001:db8::7", "2001:db8::7"],
    [["10.1.2.3"], "10.1.2.4", "2001:db8::7", "10.1.2.4"],
    [["10.1.2.3"], "10.1.2.3", "6.6.6.6, 203.0.113.1:4711", "203.0.113.1"],
    [["10.1.2.3"], "10.1.2.3", "[2001:db8::7]:4711", "2001:db8::7"],
    [["10.1.2.3"], "10.1.2.3", "[2001:db8::7]", "2001:db8::7"],
    [["2001:db8::/32"], "2001:db8::1", "::ffff:203.0.113.9", "203.0.113.9"],
  ];
  for (const [trusted, peer, forwarded, expected] of table) {
    const headers = new Headers(forwarded === null ? {} : { "x-forwarded-for": forwarded });
    assert.equal(
      createPeerOf(trusted)(from(peer), headers),
      expected,
      JSON.stringify([trusted, peer, forwarded]),
    );
  }
});

Deno.test("networkOf: an IPv4 address by itself, of IPv6 its /64, anything else as it stands", () => {
  const rows = [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8::1", networkOf("2001:db8:0:0:ffff::2")],
    ["", ""],
    ["odd:", "odd:"],
  ] as const;
  for (const [address, network] of rows) assert.equal(networkOf(address), network, address);
  assert.notEqual(networkOf("2001:db8::1"), networkOf("2001:db8:0:1::1"));
});
