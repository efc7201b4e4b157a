import assert from "node:assert/strict";
import { query } from "../../cli/query.ts";
import { testIo } from "../../cli/testing.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import { createInstallLog } from "../../storage/installs/log.ts";
import { startSluice, type TestSluice } from "../fakes/sluice.ts";
import type { EpochMs } from "../../policy/types.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";
const NOW = Date.UTC(2026, 10, 21, 12);

async function withRecords(sluice: TestSluice, count: number): Promise<void> {
  const kv = await openStorage(`${sluice.data}/kv.sqlite3`);
  const installs = createInstallLog({
    kv,
    journal: `${sluice.data}/journal`,
    instance: "test",
    clock: () => NOW as EpochMs,
    log: () => {},
    random: () => 0,
  });
  for (let i = 0; i < count; i++) {
    await installs.append({
      id: `${String(i).padStart(12, "0")}`,
      // Many of one millisecond, so that a cursor has to tell them apart.
      at: NOW - 3_600_000 + Math.floor(i / 100) as EpochMs,
      organisation: i % 10 === 0 ? "acme" : "default",
      user: i % 2 === 0 ? "jane" : null,
      address: "192.0.2.7",
      client: "npm",
      clientVersion: "11",
      ecosystem: "npm",
      package: `p${i % 7}`,
      version: "1.0.0",
      file: "f.tgz",
      digest: "",
      bytes: 1,
      cache: "hit",
      outcome: i % 5 === 0 ? "refused" : "served",
      rule: "",
      decisionId: "",
    });
  }
  await installs.close();
  kv.close();
}

interface Page {
  readonly installs: readonly { readonly id: string; readonly organisation: string; readonly user: string }[];
  readonly next: string | null;
}

async function pages(
  url: string,
  search: string,
  token = ADMIN,
): Promise<readonly Page["installs"][number][]> {
  const found: Page["installs"][number][] = [];
  for (let next: string | null = ""; next !== null;) {
    const address: string = `${url}/-/api/v1/installs?${search}${next === "" ? "" : `&cursor=${next}`}`;
    const response: Response = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(response.status, 200);
    const page: Page = await response.json();
    found.push(...page.installs);
    next = page.next;
  }
  return found;
}

Deno.test("GET /installs: cursors give every record once, filtered, of one organisation or all", async () => {
  await using sluice = await startSluice({ env: { SLUICE_ADMIN_TOKEN: ADMIN }, now: NOW });
  await withRecords(sluice, 1_300);
  const mine = await pages(sluice.url, "limit=97");
  assert.equal(mine.length, 1_170);
  assert.equal(new Set(mine.map(({ id }) => id)).size, 1_170);
  assert.deepEqual(mine.map(({ id }) => id), mine.map(({ id }) => id).toSorted().reverse());
  assert.ok(mine.every(({ organisation }) => organisation === "default"));
  assert.equal((await pages(sluice.url, "limit=1000&everywhere=true")).length, 1_300);
  const janes = await pages(sluice.url, "limit=10&everywhere=true&user=jane&outcome=refused&package=p3");
  const expected =
    Array.from({ length: 1_300 }, (_, i) => i).filter((i) => i % 10 === 0 && i % 7 === 3).length;
  assert.equal(janes.length, expected);
});

Deno.test("GET /installs: an organisation's token sees that organisation alone", async () => {
  await using sluice = await startSluice({ env: { SLUICE_ADMIN_TOKEN: ADMIN }, now: NOW });
  await withRecords(sluice, 100);
  await sluice.setPolicy({}, "acme");
  const made = await fetch(`${sluice.url}/o/acme/-/api/v1/tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN}` },
    body: JSON.stringify({ user: "auditor", scopes: ["audit"] }),
  });
  assert.equal(made.status, 201);
  const { secret } = await made.json();
  const theirs = await pages(`${sluice.url}/o/acme`, "limit=1000", secret);
  assert.equal(theirs.length, 10);
  for (const [path, code] of [["", "not-yours"], ["/o/default", "not-yours"]] as const) {
    const refused = await fetch(`${sluice.url}${path}/-/api/v1/installs`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    assert.deepEqual([refused.status, (await refused.json()).code], [403, code]);
  }
  const wide = await fetch(`${sluice.url}/o/acme/-/api/v1/installs?everywhere=true`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  assert.deepEqual([wide.status, (await wide.json()).code], [403, "not-yours"]);
  const wrong = await fetch(`${sluice.url}/o/acme/-/api/v1/installs?limit=0&colour=red`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  assert.equal(wrong.status, 400);
  assert.equal(wrong.headers.get("content-type"), "application/problem+json");
  const problem = await wrong.json();
  assert.deepEqual(problem.errors.map(({ field }: { field: string }) => field).toSorted(), [
    "query.colour",
    "query.limit",
  ]);
});

Deno.test("deno task query --server: every question answers as on the data folder", async () => {
  await using sluice = await startSluice({ env: { SLUICE_ADMIN_TOKEN: ADMIN }, now: NOW });
  await withRecords(sluice, 300);
  await sluice.setPolicy({}, "acme");
  const io = testIo({ cwd: sluice.data, env: { SLUICE_TOKEN: ADMIN } });
  const questions = [
    ["who", "p3"],
    ["who", "%p%", "--limit", "3"],
    ["packages"],
    ["count"],
    ["count", "--by", "day"],
    ["count", "--by", "day", "--package", "npm/p3", "--user", "jane"],
    ["recent", "--user", "jane", "--outcome", "served"],
    ["refused", "--user", "jane"],
    ["export", "--package", "npm/p3"],
    ["count", "--by", "user", "--org", "acme"],
    ["user", "jane"],
    ["recent"],
    ["recent", "--limit", "120"],
    ["refused", "--since", "7d"],
    ["export"],
  ];
  for (const question of questions) {
    for (const form of ["--json", "--csv"]) {
      const [here, there] = [
        await asked([...question, form, "--data", sluice.data]),
        await asked([...question, form, "--server", sluice.url]),
      ];
      assert.equal(here.err + there.err, "");
      const read = (text: string) => form === "--json" ? JSON.parse(text) : text;
      assert.deepEqual(read(there.out), read(here.out), question.join(" "));
      assert.ok(here.out.length > 10, question.join(" "));
    }
  }

  async function asked(args: readonly string[]) {
    await query(args, io);
    return io.take();
  }
});
