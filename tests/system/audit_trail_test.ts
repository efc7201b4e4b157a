import assert from "node:assert/strict";
import { ADMIN_TOKEN, HOLDERS_ENV, makeToken } from "../fakes/holders.ts";
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
