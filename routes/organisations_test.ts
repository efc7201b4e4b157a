import assert from "node:assert/strict";
import { run, sampleDocument, sampleView } from "./testing.ts";

Deno.test("admit: an organisation by label and by path must agree, else 400", async () => {
  const organisations = [sampleView("default"), sampleView("acme"), sampleView("other")];
  await using running = run({ base: "http://sluice.test:{port}", organisations });
  const at = (host: string, target: string) =>
    running.ask(target, { headers: { host: `${host}:${running.port}` } });
  const rows: readonly (readonly [string, string, number, string | null])[] = [
    ["sluice.test", "/sample/foo", 200, "default"],
    ["acme.sluice.test", "/sample/foo", 200, "acme"],
    ["ACME.sluice.test", "/sample/foo", 200, "acme"],
    ["sluice.test", "/o/acme/sample/foo", 200, "acme"],
    ["acme.sluice.test", "/o/acme/sample/foo", 200, "acme"],
    ["acme.sluice.test", "/o/other/sample/foo", 400, null],
    ["acme.sluice.test", "/o/other/-/why/pkg:npm/foo", 400, null],
    ["acme.sluice.test", "/o/other/", 400, null],
    ["a.acme.sluice.test", "/sample/foo", 404, null],
    ["nobody.sluice.test", "/sample/foo", 404, null],
    ["sluice.test", "/o/nobody/sample/foo", 404, null],
    ["sluice.test", "/o/ACME/sample/foo", 404, null],
    ["sluice.test", "/o/%61cme/sample/foo", 200, "acme"],
    ["sluice.test", "/o/o/acme/sample/foo", 404, null],
    ["sluice.test", "/o/acme/o/other/sample/foo", 404, null],
    ["sluice.test", "/o", 404, null],
    ["sluice.test", "/o/", 404, null],
    ["sluice.test", "/o/acme/health", 404, null],
  ];
  for (const [host, target, status, organisation] of rows) {
    const before = running.served.length;
    assert.equal((await at(host, target)).status, status, `${host} ${target}`);
    const request = running.served.length > before ? running.served.at(-1) : undefined;
    assert.equal(request?.organisation.id ?? null, organisation, `${host} ${target}`);
    assert.equal(request?.caller.organisation ?? null, organisation, `${host} ${target}`);
  }
});

Deno.test("createResolver: links come from the base address in the form in which the organisation was named", async () => {
  const organisations = [sampleView("default"), sampleView("acme")];
  await using running = run({ base: "http://sluice.test:{port}/packages/", organisations });
  const { port } = running;
  const rows: readonly (readonly [string, string, string])[] = [
    [`sluice.test:${port}`, "/sample/x", `http://sluice.test:${port}/packages`],
    [`sluice.test:${port}`, "/packages/sample/x", `http://sluice.test:${port}/packages`],
    [`127.0.0.1:${port}`, "/sample/x", `http://sluice.test:${port}/packages`],
    [`sluice.test:${port}`, "/packages/o/acme/sample/x", `http://sluice.test:${port}/packages/o/acme`],
    [`acme.sluice.test:${port}`, "/packages/sample/x", `http://acme.sluice.test:${port}/packages`],
  ];
  for (const [host, target, site] of rows) {
    assert.equal((await running.ask(target, { headers: { host } })).status, 200, target);
    assert.equal(running.served.at(-1)?.site, site);
    assert.equal(running.served.at(-1)?.mount, `${site}/sample`);
  }
});

Deno.test("createResolver: an unknown organisation is the default one where that is configured, at its own address", async () => {
  await using running = run({ base: "http://sluice.test", hosts: [], unknownOrganisation: "default" });
  assert.equal((await running.ask("/o/nobody/sample/x", { headers: { host: "sluice.test" } })).status, 200);
  assert.equal((await running.ask("/sample/x", { headers: { host: "nobody.sluice.test" } })).status, 200);
  assert.deepEqual(running.served.map(({ mount, organisation }) => [mount, organisation.id]), [
    ["http://sluice.test/sample", "default"],
    ["http://sluice.test/sample", "default"],
  ]);
});

Deno.test("/{package}/-/{file} at the root is answered only where the organisation is certain", async () => {
  const one = { base: "http://sluice.test", hosts: [] };
  const host = { host: "sluice.test" };
  await using single = run(one);
  assert.equal((await single.ask("/foo/-/foo-1.tgz", { headers: host })).status, 200);
  assert.equal(single.served[0]?.atRoot, true);
  assert.equal((await single.ask("/@acme/foo/-/foo-1.tgz", { headers: host })).status, 200);
  for (
    const target of [
      "/foo/-/foo.txt",
      "/foo/foo-1.tgz",
      "/foo/-/",
      "/a/b/c/-/d.tgz",
      "/o/default/foo/-/foo-1.tgz",
    ]
  ) {
    assert.equal((await single.ask(target, { headers: host })).status, 404, target);
  }
  await using several = run({ ...one, organisations: [sampleView("default"), sampleView("acme")] });
  assert.equal((await several.ask("/foo/-/foo-1.tgz", { headers: host })).status, 404);
  assert.equal(
    (await several.ask("/foo/-/foo-1.tgz", { headers: { host: "acme.sluice.test" } })).status,
    200,
  );
  assert.equal(several.served[0]?.organisation.id, "acme");
});

Deno.test("admit: five hundred interleaved requests each keep their own organisation", async () => {
  const organisations = Array.from({ length: 10 }, (_, index) => sampleView(`org-${index}`));
  await using running = run({
    organisations,
    serve: async ({ organisation, caller, mount, request }) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
      return sampleDocument(
        JSON.stringify([organisation.id, caller.organisation, caller.user, mount, request.segments[0]]),
      );
    },
  });
  await Promise.all(Array.from({ length: 500 }, async (_, index) => {
    const id = `org-${index % 10}`;
    const authorization = `Basic ${btoa(`user-${index}:x`)}`;
    const answer = await running.ask(`/o/${id}/sample/p${index}`, { headers: { authorization } });
    const mount = `http://${running.host}/o/${id}/sample`;
    assert.deepEqual(JSON.parse(answer.text), [id, id, `user-${index}`, mount, `p${index}`]);
  }));
});
