import assert from "node:assert/strict";
import { SITE_PATHS } from "./site.tsx";
import { run, SAMPLE, sampleView } from "./testing.ts";
import { ANSWER } from "./test_support.ts";

Deno.test("GET /: text for curl, HTML for a browser, JSON where asked, each with the client's line", async () => {
  const organisations = [sampleView("default"), sampleView("acme")];
  const hostile = { ...SAMPLE, title: "<b>Sample</b>" };
  await using running = run({ base: "http://sluice.test:{port}/", organisations, ecosystems: [hostile] });
  const host = `sluice.test:${running.port}`;
  const text = await running.ask("/", { headers: { host, accept: "*/*" } });
  assert.equal(text.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.match(text.text, new RegExp(`sample config set registry http://${host}/sample/\n`));
  const browser = await running.ask("/o/acme/", {
    headers: { host, accept: "text/html,application/xhtml+xml,*/*;q=0.8" },
  });
  assert.equal(browser.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(browser.text, /^<!DOCTYPE html><html lang="en">/);
  assert.match(browser.text, new RegExp(`sample config set registry http://${host}/o/acme/sample/<`));
  assert.match(browser.text, /&lt;b&gt;Sample&lt;\/b&gt;/);
  assert.doesNotMatch(browser.text, /<script|style=|<b>/);
  assert.match(browser.headers.get("content-security-policy") ?? "", /default-src 'none'; style-src 'self'/);
  const json = JSON.parse((await running.ask("/", { headers: { host, accept: "application/json" } })).text);
  assert.equal(json.ecosystems[0].address, `http://${host}/sample/`);
  assert.equal((await running.ask("/o/nobody/", { headers: { host } })).status, 404);
});

Deno.test("GET /-/style.css, /-/schema/policy.json: what they are, private or no-store", async () => {
  await using running = run({ policySchema: { title: "the policy" } });
  const style = await running.ask("/-/style.css");
  assert.equal(style.headers.get("content-type"), "text/css; charset=utf-8");
  assert.match(style.headers.get("cache-control") ?? "", /^private/);
  assert.match(style.text, /prefers-color-scheme: dark/);
  const schema = await running.ask("/-/schema/policy.json");
  assert.deepEqual(JSON.parse(schema.text), { title: "the policy" });
  assert.equal(schema.headers.get("content-type"), "application/schema+json");
});

Deno.test("site: HEAD is GET without a body, other methods are 405", async () => {
  await using running = run({ explain: () => ANSWER });
  for (
    const target of [
      "/",
      "/health",
      "/-/health",
      "/-/style.css",
      "/-/schema/policy.json",
      "/-/why/pkg:npm/foo",
    ]
  ) {
    const head = await running.ask(target, { method: "HEAD" });
    const get = await running.ask(target);
    assert.equal(head.status, 200, target);
    assert.equal(head.body.byteLength, 0);
    assert.equal(head.headers.get("content-type"), get.headers.get("content-type"));
    // Where an exception is asked for.
    const takesForms = target.startsWith("/-/why/");
    for (const method of takesForms ? ["PUT", "DELETE"] : ["POST", "PUT", "DELETE"]) {
      const answer = await running.ask(target, { method });
      assert.equal(answer.status, 405, `${method} ${target}`);
      assert.equal(answer.headers.get("allow"), takesForms ? "GET, HEAD, POST" : "GET, HEAD");
    }
  }
});

Deno.test("site: every page, and every way to miss one, is private or no-store and not to be guessed at", async () => {
  await using running = run({ explain: () => ANSWER });
  const targets = SITE_PATHS.map((path) => path.replace("*", "pkg:npm/foo@1.0.0"));
  for (
    const target of [...targets, "/-/why/x", "/-/nothing", "/nothing", "/o/nobody/", "/%00", "/sample;x"]
  ) {
    for (const method of ["GET", "HEAD", "POST", "PATCH"]) {
      const { headers } = await running.ask(target, { method });
      assert.match(headers.get("cache-control") ?? "", /^(?:private\b|no-store$)/, `${method} ${target}`);
      assert.equal(headers.get("x-content-type-options"), "nosniff", `${method} ${target}`);
    }
  }
  assert.equal(running.served.length, 0);
});

Deno.test("site: problems are problem+json where JSON is asked for, else a line of text", async () => {
  await using running = run();
  const json = await running.ask("/-/nothing", { headers: { accept: "application/problem+json" } });
  assert.equal(json.headers.get("content-type"), "application/problem+json");
  assert.deepEqual([JSON.parse(json.text).status, JSON.parse(json.text).code], [404, "no-such-page"]);
  const text = await running.ask("/-/nothing");
  assert.match(text.text, /^There is no such page\.[^\n]*\n$/);
});

Deno.test("site: an exception is a 500 with an id, logged once, and says nothing of itself", async () => {
  await using running = run({
    explain: () => {
      throw new TypeError("secret");
    },
  });
  const answer = await running.ask("/-/why/pkg:npm/foo");
  assert.equal(answer.status, 500);
  assert.doesNotMatch(answer.text, /secret/);
  assert.equal(running.lines.filter(({ level }) => level === "error").length, 1);
});
