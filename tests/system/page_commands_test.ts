import assert from "node:assert/strict";
import { audit } from "../../cli/audit.ts";
import { held } from "../../cli/held.ts";
import type { Io } from "../../cli/io.ts";
import { testIo } from "../../cli/testing.ts";
import { webhook } from "../../cli/webhook.ts";
import { ADMIN_TOKEN, HOLDERS_ENV } from "../fakes/holders.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { startSluice } from "../fakes/sluice.ts";
import { startFakeUpstream } from "../fakes/upstream.ts";
import { ask } from "./ask.ts";

/** When the commands' own clock stands. */
const NOW = Date.UTC(2026, 10, 21, 12);

for (const where of ["the data folder", "a running server"] as const) {
  Deno.test(`deno task audit, held, webhook on ${where}: what their pages show`, async () => {
    await using hooks = await startFakeUpstream();
    hooks.answer("/hook", { method: "POST", status: 204 });
    await using registry = await startNpmRegistry();
    const publishedAt = new Date(NOW - 2 * 86_400_000).toISOString();
    registry.publish({ name: "widget", releases: { "1.0.0": { publishedAt } } });
    const env = {
      ...HOLDERS_ENV,
      SLUICE_UPSTREAM_NPM: registry.upstream.url,
      SLUICE_ALLOW_PRIVATE_WEBHOOKS: hooks.host,
    };
    await using sluice = await startSluice({ env, now: NOW });
    await sluice.setPolicy({ webhooks: [{ id: "pager", url: `${hooks.url}hook`, events: ["alert"] }] });
    await ask(`${sluice.url}/npm/widget`);
    await ask(`${sluice.url}/npm/widget/-/widget-1.0.0.tgz`);
    const place = where === "a running server" ? ["--server", sluice.url] : ["--data", sluice.data];
    const io = testIo({ cwd: sluice.data, env: { ...env, SLUICE_TOKEN: ADMIN_TOKEN } });
    const run = async (command: (args: readonly string[], io: Io) => Promise<number>, ...args: string[]) => {
      const code = await command([...args, ...place], io);
      return { code, ...io.take() };
    };
    const shown = await run(held);
    assert.equal(shown.code, 0, shown.err);
    assert.match(shown.out, /pkg:npm\/widget@1\.0\.0 +minimumAge +2026-11-29/);
    const tested = await run(webhook, "test", "pager");
    assert.equal(tested.code, 0, tested.err);
    assert.match(tested.out, /answered with 204/);
    assert.match((await run(webhook)).out, /pager .*answered with 204/);
    assert.equal((await run(webhook, "test", "nobody")).code, 1);
    const freeze = { purl: "pkg:npm/widget", reason: "audit" };
    await fetch(`${sluice.url}/-/api/v1/freeze`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      body: JSON.stringify(freeze),
    });
    const trail = await run(audit);
    assert.match(
      trail.out,
      /admin from 127\.0\.0\.1, default: freezePackage pkg:npm\/widget\n.*\n +\+ reason: "audit"/,
    );
    assert.equal(JSON.parse((await run(audit, "--json")).out).length, 1);
  });
}
