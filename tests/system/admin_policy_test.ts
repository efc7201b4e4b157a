import assert from "node:assert/strict";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import { type SignedInTester, signIn } from "../fakes/signed_in.ts";

const ENV = { SLUICE_UPSTREAM_NPM: "http://127.0.0.1:9" };
const SECRET = "https://hooks.example/T000/SECRET";
const HOSTILE = '"><script>alert(1)</script>';

async function world() {
  const sluice = await startSluice({ env: ENV });
  const ed = await signIn(sluice, { user: "ed", role: "editor" });
  const bo = await signIn(sluice, { user: "bo", role: "editor" });
  return { sluice, ed, bo, [Symbol.asyncDispose]: () => sluice[Symbol.asyncDispose]() };
}

const page = (path: string) => `/-/admin/default/${path}`;

async function text(response: Promise<Response>): Promise<{ status: number; html: string; to: string }> {
  const answer = await response;
  return { status: answer.status, html: await answer.text(), to: answer.headers.get("location") ?? "" };
}

/** What a browser would send of the form that has this label, nothing touched. */
function formOf(html: string, label: string): Record<string, string> {
  const form = [...html.matchAll(/<form[^>]*aria-label="([^"]*)"[^>]*>(.*?)<\/form>/gs)].find((found) =>
    found[1] === label
  )?.[2];
  assert.ok(form !== undefined, `no form ${label}`);
  const fields: Record<string, string> = {};
  for (const [input] of form.matchAll(/<input[^>]*>/g)) {
    const [name, type] = [/ name="([^"]*)"/.exec(input)?.[1], / type="([^"]*)"/.exec(input)?.[1]];
    if (name === undefined || (type === "checkbox" && !/ checked/.test(input))) continue;
    fields[name] = plain(/ value="([^"]*)"/.exec(input)?.[1] ?? "");
  }
  for (const [, name, options] of form.matchAll(/<select[^>]* name="([^"]*)"[^>]*>(.*?)<\/select>/gs)) {
    const all = [...(options ?? "").matchAll(/<option value="([^"]*)"( selected)?/g)];
    fields[name!] = (all.find((option) => option[2] !== undefined) ?? all[0])?.[1] ?? "";
  }
  for (const [, name, value] of form.matchAll(/<textarea[^>]* name="([^"]*)"[^>]*>\n?(.*?)<\/textarea>/gs)) {
    fields[name!] = plain(value ?? "");
  }
  return fields;
}

function plain(html: string): string {
  return html.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll(
    "&#39;",
    "'",
  )
    .replaceAll("&amp;", "&");
}

async function form(who: SignedInTester, path: string, label: string): Promise<Record<string, string>> {
  const { status, html } = await text(who.get(page(path)));
  assert.equal(status, 200, html.slice(-2_000));
  return formOf(html, label);
}

Deno.test("GET /-/admin/{organisation}/policy: every setting with its meaning, its default and what holds elsewhere", async () => {
  await using at = await world();
  await at.sluice.setPolicy({ minimumAge: "14d", ecosystems: { npm: { minimumAge: "3d" } } });
  const { html } = await text(at.ed.get(page("policy")));
  for (
    const setting of [
      "enforcement",
      "observe",
      "minimumAge",
      "unknownAge",
      "yanked",
      "deprecated",
      "publisherDowngrade.verdict",
      "publisherDowngrade.window",
      "auditFixes.enabled",
      "auditFixes.minimumAge",
      "artifacts",
      "callers",
      "closed",
      "retention",
      "ecosystems.npm.minimumAge",
      "ecosystems.cargo.yanked",
    ]
  ) assert.ok(html.includes(`name="document.${setting}"`), setting);
  assert.match(html, /A younger release is held.*Default: <code>10d<\/code>. Otherwise in npm: 3d/);
  assert.match(html, /name="document.minimumAge"[^>]*value="14d"/);
  assert.equal((html.match(/Default: /g) ?? []).length, 14);
});

Deno.test("POST policy: saved with author and message, in force, and what was not touched stays as it was written", async () => {
  await using at = await world();
  await at.sluice.setPolicy({
    publisherDowngrade: "warn",
    block: [{ "npm/a": "1" }],
    webhooks: [{ url: SECRET, format: "slack" }, { url: `${SECRET}2`, format: "slack" }],
  });
  const fields = await form(at.ed, "policy", "Settings");
  const sent = { ...fields, "document.yanked": "allow", message: "less noise", do: "save" };
  const saved = await text(at.ed.post(page("policy"), sent));
  assert.deepEqual([saved.status, saved.to], [303, page("policy?done=saved")]);
  const { html } = await text(at.ed.get(page("policy?done=saved")));
  assert.match(html, /Saved. It is in force within a second/);
  const history = await text(at.ed.get(page("policy/history")));
  assert.match(history.html, /<td[^>]*>ed<\/td><td[^>]*>less noise<\/td>/);
  const shown = await text(at.ed.get(page("policy/history/3")));
  assert.match(shown.html, /<li class="added">\+ yanked: &quot;allow&quot;<\/li>/);
  assert.equal(shown.html.match(/<li class="(?:added|removed)">/g)?.length, 1);
  for (const each of [html, shown.html, history.html, (await text(at.ed.get(page("policy/json")))).html]) {
    assert.ok(!each.includes("SECRET"));
  }
  // The addresses are still there: the document can be written only with them.
  const again = await text(
    at.ed.post(page("policy"), {
      ...await form(at.ed, "policy", "Settings"),
      "document.yanked": "",
      do: "save",
    }),
  );
  assert.equal(again.status, 303, again.html.slice(-1_500));
});

Deno.test("POST policy: nothing touched is nothing saved; a mistake stands beside its field and nothing is lost", async () => {
  await using at = await world();
  const fields = await form(at.ed, "policy", "Settings");
  assert.match(
    (await text(at.ed.post(page("policy"), { ...fields, do: "save" }))).html,
    /what it says already/,
  );
  const wrong = await text(at.ed.post(page("policy"), {
    ...fields,
    "document.minimumAge": `10 days${HOSTILE}`,
    "document.ecosystems.npm.publisherDowngrade.window": "soon",
    "document.yanked": "warn",
    message: HOSTILE,
    do: "save",
  }));
  assert.equal(wrong.status, 422);
  assert.match(wrong.html, /id="e-document.minimumAge"[^<]*>[^<]*expected a duration with its unit/);
  assert.match(wrong.html, /id="e-document.ecosystems.npm.publisherDowngrade.window"/);
  assert.match(wrong.html, /<details class="card" open[^>]*><summary><b>npm<\/b>/);
  const kept = formOf(wrong.html, "Settings");
  assert.deepEqual(
    [kept["document.minimumAge"], kept["document.yanked"], kept.message],
    [`10 days${HOSTILE}`, "warn", HOSTILE],
  );
  assert.ok(!wrong.html.includes("<script>"));
  assert.equal((await form(at.ed, "policy", "Settings")).revision, "1");
});

Deno.test("POST policy do=preview: what saving would do, with the draft kept and nothing saved", async () => {
  await using at = await world();
  const fields = await form(at.ed, "policy", "Settings");
  const { status, html } = await text(
    at.ed.post(page("policy"), {
      ...fields,
      "document.closed": "true",
      "document.minimumAge": "30d",
      do: "preview",
    }),
  );
  assert.equal(status, 200);
  assert.match(
    html,
    /What saving would do.*Nobody will be answered any more.*Looked at 0 of the 0 packages/s,
  );
  assert.equal(formOf(html, "Settings")["document.minimumAge"], "30d");
  assert.equal((await form(at.ed, "policy", "Settings"))["document.minimumAge"], "");
});

Deno.test("POST policy: two people at once do not overwrite each other; the second sees what the first did, and saves both", async () => {
  await using at = await world();
  const [first, second] = [await form(at.ed, "policy", "Settings"), await form(at.bo, "policy", "Settings")];
  await text(
    at.ed.post(page("policy"), { ...first, "document.yanked": "warn", message: `why${HOSTILE}`, do: "save" }),
  );
  const met = await text(
    at.bo.post(page("policy"), { ...second, "document.minimumAge": "30d", message: "mine", do: "save" }),
  );
  assert.equal(met.status, 409);
  assert.match(met.html, /Revision 2 by <b>ed<\/b>.*\+ yanked: .*What you changed.*\+ minimumAge: /s);
  assert.ok(!met.html.includes("<script>"));
  const both = formOf(met.html, "Save both");
  assert.deepEqual([both.revision, both.message, JSON.parse(both.text!)], ["2", "mine", {
    yanked: "warn",
    minimumAge: "30d",
  }]);
  const looked = await text(at.bo.post(page("policy/json"), { ...both, do: "look" }));
  assert.equal(looked.status, 200);
  assert.deepEqual(JSON.parse(formOf(looked.html, "The document").text!), JSON.parse(both.text!));
  const saved = await text(at.bo.post(page("policy/json"), { ...both, do: "save" }));
  assert.equal(saved.status, 303);
  const now = await form(at.ed, "policy", "Settings");
  assert.deepEqual([now["document.yanked"], now["document.minimumAge"], now.revision], ["warn", "30d", "3"]);
});

Deno.test("policy/history: one button restores a revision, unless somebody wrote one meanwhile", async () => {
  await using at = await world();
  await at.sluice.setPolicy({ minimumAge: "1d" });
  await at.sluice.setPolicy({ minimumAge: "2d" });
  const shown = await text(at.ed.get(page("policy/history/2")));
  assert.match(shown.html, /What restoring it would change.*~ minimumAge: .*2d.* -&gt; .*1d/s);
  const button = formOf(shown.html, "Restore revision 2");
  await at.sluice.setPolicy({ minimumAge: "3d" });
  const late = await text(at.ed.post(page("policy/history"), button));
  assert.deepEqual([late.status, /changed meanwhile/.test(late.html)], [409, true]);
  const fresh = await form(at.ed, "policy/history", "Restore revision 2");
  assert.equal(
    (await text(at.ed.post(page("policy/history"), fresh))).to,
    page("policy/history?done=restored"),
  );
  assert.equal((await form(at.ed, "policy", "Settings"))["document.minimumAge"], "1d");
  assert.equal((await text(at.ed.get(page("policy/history/99")))).status, 404);
});

Deno.test("policy/lists: entries are looked for, added, changed and taken out; nothing is lost on the way", async () => {
  await using at = await world();
  const empty = await text(at.ed.get(page("policy/lists")));
  assert.match(empty.html, /There is no entry yet/);
  const row = {
    ...formOf(empty.html, "Entries"),
    "new.0.purl": "npm/axios==0.30.4",
    "new.0.reason": HOSTILE,
  };
  const more = await text(at.ed.post(page("policy/lists"), { ...row, do: "add" }));
  const two = formOf(more.html, "Entries");
  assert.deepEqual([two["new.0.purl"], two["new.0.reason"], two["new.1.owner"]], [
    "npm/axios==0.30.4",
    HOSTILE,
    "ed",
  ]);
  const wrong = await text(
    at.ed.post(page("policy/lists"), { ...two, "new.1.purl": "left pad", "new.1.until": "soon", do: "save" }),
  );
  assert.equal(wrong.status, 422);
  assert.match(wrong.html, /id="e-new.1.purl"/);
  assert.match(wrong.html, /id="e-new.1.until"/);
  assert.doesNotMatch(wrong.html, /id="e-new.0.purl"/);
  const saved = await text(at.ed.post(page("policy/lists"), {
    ...formOf(wrong.html, "Entries"),
    "new.1.effect": "allow",
    "new.1.purl": "pkg:npm/%40acme/ui@2.0.0",
    "new.1.until": "2027-01-01",
    do: "save",
  }));
  assert.equal(saved.status, 303, saved.html.slice(-1_500));
  const found = await text(at.ed.get(page("policy/lists?q=%40acme%2Fui")));
  assert.match(found.html, /1 of 2 entries/);
  assert.ok(!found.html.includes("axios") && !found.html.includes("<script>"));
  const change = plain(/href="([^"]*edit=[^"]*)"/.exec(found.html)?.[1] ?? "");
  const opened = formOf((await text(at.ed.get(change))).html, "Entries");
  assert.equal(opened["edit.0.purl"], "pkg:npm/%40acme/ui@2.0.0");
  const edited = await text(at.ed.post(page("policy/lists"), {
    ...opened,
    "edit.0.reason": "ours",
    remove: '["overrides",0]',
    do: "save",
  }));
  assert.equal(edited.status, 303);
  const { document } = JSON.parse(
    `{"document":${(await form(at.ed, "policy/json", "The document")).text}}`,
  );
  assert.deepEqual(document, {
    overrides: [{
      effect: "allow",
      purl: "pkg:npm/%40acme/ui@2.0.0",
      reason: "ours",
      owner: "ed",
      until: "2027-01-01",
    }],
  });
});

Deno.test("policy/json: every mistake is told with line and column, in the text and the schema", async () => {
  await using at = await world();
  const fields = await form(at.ed, "policy/json", "The document");
  const broken = await text(
    at.ed.post(page("policy/json"), { ...fields, text: '{\n  "yanked": \n}', do: "save" }),
  );
  assert.equal(broken.status, 422);
  assert.match(broken.html, /Line 3, column 1/);
  const wrong = await text(at.ed.post(page("policy/json"), {
    ...fields,
    text: '{\r\n  "minimumAge": 14,\r\n  "block": ["npm/a", "a b"],\r\n  "yankd": "deny"\r\n}',
    do: "preview",
  }));
  assert.equal(wrong.status, 422);
  for (const place of ["Line 2, column 17", "Line 3, column 22", "Line 4, column 12"]) {
    assert.ok(wrong.html.includes(place), place);
  }
  assert.match(formOf(wrong.html, "The document").text!, /"a b"/);
});

Deno.test("policy/freezes: listed, added, lifted; what cannot be frozen says why beside its field", async () => {
  await using registry = await startNpmRegistry();
  registry.publish({ name: "@acme/ui", releases: { "1.0.0": { publishedAt: daysAgo(30) } } });
  await using sluice = await startSluice({ env: { SLUICE_UPSTREAM_NPM: registry.upstream.url } });
  const ed = await signIn(sluice, { user: "ed", role: "editor" });
  const empty = await text(ed.get(page("policy/freezes")));
  assert.match(empty.html, /Nothing is frozen/);
  const fields = { ...formOf(empty.html, "Freeze a package"), reason: `the audit${HOSTILE}` };
  const wrong = await text(ed.post(page("policy/freezes"), { ...fields, purl: HOSTILE }));
  assert.equal(wrong.status, 400);
  assert.match(wrong.html, /id="e-purl"/);
  assert.equal(formOf(wrong.html, "Freeze a package").reason, `the audit${HOSTILE}`);
  const done = await text(ed.post(page("policy/freezes"), { ...fields, purl: "npm/@acme/ui@1.0.0" }));
  assert.equal(done.to, page("policy/freezes?done=frozen"));
  const listed = await text(ed.get(page("policy/freezes")));
  assert.match(listed.html, /pkg:npm\/%40acme\/ui<\/a>/);
  assert.ok(!`${wrong.html}${listed.html}`.includes("<script>"));
  const lift = formOf(listed.html, "Lift the freeze of pkg:npm/%40acme/ui");
  assert.equal((await text(ed.post(page("policy/freezes"), lift))).to, page("policy/freezes?done=lifted"));
  assert.match((await text(ed.get(page("policy/freezes")))).html, /Nothing is frozen/);
});

Deno.test("floor and organisations are for the instance's owners, a policy is written by editors", async () => {
  await using at = await world();
  const viewer = await signIn(at.sluice, { user: "vi", role: "viewer" });
  for (const path of ["floor", "floor/json", "floor/history", "organisations"]) {
    assert.equal((await text(at.ed.get(page(path)))).status, 403, path);
  }
  assert.ok(!(await text(at.ed.get(page("policy")))).html.includes(">Floor</a>"));
  assert.equal((await text(viewer.get(page("floor/json")))).status, 403);
  const posted = await text(
    viewer.post(page("policy"), { action: "edit", revision: "1", "document.closed": "true", do: "save" }),
  );
  assert.equal(posted.status, 403);
});

Deno.test("floor: its owners see what is denied for everybody, write it, and get it back", async () => {
  await using sluice = await startSluice({ env: { ...ENV, SLUICE_OWNERS: "github:boss" } });
  const boss = await signIn(sluice, { user: "boss", role: null });
  const empty = await text(boss.get(page("floor")));
  assert.match(empty.html, /Nothing is denied for everybody yet/);
  const row = { ...formOf(empty.html, "Entries"), "new.0.purl": "npm/evil", "new.0.reason": "malware" };
  const wrong = await text(boss.post(page("floor"), { ...row, "new.0.purl": "e vil", do: "preview" }));
  assert.match(wrong.html, /id="e-new.0.purl"/);
  assert.match(
    (await text(boss.post(page("floor"), { ...row, do: "preview" }))).html,
    /There is no mistake in it/,
  );
  assert.equal((await text(boss.post(page("floor"), { ...row, do: "save" }))).to, page("floor?done=saved"));
  const late = await text(boss.post(page("floor"), { ...row, "new.0.purl": "npm/worse", do: "save" }));
  assert.equal(late.status, 409);
  const both = await text(boss.post(page("floor/json"), { ...formOf(late.html, "Save both"), do: "save" }));
  assert.equal(both.status, 303, both.html.slice(-1_500));
  const document = JSON.parse(formOf((await text(boss.get(page("floor/json")))).html, "The document").text!);
  assert.deepEqual(document.deny.map(({ purl }: { purl: string }) => purl), ["npm/evil", "npm/worse"]);
  const restored = formOf((await text(boss.get(page("floor/history")))).html, "Restore revision 1");
  assert.equal((await text(boss.post(page("floor/history"), restored))).status, 303);
  assert.match((await text(boss.get(page("floor")))).html, /1 entry/);
});

Deno.test("organisations: made, and deleted only by whoever writes its name", async () => {
  await using sluice = await startSluice({ env: { ...ENV, SLUICE_OWNERS: "github:boss" } });
  const boss = await signIn(sluice, { user: "boss", role: null });
  const make = formOf((await text(boss.get(page("organisations")))).html, "Make an organisation");
  const odd = await text(boss.post(page("organisations"), { ...make, id: `Odd ${HOSTILE}` }));
  assert.deepEqual([odd.status, odd.html.includes("<script>")], [400, false]);
  assert.match(odd.html, /id="e-id"/);
  assert.equal((await text(boss.post(page("organisations"), { ...make, id: "acme" }))).status, 303);
  assert.equal((await text(boss.post(page("organisations"), { ...make, id: "acme" }))).status, 409);
  const there = await text(boss.get("/-/admin/acme/organisations"));
  const gone = formOf(there.html, "Delete acme");
  assert.equal(
    (await text(boss.post("/-/admin/acme/organisations", { ...gone, confirmed: "acm" }))).status,
    400,
  );
  const done = await text(boss.post("/-/admin/acme/organisations", { ...gone, confirmed: "acme" }));
  assert.equal(done.to, page("organisations?done=deleted"));
  assert.ok(!there.html.includes("Delete default"));
  assert.equal((await text(boss.get("/-/admin/acme/policy"))).status, 403);
});

Deno.test("Policy pages: a viewer reads all of it and is offered no form; the address of a webhook is not shown", async () => {
  await using sluice = await startSluice({ env: {} });
  const secret = "https://hooks.example/very-secret";
  await sluice.setPolicy({
    minimumAge: "11d",
    block: ["npm/axios"],
    webhooks: [{ url: secret, events: ["alert"] }],
  });
  const [viewer, editor] = await Promise.all(
    (["viewer", "editor"] as const).map((role) => signIn(sluice, { user: role, role })),
  );
  const shows: Readonly<Record<string, RegExp>> = {
    policy: /value="11d"/,
    "policy/lists": /npm\/axios/,
    "policy/freezes": /Nothing is frozen/,
    "policy/json": /&quot;minimumAge&quot;: &quot;11d&quot;/,
    "policy/history": /Revisions, the newest first/,
    "policy/history/1": /What restoring it would change/,
    "policy/history/2": /minimumAge: &quot;11d&quot;/,
  };
  for (const [path, pattern] of Object.entries(shows)) {
    const response = await viewer!.get(`/-/admin/default/${path}`);
    const text = await response.text();
    assert.equal(response.status, 200, path);
    assert.match(text, pattern, path);
    assert.ok(!text.includes("very-secret"), path);
    const main = text.slice(text.indexOf("<main"));
    assert.ok(!main.includes('method="post"') && !/name="do"/.test(main), `${path}: a form`);
    const theirs = await (await editor!.get(`/-/admin/default/${path}`)).text();
    const isForm = theirs.slice(theirs.indexOf("<main")).includes('method="post"');
    assert.equal(isForm, path !== "policy/history/2", `${path}: an editor's form`);
  }
});
