/** From a client's sentence to a page: who is not let in signs in, and is where they wanted to be. */
import assert from "node:assert/strict";
import { startGitHub } from "../fakes/github.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";

const BROWSER = { accept: "text/html,*/*;q=0.8", "sec-fetch-mode": "navigate" };

Deno.test("callers: token: a browser opens a why link, signs in with GitHub, and stands before that very page; curl is told where tokens are made", async () => {
  await using github = startGitHub();
  await using registry = await startNpmRegistry();
  registry.publish({ name: "fresh", releases: { "1.1.0": { publishedAt: daysAgo(2) } } });
  await using sluice = await startSluice({
    env: {
      SLUICE_UPSTREAM_NPM: registry.upstream.url,
      SLUICE_GITHUB_URL: github.url,
      SLUICE_GITHUB_CLIENT_ID: github.clientId,
      SLUICE_GITHUB_CLIENT_SECRET: github.clientSecret,
      SLUICE_OWNERS: "github:octocat",
    },
  });
  github.callback = `${sluice.url}/-/auth/callback`;
  await sluice.setPolicy({ minimumAge: "10d" }, "acme");
  await (await fetch(`${sluice.url}/o/acme/npm/fresh`)).body?.cancel();
  await sluice.setPolicy({ minimumAge: "10d", callers: "token" }, "acme");
  const open = (address: string, cookie = "") =>
    fetch(new URL(address, sluice.url), {
      headers: { ...BROWSER, ...(cookie === "" ? {} : { cookie }) },
      redirect: "manual",
    });

  for (const page of ["/o/acme/-/why/pkg:npm/fresh@1.1.0?decision=d-1", "/o/acme/stats"]) {
    const away = await open(page);
    assert.equal(away.status, 401);
    assert.equal(away.headers.get("www-authenticate"), null);
    const door = await open(linkIn(await away.text(), /class="button" href="([^"]+)">Sign in</));
    const begun = await open(
      linkIn(await door.text(), /class="button" href="([^"]+)">\s*Sign in with GitHub/),
    );
    const flow = begun.headers.getSetCookie()[0]!.split(";", 1)[0]!;
    const agreed = await fetch(`${begun.headers.get("location")}&decision=agree`, { redirect: "manual" });
    const entered = await open(agreed.headers.get("location")!, flow);
    assert.equal(entered.headers.get("location"), page);
    const session = entered.headers.getSetCookie()[0]!.split(";", 1)[0]!;
    const shown = await open(page, session);
    assert.equal(shown.status, 200, page);
    if (page.includes("why")) assert.match(await shown.text(), /fresh 1\.1\.0 is held until/);
    else await shown.body?.cancel();
    for (const each of [begun, agreed, entered]) await each.body?.cancel();
  }

  const tokens = `${sluice.url}/-/admin/acme/tokens`;
  for (const path of ["npm/fresh", "-/why/pkg:npm/fresh"]) {
    const told = await fetch(`${sluice.url}/o/acme/${path}`);
    assert.equal(told.status, 401);
    assert.notEqual(told.headers.get("www-authenticate"), null);
    assert.ok((await told.text()).includes(`make one of your own at ${tokens} or ask whoever`), path);
  }
  const setup = await fetch(`${sluice.url}/o/acme/-/setup`);
  assert.ok((await setup.text()).includes(`Members make their own at ${tokens}, others ask`));
});

function linkIn(text: string, link: RegExp): string {
  const href = link.exec(text)?.[1];
  assert.ok(href !== undefined, text);
  return href.replaceAll("&amp;", "&");
}
