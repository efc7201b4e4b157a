/** Two clients with addresses of their own, before the real nginx, before a Sluice that trusts it. */
import assert from "node:assert/strict";
import { HOLDERS_ENV, makeToken } from "../fakes/holders.ts";
import { NGINX_MISSING, startBalancer } from "../fakes/nginx.ts";
import { freePort, pathOf } from "../fakes/program.ts";
import { NOW, startSluice } from "../fakes/sluice.ts";

const WRONG = `slu_abcdefghijkl_${"x".repeat(43)}`;
const MISSING = NGINX_MISSING ?? (await pathOf("curl") === null ? "curl is missing" : null);

/** As a client of that loopback address; `says` is what it claims of itself. */
async function ask(url: string, from: string, secret: string, says: string): Promise<number> {
  const { stdout } = await new Deno.Command("curl", {
    args: [
      ...["-s", "-o", "/dev/null", "-w", "%{http_code}", "--noproxy", "*", "--interface", from],
      ...["-H", `authorization: Bearer ${secret}`, "-H", `x-forwarded-for: ${says}`, url],
    ],
    stderr: "null",
  }).output();
  return Number(new TextDecoder().decode(stdout));
}

Deno.test({
  name:
    `trustedProxies, behind nginx: whoever tries tokens out is told 429 whatever they claim, and the other goes on${
      MISSING === null ? "" : ` (skipped: ${MISSING})`
    }`,
  ignore: MISSING !== null,
  async fn() {
    const port = freePort();
    const env = { ...HOLDERS_ENV, SLUICE_BASE_URL: `http://127.0.0.1:${port}` };
    await using sluice = await startSluice({ env });
    await using nginx = await startBalancer([sluice.port], port);
    const direct = { ...sluice, url: nginx.url };
    const { secret } = await makeToken(direct, NOW, { organisation: "default", scopes: ["read"] });
    const url = `${nginx.url}/npm/-/ping`;
    for (let tried = 0; tried < 20; tried++) {
      assert.equal(await ask(url, "127.0.0.2", WRONG, `192.0.2.${tried}`), 401);
    }
    assert.equal(await ask(url, "127.0.0.2", WRONG, "192.0.2.99"), 429);
    assert.equal(await ask(url, "127.0.0.2", secret, "127.0.0.3"), 429);
    assert.equal(await ask(url, "127.0.0.3", WRONG, "127.0.0.2"), 401);
    assert.equal(await ask(url, "127.0.0.3", secret, "127.0.0.2"), 200);
  },
});
