import assert from "node:assert/strict";
import { usesProxy } from "./proxy.ts";

const PROXY = "http://proxy.example:3128";

Deno.test("usesProxy: noProxy as NO_PROXY is commonly read", () => {
  const rows = [
    ["https://registry.example/", [], true],
    ["https://registry.example/", ["registry.example"], false],
    ["https://registry.example/", ["example"], false],
    ["https://registry.example/", [".example"], false],
    ["https://registry.example/", ["*.example"], false],
    ["https://registry.example/", ["gistry.example"], true],
    ["https://registry.example/", ["REGISTRY.EXAMPLE "], false],
    ["https://registry.example/", ["registry.example:443"], false],
    ["https://registry.example/", ["registry.example:8443"], true],
    ["https://registry.example/", ["*"], false],
    ["https://registry.example/", [""], true],
    ["http://10.1.2.3/", ["10.0.0.0/8"], false],
    ["http://10.1.2.3/", ["10.1.2.3"], false],
    ["http://10.1.2.3:8080/", ["10.1.2.3:8080"], false],
    ["http://10.1.2.3/", ["192.168.0.0/16", "10.1.2"], true],
    ["http://[fd00::1]/", ["fd00::/8"], false],
    ["http://[fd00::1]/", ["[fd00::1]:80"], false],
    ["http://[fd00::1]/", ["fd00:0::1"], false],
    ["http://localhost:4873/", [], false],
    ["http://127.8.8.8/", [], false],
    ["http://[::1]/", [], false],
  ] as const;
  for (const [url, noProxy, expected] of rows) {
    assert.equal(usesProxy(new URL(url), { proxy: PROXY, noProxy }), expected, `${url} ${noProxy}`);
  }
  assert.equal(usesProxy(new URL("https://registry.example/"), { proxy: null, noProxy: [] }), false);
});
