import assert from "node:assert/strict";
import { isLocalName, isReachable, literalAddress } from "./address.ts";

const PUBLIC = [
  "93.184.216.34",
  "8.8.8.8",
  "2606:4700::1111",
  "64:ff9b::808:808",
  "2002:808:808::1",
  "::ffff:8.8.8.8",
];
const PRIVATE = [
  "10.0.0.1",
  "172.16.0.1",
  "192.168.1.1",
  "127.0.0.1",
  "100.64.0.1",
  "::1",
  "fc00::1",
  "fd12::1",
];
const NEVER = [
  "169.254.169.254",
  "0.0.0.0",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "fe80::1",
  "ff02::1",
  "::ffff:169.254.169.254",
  "64:ff9b::a9fe:a9fe",
  "2002:a9fe:a9fe::1",
  "fd00:ec2::254",
  "100.100.100.200",
  "168.63.129.16",
];
const RESERVED = ["192.0.2.1", "198.18.0.1", "240.0.0.1", "2001:db8::1", "2001::1", "fec0::1", "100::1"];
const EMBEDDED_PRIVATE = [
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::127.0.0.1",
  "64:ff9b::10.0.0.1",
  "64:ff9b:1::a00:1",
  "2002:7f00:1::",
  "::ffff:0:127.0.0.1",
];

Deno.test("isReachable: public addresses may be named by anybody", () => {
  for (const address of PUBLIC) assert.equal(isReachable(address, "named"), true, address);
});

Deno.test("isReachable: what is named may not be private, reserved, or carry a private IPv4 address", () => {
  for (const address of [...PRIVATE, ...NEVER, ...RESERVED, ...EMBEDDED_PRIVATE]) {
    assert.equal(isReachable(address, "named"), false, address);
  }
});

Deno.test("isReachable: a configured name may lead to a private address, never to metadata or link-local ones", () => {
  for (const address of [...PUBLIC, ...PRIVATE, ...EMBEDDED_PRIVATE]) {
    assert.equal(isReachable(address, "configured"), true, address);
  }
  for (const address of NEVER) assert.equal(isReachable(address, "configured"), false, address);
});

Deno.test("isReachable: what is no address is not reachable", () => {
  for (const text of ["", "registry.example", "999.1.1.1", "1.2.3.4/8"]) {
    assert.equal(isReachable(text, "configured"), false, text);
  }
});

Deno.test("literalAddress: URL hosts in every spelling of an address", () => {
  for (const host of ["2130706433", "0x7f.1", "0177.0.0.1", "127.1"]) {
    assert.equal(literalAddress(new URL(`http://${host}/`).hostname), "127.0.0.1", host);
  }
  assert.equal(literalAddress(new URL("http://[::1]/").hostname), "::1");
  assert.equal(literalAddress("registry.example"), null);
});

Deno.test("isLocalName: names that only mean something here", () => {
  for (
    const name of [
      "localhost",
      "a.localhost",
      "metadata.google.internal",
      "printer.local",
      "intranet",
      "x.lan.",
    ]
  ) {
    assert.equal(isLocalName(name), true, name);
  }
  for (const name of ["registry.example", "local.example", "127.0.0.1"]) {
    assert.equal(isLocalName(name), false, name);
  }
});
