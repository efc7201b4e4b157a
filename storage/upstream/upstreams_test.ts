import assert from "node:assert/strict";
import fc from "fast-check";
import { compilePattern } from "./patterns.ts";
import { upstreamConfig } from "./testing.ts";
import { createUpstreams } from "./upstreams.ts";

const ASK = { ecosystem: "npm", key: "registry", organisation: "default" };
const PUBLIC = upstreamConfig({ url: "https://registry.example" });

function chosen(
  configs: Parameters<typeof createUpstreams>[0],
  name: string | null,
  organisation = "default",
) {
  return createUpstreams(configs).choose({ ...ASK, name, organisation })?.root ?? null;
}

Deno.test("choose: a scope goes to its own upstream, all else to the catch-all", () => {
  const configs = [PUBLIC, upstreamConfig({ url: "https://acme.example/npm", match: ["@acme/*"] })];
  assert.equal(chosen(configs, "@acme/foo"), "https://acme.example/npm/");
  assert.equal(chosen(configs, "@acmeful/foo"), "https://registry.example/");
  assert.equal(chosen(configs, "left-pad"), "https://registry.example/");
});

Deno.test("choose: the most specific pattern wins, whatever the order; equals go by configuration order", () => {
  const configs = [
    upstreamConfig({ url: "https://all.example", match: ["@acme/*"] }),
    upstreamConfig({ url: "https://ui.example", match: ["@acme/ui-*"] }),
    upstreamConfig({ url: "https://one.example", match: ["@acme/ui-button"] }),
    upstreamConfig({ url: "https://late.example", match: ["@acme/*"] }),
  ];
  assert.equal(chosen(configs, "@acme/ui-button"), "https://one.example/");
  assert.equal(chosen(configs, "@acme/ui-table"), "https://ui.example/");
  assert.equal(chosen(configs, "@acme/api"), "https://all.example/");
});

Deno.test("choose: null where no upstream has the name, the ecosystem or the key; patterns never take what has no name", () => {
  const configs = [upstreamConfig({ url: "https://acme.example", match: ["*"] })];
  assert.equal(chosen(configs, null), null);
  assert.equal(chosen([PUBLIC], null), "https://registry.example/");
  const upstreams = createUpstreams([PUBLIC]);
  assert.equal(upstreams.choose({ ...ASK, ecosystem: "pypi", name: "x" }), null);
  assert.equal(upstreams.choose({ ...ASK, key: "files", name: "x" }), null);
});

Deno.test("choose: an upstream for some organisations is theirs alone, comes before the public one, and has its own scope", () => {
  const own = upstreamConfig({ url: "https://acme.example", organisations: ["acme"] });
  const upstreams = createUpstreams([PUBLIC, own]);
  const theirs = upstreams.choose({ ...ASK, name: "x", organisation: "acme" });
  assert.equal(theirs?.root, "https://acme.example/");
  assert.equal(theirs?.scope, theirs?.id);
  const others = upstreams.choose({ ...ASK, name: "x", organisation: "other" });
  assert.equal(others?.root, "https://registry.example/");
  assert.equal(others?.scope, "public");
  assert.equal(others?.isDefault, true);
});

Deno.test("id: stable under reordering and new credentials, another for another address, pattern or organisation", () => {
  const idOf = (config: Parameters<typeof upstreamConfig>[0]) =>
    createUpstreams([upstreamConfig(config)]).all()[0]!.id;
  const id = idOf({ url: "https://registry.example", match: ["a", "b"] });
  assert.match(id, /^registry-[0-9a-f]{8}$/);
  assert.equal(idOf({ url: "https://registry.example/", match: ["b", "a"] }), id);
  assert.equal(
    idOf({
      url: "https://registry.example/",
      match: ["a", "b"],
      credentials: { kind: "bearer", token: "t" },
    }),
    id,
  );
  assert.notEqual(idOf({ url: "https://registry.example/npm", match: ["a", "b"] }), id);
  assert.notEqual(idOf({ url: "https://registry.example", match: ["a"] }), id);
  assert.notEqual(idOf({ url: "https://registry.example", match: ["a", "b"], organisations: ["acme"] }), id);
});

Deno.test("createUpstreams: userinfo of an address becomes credentials and is shown nowhere", () => {
  const upstreams = createUpstreams([
    upstreamConfig({ url: "https://me:p%40ss@registry.example/npm?x=1#y" }),
  ]);
  const [upstream] = upstreams.all();
  assert.equal(upstream!.root, "https://registry.example/npm/");
  assert.deepEqual(upstreams.configOf(upstream!).credentials, {
    kind: "basic",
    username: "me",
    password: "p@ss",
  });
});

Deno.test("createUpstreams: refuses what is no address without repeating it, and the same upstream twice", () => {
  assert.throws(() => createUpstreams([upstreamConfig({ url: "ftp://u:secret@x" })]), (error: Error) => {
    return error instanceof TypeError && !error.message.includes("secret");
  });
  assert.throws(() => createUpstreams([PUBLIC, PUBLIC]), TypeError);
});

Deno.test("compilePattern: agrees with a regular expression", () => {
  const part = fc.constantFrom("a", "b", "ab", "*", "/", ".");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), fc.array(part, { maxLength: 10 }), (pattern, name) => {
      const text = name.join("").replaceAll("*", "a");
      const expression = pattern.map((piece) => piece === "*" ? ".*" : piece.replace(".", "\\.")).join("");
      assert.equal(compilePattern(pattern.join("")).matches(text), new RegExp(`^${expression}$`).test(text));
    }),
  );
});

Deno.test("compilePattern: a pattern made to be slow is not", () => {
  const { matches } = compilePattern("*a".repeat(2_000) + "b");
  const started = performance.now();
  assert.equal(matches("a".repeat(50_000)), false);
  assert.ok(performance.now() - started < 3_000);
});
