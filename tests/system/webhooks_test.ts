/** Refusals are told: once an hour for a caller, package and version; as JSON and in Slack's form. */
import assert from "node:assert/strict";
import { ADMIN_TOKEN, HOLDERS_ENV } from "../fakes/holders.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { signIn } from "../fakes/signed_in.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import { startFakeUpstream } from "../fakes/upstream.ts";
import { ask, decisionOf, linkOf } from "./ask.ts";

async function createWorld() {
  const registry = await startNpmRegistry();
  const old = { publishedAt: daysAgo(100) };
  const young = { publishedAt: daysAgo(2) };
  registry.publish({ name: "fresh", releases: { "1.0.0": old, "1.1.0": young, "1.2.0": young } });
  const listener = await startFakeUpstream();
  for (const path of ["/json", "/slack"]) listener.answer(path, { method: "POST", status: 204 });
  const sluice = await startSluice({
    env: { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ALLOW_PRIVATE_WEBHOOKS: listener.host },
  });
  await sluice.setPolicy({
    webhooks: [
      { id: "audit", url: `${listener.url}json?key=s3cret` },
      { id: "chat", url: `${listener.url}slack`, format: "slack" },
    ],
  });
  return {
    listener,
    sluice,
    file: (version: string) => `${sluice.url}/npm/fresh/-/fresh-${version}.tgz`,
    /** The messages once there are so many; throws after half a minute. */
    async told(path: string, count: number) {
      for (let waited = 0; listener.asked(path).length < count && waited < 30_000; waited += 20) {
        await pause(20);
      }
      const messages = listener.asked(path).map(({ body }) => JSON.parse(new TextDecoder().decode(body)));
      assert.equal(messages.length, count, path);
      return messages;
    },
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("webhooks: a refusal is told once an hour to each webhook, for each caller, package and version", async () => {
  await using world = await createWorld();
  const { sluice, told, file } = world;
  const refused = await ask(file("1.1.0"), { user: "ada" });
  assert.equal(refused.status, 403);
  for (let again = 0; again < 5; again++) await ask(file("1.1.0"), { user: "ada" });
  const [message] = await told("/json", 1);
  const { event, organisation, user, version, rule, link, decisionId, client } = message;
  assert.deepEqual(
    { event, organisation, user, package: message.package, version, rule, link, decisionId, client },
    {
      event: "refused",
      organisation: "default",
      user: "ada",
      package: "fresh",
      version: "1.1.0",
      rule: "minimumAge",
      link: linkOf(refused),
      decisionId: decisionOf(refused),
      client: "npm",
    },
  );
  assert.ok(refused.json().error.startsWith(message.message), "what the developer read");
  const [slack] = await told("/slack", 1);
  assert.deepEqual(Object.keys(slack), ["text"]);
  assert.match(slack.text, /^ada was refused fresh 1\.1\.0 \(npm\) in default: .*<http.*\/-\/why\//);

  await ask(file("1.1.0"), { user: "bob" });
  await told("/json", 2);
  await ask(file("1.2.0"), { user: "ada" });
  await told("/json", 3);
  sluice.advance(3_600_001);
  await ask(file("1.1.0"), { user: "ada" });
  const all = await told("/json", 4);
  assert.deepEqual(
    all.map(({ user, version }) => `${user} ${version}`),
    ["ada 1.1.0", "bob 1.1.0", "ada 1.2.0", "ada 1.1.0"],
  );
  await pause(100);
  await told("/slack", 4);
});

Deno.test("webhooks: what is let through, shown in an index, or asked by HEAD is not told", async () => {
  await using world = await createWorld();
  assert.equal((await ask(world.file("1.0.0"), { user: "ada" })).status, 200);
  await ask(`${world.sluice.url}/npm/fresh`, { user: "ada" });
  assert.equal((await ask(world.file("1.1.0"), { user: "ada", method: "HEAD" })).status, 403);
  await ask(world.file("1.2.0"), { user: "ada" });
  const [only] = await world.told("/json", 1);
  assert.equal(only.version, "1.2.0");
});

Deno.test("webhooks: one that is down is tried again, is never in the way of an answer, and its address in no log", async () => {
  await using world = await createWorld();
  const { listener, sluice } = world;
  await listener.stop();
  const started = performance.now();
  assert.equal((await ask(world.file("1.1.0"), { user: "ada" })).status, 403);
  assert.ok(performance.now() - started < 2_000);
  await pause(200);
  listener.start();
  await sluice.restart();
  for (let tries = 0; listener.asked("/json").length === 0 && tries < 500; tries++) {
    sluice.advance(60_000);
    // What passes by sends what is due.
    await ask(world.file("1.2.0"), { user: `someone-${tries}` });
    await pause(40);
  }
  const messages = listener.asked("/json").map(({ body }) => new TextDecoder().decode(body));
  assert.ok(messages.some((text) => text.includes('"version":"1.1.0"')), "it survived the restart");
  assert.ok(!JSON.stringify(sluice.lines).includes("s3cret"));
});

Deno.test("webhooks: an address that nothing may be sent to is refused when it is saved, beside its field; a name that cannot be resolved is warned of", async () => {
  const names: Readonly<Record<string, readonly string[]>> = { "inner.example": ["10.0.0.7"] };
  await using sluice = await startSluice({
    env: { ...HOLDERS_ENV, SLUICE_ALLOW_PRIVATE_WEBHOOKS: "127.0.0.1" },
    lookup: (name) => Promise.resolve(names[name] ?? []),
  });
  const path = "/-/api/v1/organisations/default/policy";
  const send = async (method: string, to: string, body: unknown) => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await fetch(`${sluice.url}${to}`, { method, headers, body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };
  const put = (...urls: readonly string[]) =>
    send("PUT", path, { document: { webhooks: urls.map((url) => ({ url })) } });

  const allowed = await put("http://127.0.0.1:4921/secret");
  assert.deepEqual([allowed.status, allowed.body.warnings], [200, []]);
  for (const url of ["http://10.0.0.1/secret", "https://inner.example/secret", "http://[fd00::1]/secret"]) {
    const refused = await put("http://127.0.0.1:4921/secret", url);
    assert.equal(refused.status, 422, url);
    assert.deepEqual(refused.body.errors.map(({ field }: { field: string }) => field), [
      "body.document.webhooks[1].url",
    ]);
    assert.ok(!JSON.stringify(refused.body).includes("secret"));
    const { body } = await send("POST", `${path}/validate`, { document: { webhooks: [{ url }] } });
    assert.equal(body.mistakes[0]?.path, "webhooks[0].url");
    const made = await send("POST", "/-/api/v1/organisations", {
      id: "acme",
      document: { webhooks: [{ url }] },
    });
    assert.equal(made.status, 422, url);
  }
  const unresolved = await put("https://nobody.example/secret");
  assert.equal(unresolved.status, 200);
  assert.deepEqual(unresolved.body.warnings, ['The host of webhook "webhook-1" cannot be resolved now']);

  // What is there already is in nobody's way, wherever its name leads by now.
  await sluice.setPolicy({ webhooks: [{ url: "http://10.0.0.1/secret" }] });
  const other = await send("PUT", path, { document: { minimumAge: "9d", webhooks: [{ url: "(set)" }] } });
  assert.equal(other.status, 200, JSON.stringify(other.body));
});

Deno.test("Webhooks page: a forbidden address is told beside its field, and nothing was saved; an unresolved one is said", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const editor = await signIn(sluice, { user: "ed", role: "editor" });
  const add = (url: string) =>
    editor.post("/-/admin/default/webhooks", { action: "add", url, events: "alert", id: "pager" });
  const refused = await add("http://192.168.1.1/secret");
  const text = await refused.text();
  assert.equal(refused.status, 422);
  assert.match(text, /id="e-url"[^>]*>[^<]*nothing may be sent to/);
  assert.ok(!text.includes("192.168.1.1"));
  assert.match(
    await (await editor.get("/-/admin/default/webhooks")).text(),
    /Nobody is told of anything yet/,
  );
  const added = await add("https://nobody.example/secret");
  assert.equal(added.status, 303);
  assert.match(added.headers.get("location") ?? "", /done=unresolved/);
  await added.body?.cancel();
});
