import assert from "node:assert/strict";
import { backupOrRestore } from "../../cli/backup.ts";
import { org } from "../../cli/org.ts";
import { testIo } from "../../cli/testing.ts";
import { startSluice } from "../fakes/sluice.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";

Deno.test("deno task backup --server: a whole backup of a running Sluice, that restores", async () => {
  await using sluice = await startSluice({ env: { SLUICE_ADMIN_TOKEN: ADMIN } });
  await sluice.setPolicy({ minimumAge: "17d" });
  const io = testIo({ cwd: sluice.data, env: { SLUICE_TOKEN: ADMIN } });
  const run = async (...args: string[]) => ({ code: await backupOrRestore(args, io), ...io.take() });
  const written = await run("backup", "all.gz", "--server", sluice.url, "--artifacts");
  assert.equal(written.code, 0, written.err);
  assert.match(written.out, /^Wrote \d+ records/);
  assert.equal((await run("backup", "all.gz", "--server", sluice.url)).code, 2);
  const other = `${sluice.data}/other`;
  const restored = await run("restore", "all.gz", "--data", other);
  assert.equal(restored.code, 0, restored.err);
  assert.equal(await org(["show", "--data", other], io), 0);
  assert.match(io.take().out, /minimumAge: 17d/);
});

Deno.test("GET /backup: for the instance's admin alone", async () => {
  await using sluice = await startSluice({ env: { SLUICE_ADMIN_TOKEN: ADMIN } });
  const made = await fetch(`${sluice.url}/-/api/v1/tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN}` },
    body: JSON.stringify({ user: "owner", scopes: ["admin"] }),
  });
  const { secret } = await made.json();
  const refused = await fetch(`${sluice.url}/-/api/v1/backup`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  assert.deepEqual([refused.status, (await refused.json()).code], [403, "not-yours"]);
});
