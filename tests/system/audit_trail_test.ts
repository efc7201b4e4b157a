import assert from "node:assert/strict";
import { audit } from "../../cli/audit.ts";
import { org } from "../../cli/org.ts";
import { testIo } from "../../cli/testing.ts";
import { hasWords } from "../../routes/admin/audit_words.ts";
import { keys } from "../../storage/kv/keys.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import { ADMIN_TOKEN, HOLDERS_ENV, makeToken } from "../fakes/holders.ts";
import { signIn } from "../fakes/signed_in.ts";
import { NOW, startSluice, type TestSluice } from "../fakes/sluice.ts";

const SECRET_HOOK = "http://hooks.example/T000/very-secret-path";

interface Entry {
  readonly organisation: string | null;
  readonly user: string;
  readonly principal: string;
  readonly from: string;
  readonly action: string;
  readonly subject: string;
  readonly changes: readonly string[];
}

async function api(sluice: TestSluice, method: string, path: string, options: {
  readonly token?: string;
  readonly body?: unknown;
  readonly at?: string;
} = {}) {
  const { token = ADMIN_TOKEN, body, at = "" } = options;
  const response = await fetch(`${sluice.url}${at}/-/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "x-forwarded-for": "192.0.2.7" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, json: text === "" ? null : JSON.parse(text) };
}

async function trail(
  sluice: TestSluice,
  query = "",
  at = "",
  token = ADMIN_TOKEN,
): Promise<readonly Entry[]> {
  const answer = await api(sluice, "GET", `/audit${query}`, { at, token });
  assert.equal(answer.status, 200, answer.text);
  return answer.json.entries;
}

Deno.test("audit trail: every change by whom, from what to what, and from where; what was refused or only read is none", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const path = "/organisations/default/policy";
  const first = { minimumAge: "10d", webhooks: [{ url: SECRET_HOOK, events: ["refused"] }] };
  assert.equal((await api(sluice, "PUT", path, { body: { document: first } })).status, 200);
  assert.equal(
    (await api(sluice, "PUT", path, { body: { document: { minimumAge: "none at all" } } })).status,
    422,
  );
  assert.equal(
    (await api(sluice, "POST", `${path}/validate`, { body: { document: {} } })).status,
    200,
  );
  const second = { ...first, minimumAge: "14d", webhooks: [{ url: "(set)", events: ["refused"] }] };
  assert.equal((await api(sluice, "PUT", path, { body: { document: second } })).status, 200);
  assert.equal((await api(sluice, "POST", "/purge", { body: { all: true, dryRun: true } })).status, 200);

  const [newest, oldest, ...more] = await trail(sluice);
  assert.equal(more.length, 0, JSON.stringify(more));
  assert.deepEqual(
    [newest?.action, newest?.user, newest?.principal, newest?.from, newest?.organisation, newest?.subject],
    ["putPolicy", "admin", "admin-token", "192.0.2.7", "default", "revision 3"],
  );
  assert.deepEqual(newest?.changes, ['~ minimumAge: "10d" -> "14d"']);
  assert.ok(
    oldest?.changes.some((line) => line.includes("webhooks") && line.includes("(set)")),
    oldest?.changes.join("\n"),
  );
  assert.ok(!JSON.stringify([newest, oldest]).includes("very-secret"));
});

Deno.test("audit trail: an organisation reads its own; the instance everything; tokens leave no secret there", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  for (const id of ["acme", "beta"]) await sluice.setPolicy({}, id);
  const made = await makeToken(sluice, NOW, { organisation: "acme", scopes: ["admin"] });
  const freeze = { purl: "pkg:npm/left-pad", at: "2026-01-01", reason: "<script>alert(1)</script>" };
  for (const id of ["acme", "beta"]) {
    await api(sluice, "POST", "/freeze", { at: `/o/${id}`, body: freeze });
    await api(sluice, "POST", "/unfreeze", { at: `/o/${id}`, body: { purl: freeze.purl } });
  }
  await api(sluice, "DELETE", "/organisations/beta");
  const own = await trail(sluice, "", "/o/acme", made.secret);
  assert.ok(own.length >= 1 && own.every(({ organisation }) => organisation === "acme"));
  const text = JSON.stringify(await trail(sluice, "?everywhere=true"));
  assert.ok(text.includes('"deleteOrganisation"') && text.includes('"createToken"'));
  assert.ok(!text.includes(made.secret));
  const denied = await api(sluice, "GET", "/audit?everywhere=true", { at: "/o/acme", token: made.secret });
  assert.equal(denied.status, 403);
});

Deno.test("audit trail: a token that the instance makes or revokes stands in the trail of whose it is, and in no other's", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  await sluice.setPolicy({}, "acme");
  const made = [];
  for (const organisation of ["acme", null]) {
    const body = { user: "ci", organisation, scopes: ["read"] };
    made.push((await api(sluice, "POST", "/tokens", { body })).json.token.id);
  }
  for (const id of made) assert.equal((await api(sluice, "DELETE", `/tokens/${id}`)).status, 204);
  const all = await trail(sluice, "?everywhere=true");
  assert.deepEqual(
    all.filter(({ action }) => /Token$/.test(action)).map((
      { organisation, subject },
    ) => [organisation, subject]),
    [[null, made[1]], ["acme", made[0]], [null, made[1]], ["acme", made[0]]],
  );
  const own = (await trail(sluice, "", "/o/acme")).map(({ action }) => action);
  assert.deepEqual(own.filter((action) => /Token$/.test(action)), ["revokeToken", "createToken"]);
  assert.ok(!(await trail(sluice)).some(({ action }) => /Token$/.test(action)));
});

Deno.test("audit trail: pages go on where the last one ended", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  for (let n = 1; n <= 5; n++) {
    await api(sluice, "POST", "/snapshots", { body: { name: `s${n}` } });
    sluice.advance(1_000);
  }
  const subjects: string[] = [];
  let cursor = "";
  for (let pages = 0; pages < 4; pages++) {
    const { json } = await api(sluice, "GET", `/audit?limit=2${cursor}`);
    subjects.push(...json.entries.map(({ subject }: Entry) => subject));
    if (json.next === null) break;
    cursor = `&cursor=${json.next}`;
  }
  assert.deepEqual(subjects, ["s5", "s4", "s3", "s2", "s1"]);
  assert.equal((await api(sluice, "GET", "/audit?cursor=AAAA")).status, 400);
});

Deno.test("audit trail: a long change is told entry by entry and whole: by the API, the page, deno task audit", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const path = "/organisations/default/policy";
  const reason = `<b>${"r".repeat(700)}</b>`;
  const overrides = Array.from({ length: 90 }, (_, n) => ({
    purl: `pkg:npm/bad-${n}@1.0.0`,
    effect: "deny",
    reason: `${n} ${reason}`,
  }));
  await api(sluice, "PUT", path, { body: { document: { overrides: overrides.slice(0, 2) } } });
  await api(sluice, "PUT", path, { body: { document: { overrides } } });
  await api(sluice, "POST", `${path}/restore`, { body: { revision: 2 } });
  await api(sluice, "POST", `${path}/restore`, { body: { revision: 1 } });
  const [gone, restored, , first] = (await api(sluice, "GET", "/audit")).json.entries;
  const line = (n: number) => `overrides: pkg:npm/bad-${n}@1.0.0 deny: ${JSON.stringify(`${n} ${reason}`)}`;
  assert.deepEqual([gone.action, gone.changes], ["restorePolicy", [`- ${line(0)}`, `- ${line(1)}`]]);
  assert.deepEqual(first.changes, [`+ ${line(0)}`, `+ ${line(1)}`]);

  const whole = overrides.slice(2).map((_, n) => `- ${line(n + 2)}`);
  assert.ok(restored.changesLeftOut > 0 && restored.changes.length > 0);
  assert.equal(restored.changes.length + restored.changesLeftOut, 88);
  assert.deepEqual((await api(sluice, "GET", `/audit/${restored.id}`)).json.changes, whole);
  assert.equal((await api(sluice, "GET", "/audit/none")).status, 404);

  const viewer = await signIn(sluice, { user: "vera", role: "viewer" });
  const page = await (await viewer.get("/-/admin/default/audit")).text();
  assert.match(page, /Restored the policy,/);
  assert.ok(!page.includes("<b>r"), "reasons are text");
  assert.ok(page.includes("<details>") && page.includes(`audit/${restored.id}`));
  const text = await viewer.get(`/-/admin/default/audit/${restored.id}`);
  assert.equal(text.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.equal(text.headers.get("x-content-type-options"), "nosniff");
  assert.match(text.headers.get("content-disposition") ?? "", /^attachment/);
  assert.deepEqual((await text.text()).trimEnd().split("\n").slice(1), whole);

  const io = testIo({ cwd: sluice.data });
  assert.equal(await audit([restored.id, "--data", sluice.data], io), 0);
  assert.equal(io.take().out.match(/ - overrides: /g)?.length, 88);
});

Deno.test("audit trail: no noise of what is nothing; an address of a webhook that became another is said", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const body = { user: "ci", scopes: ["read"] };
  const { id } = (await api(sluice, "POST", "/tokens", { body })).json.token;
  await api(sluice, "DELETE", `/tokens/${id}`);
  const path = "/organisations/default/policy";
  for (const url of [SECRET_HOOK, `${SECRET_HOOK}-2`]) {
    const document = { webhooks: [{ id: "pager", url, events: ["refused"] }] };
    assert.equal((await api(sluice, "PUT", path, { body: { document } })).status, 200);
  }
  await api(sluice, "PUT", "/organisations/default/members", {
    body: { who: "github:octocat", role: "viewer" },
  });
  const [...entries] = await trail(sluice);
  const byAction = Object.groupBy(entries, ({ action }) => action);
  assert.deepEqual(byAction.putPolicy?.[0]?.changes, [
    '~ webhooks: pager: url "(set)" -> "(set), another one"',
  ]);
  for (const { changes } of entries) {
    assert.ok(!changes.some((line) => /null|undefined|At:|very-secret/.test(line)), changes.join("\n"));
  }
  assert.deepEqual(byAction.createToken?.[0]?.changes, [
    '+ user: "ci"',
    '+ scopes: "read"',
    '+ ecosystems: "all"',
    '+ ends: "never"',
  ]);
});

Deno.test("audit trail: everything that is written down has words on the page", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const { paths } = await (await fetch(`${sluice.url}/-/api/v1/openapi.json`)).json();
  const operations = Object.values<Record<string, { operationId: string }>>(paths).flatMap((methods) =>
    Object.entries(methods).flatMap(([method, { operationId }]) => method === "get" ? [] : [operationId])
  );
  // They change nothing.
  const unwritten = /^(validate|preview|test)/;
  operations.push("createOwnToken", "revokeOwnToken");
  assert.deepEqual(operations.filter((id) => !unwritten.test(id) && !hasWords(id)), []);
});

Deno.test("deno task audit: beyond what one call answers; from a cursor; all of it", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const kv = await openStorage(`${sluice.data}/kv.sqlite3`);
  for (let first = 1; first <= 1_205; first += 241) {
    const atomic = kv.atomic();
    for (let n = first; n < first + 241; n++) {
      const id = `k${String(n).padStart(6, "0")}`;
      const who = { organisation: "default", user: "ada", principal: "p", from: "" };
      const entry = { ...who, id, at: NOW, action: "pin", subject: `s${n}.`, changes: [] };
      atomic.set(keys.auditEntry({ of: "default" }, id), { v: 1, entry });
    }
    await atomic.commit();
  }
  kv.close();
  const io = testIo({ cwd: sluice.data });
  const run = async (...args: string[]) => {
    const code = await audit([...args, "--data", sluice.data], io);
    const { out, err } = io.take();
    return { code, err, subjects: out.match(/s\d+\./g) ?? [] };
  };
  const some = await run("--limit", "1101");
  assert.deepEqual([some.subjects.length, some.subjects.at(-1)], [1_101, "s105."]);
  const cursor = /--before (\S+)/.exec(some.err)?.[1] ?? "";
  const rest = await run("--before", cursor, "--limit", "3");
  assert.deepEqual(rest.subjects, ["s104.", "s103.", "s102."]);
  const all = await run("--all");
  assert.deepEqual([all.subjects.length, new Set(all.subjects).size, all.err], [1_205, 1_205, ""]);
  assert.equal(await audit(["--all", "--json", "--data", sluice.data], io), 0);
  assert.equal(JSON.parse(io.take().out).length, 1_205);
  assert.equal((await run("--limit", "0")).code, 2);
  assert.equal((await run("--before", "AAAA")).code, 1);
});

Deno.test("audit trail: what deno task org changes on the data folder stands there as what the API changes does", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const io = testIo({ cwd: sluice.data });
  const files = {
    "first.json": { minimumAge: "9d" },
    "second.json": { minimumAge: "9d", block: ["npm/axios"] },
    "floor.json": { deny: ["npm/evil"] },
  };
  for (const [name, document] of Object.entries(files)) {
    await Deno.writeTextFile(`${sluice.data}/${name}`, JSON.stringify(document));
  }
  const commands = [
    "create acme first.json",
    "set second.json --org acme",
    "restore 1 --org acme",
    "floor set floor.json",
    "forget-user eve --org acme",
    "delete acme --yes",
  ];
  for (const command of commands) {
    const code = await org([...command.split(" "), "--data", sluice.data], io);
    assert.equal(code, 0, `${command}: ${io.take().err}`);
  }
  const entries = await trail(sluice, "?everywhere=true");
  assert.deepEqual(
    // The commands' clock stands still.
    entries.map(({ action, organisation, subject, changes }) => [action, organisation, subject, ...changes])
      .toSorted(),
    [
      ["createOrganisation", "acme", "acme", '+ minimumAge: "9d"'],
      ["deleteOrganisation", "acme", "acme", '- minimumAge: "9d"'],
      ["forgetUser", "acme", "a person"],
      ["putFloor", null, "revision 1", '+ deny: "npm/evil"'],
      ["putPolicy", "acme", "revision 2", '+ block: "npm/axios"'],
      ["restorePolicy", "acme", "revision 3, from revision 1", '- block: "npm/axios"'],
    ],
  );
  assert.ok(
    entries.every(({ user, principal, from }) => user !== "" && principal === "local" && from === ""),
  );
});

Deno.test("audit trail: what is taken away or replaced says what it was: pins, snapshots, waivers", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const purl = "pkg:npm/left-pad@1.3.0";
  const until = new Date(sluice.now() + 86_400_000).toISOString();
  await api(sluice, "POST", "/cache/pin", { body: { purl, reason: "train" } });
  await api(sluice, "POST", "/cache/pin", { body: { purl, reason: "plane" } });
  await api(sluice, "POST", "/cache/unpin", { body: { purl } });
  await api(sluice, "POST", "/snapshots", { body: { name: "s1", at: "2026-01-01" } });
  await api(sluice, "DELETE", "/snapshots/s1");
  const granted = await api(sluice, "POST", "/waivers", { body: { purl, reason: "needed", until } });
  assert.equal(granted.status, 201, granted.text);
  await api(sluice, "DELETE", `/organisations/default/waivers/${granted.json.id}`);
  const told = (await trail(sluice, "?everywhere=true")).map(({ action, changes }) => [action, ...changes]);
  const of = (action: string) => told.filter(([name]) => name === action).map(([, ...changes]) => changes);
  assert.deepEqual(of("pin"), [['~ reason: "train" -> "plane"'], ["+ pinned: true", '+ reason: "train"']]);
  assert.deepEqual(of("unpin"), [["- pinned: true", '- reason: "plane"']]);
  assert.deepEqual(of("deleteSnapshot"), [['- at: "2026-01-01T00:00:00.000Z"']]);
  const [grant] = of("grantWaiver");
  assert.deepEqual(grant?.slice(1), ['+ reason: "needed"', `+ ends: "${until}"`]);
  assert.ok(of("revokeWaiver")[0]?.includes('- reason: "needed"'));
  assert.ok(!/null|false/.test(JSON.stringify(told)));
});
