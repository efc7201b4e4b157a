import assert from "node:assert/strict";
import { createPeerOf } from "./peer.ts";

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
