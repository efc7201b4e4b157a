import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import type { ArtifactAsk, Caller, CatalogueAsk, Explanation, Material } from "../ecosystem.ts";
import { npm } from "./npm.ts";
import { decisionsHiding, documentOf, get, LINKS, readAll, textOf } from "./test_support.ts";
import { samplePackage } from "./testing.ts";

const ASK: ArtifactAsk = {
  kind: "artifact",
  subject: { kind: "package", name: "x" },
  filename: "x-1.0.0.tgz",
};
const EXPLANATION = {
  sentence: "x 1.0.0 is held until 2026-12-01.",
  link: "http://127.0.0.1:8080/-/why/pkg:npm/x@1.0.0?decision=1",
  speakingLink: "http://127.0.0.1:8080/-/why/pkg:npm/x@1.0.0/held-by-minimumAge-until-2026-12-01",
} as Explanation;

Deno.test("refuse speaks to each client in its own way", () => {
  const to = (name: string, version: string) => {
    const refusal = npm.refuse(ASK, EXPLANATION, { name, version, command: null });
    return refusal.kind === "redirect"
      ? `${refusal.status} ${refusal.location}`
      : `${refusal.status} ${refusal.body}`;
  };
  const text = `${EXPLANATION.sentence} ${EXPLANATION.link}`;
  const json = `403 ${JSON.stringify({ error: text })}`;
  assert.equal(to("npm", "11.19.1"), json);
  assert.equal(to("pnpm", "12.21.0"), json);
  assert.equal(to("yarn", "1.22.22"), json);
  assert.equal(to("yarn", "4.18.0"), `302 ${EXPLANATION.speakingLink}`);
  assert.equal(to("got", ""), `302 ${EXPLANATION.speakingLink}`, "what yarn 4.18 calls itself");
  assert.equal(to("bun", "1.4.0"), `302 ${EXPLANATION.speakingLink}`);
  assert.equal(to("curl", "8.0.0"), `403 ${text}\n`);
  assert.equal(to("", ""), `403 ${text}\n`);
});

Deno.test("refuse redirects for files alone", () => {
  const ask = {
    kind: "version",
    subject: { kind: "package", name: "x" },
    version: "1.0.0",
    variant: "manifest",
  } as const;
  assert.equal(npm.refuse(ask, EXPLANATION, { name: "bun", version: "1.4.0", command: null }).kind, "body");
});

Deno.test("fail is JSON with error", () => {
  const failure = npm.fail({ status: 404, code: "no-such-package", message: 'No "x"' }, {
    name: "npm",
    version: "11",
    command: null,
  });
  assert.deepEqual(JSON.parse(failure.body), { error: 'No "x"', code: "no-such-package" });
});

Deno.test("local answers ping and whoami", () => {
  const caller = (user: string | null) => ({ user }) as Caller;
  const answer = (variant: string, user: string | null) => {
    const { status, body } = npm.local({ kind: "local", variant }, caller(user), LINKS);
    return [status, JSON.parse(textOf(body))];
  };
  assert.deepEqual(answer("ping", null), [200, {}]);
  assert.deepEqual(answer("whoami", "ann"), [200, { username: "ann" }]);
  assert.equal(answer("whoami", null)[0], 401);
});

function search(objects: unknown, hidden: readonly string[], withFacts = true) {
  const ask = npm.parse(get("-/v1/search?text=x")) as CatalogueAsk;
  const document = documentOf(
    JSON.stringify({ objects, total: 3, time: "now" }),
    "http://registry.example/-/v1/search",
    "search",
  );
  const sample = samplePackage({
    name: "known",
    versions: ["1.0.0", "1.1.0", "2.0.0"].map((version) => ({ version })),
  });
  const { facts } = readAll("known", documentOf(sample.json, "http://registry.example/known"));
  const material: Material = {
    documents: [document],
    reading: null,
    decisions: (name) => name === "known" ? decisionsHiding(new Set(hidden)) : null,
    ...(withFacts && { facts: (name: string) => name === "known" ? facts : null }),
    now: 0 as Material["now"],
    notice: () => "",
  };
  const rendered = npm.render(ask, material, LINKS)!;
  return {
    mentions: npm.mentions!(ask, [document]),
    answer: JSON.parse(textOf(rendered.body)),
    withheld: rendered.withheld(),
  };
}

const FOUND = [
  { package: { name: "known", version: "2.0.0", date: "2026-01-01", description: "d" }, score: 1 },
  { package: { name: "unknown", version: "9.0.0", date: "2026-01-01" }, flags: {} },
  { package: { name: "../odd", version: "1.0.0" } },
];

Deno.test("search shows versions that cached facts allow, and no other", () => {
  const { mentions, answer, withheld } = search(FOUND, []);
  assert.deepEqual(mentions, ["known", "unknown"]);
  assert.deepEqual(answer, {
    objects: [FOUND[0], { package: { name: "unknown" }, flags: {} }],
    total: 3,
    time: "now",
  });
  assert.equal(withheld, 0);
  const older = search(FOUND, ["2.0.0"]);
  assert.deepEqual(older.answer.objects[0].package, { name: "known", description: "d", version: "1.1.0" });
  assert.equal(older.withheld, 1);
  assert.equal(search(FOUND, ["2.0.0"], false).answer.objects[0].package.version, undefined);
  assert.equal(search(FOUND, ["1.0.0", "1.1.0", "2.0.0"]).answer.objects[0].package.version, undefined);
});

Deno.test("search refuses an answer that is none", () => {
  assert.throws(() => search("none", []), /Cannot read search: objects is missing/);
});

Deno.test("samplePackage makes tarballs that fit their packument", () => {
  const sample = samplePackage({
    name: "@acme/x",
    versions: [{ version: "1.0.0", scripts: { install: "node x.js" } }],
  });
  assert.equal(sample.path, "@acme%2fx");
  const [[path, bytes]] = [...sample.files] as [[string, Uint8Array]];
  assert.equal(path, "@acme/x/-/x-1.0.0.tgz");
  const tar = new TextDecoder().decode(gunzipSync(bytes));
  assert.ok(
    tar.startsWith("package/package.json\0") && tar.includes('"install": "node x.js"') &&
      tar.length % 512 === 0,
  );
  assert.deepEqual(
    samplePackage({ name: "@acme/x", versions: [{ version: "1.0.0", scripts: { install: "node x.js" } }] }),
    sample,
  );
});

Deno.test("npm is frozen, and its set-up lines carry the mount", () => {
  assert.ok(Object.isFrozen(npm));
  for (const { line } of npm.setup("http://127.0.0.1:8080/npm")) {
    assert.match(line, /http:\/\/127\.0\.0\.1:8080\/npm/);
  }
});
