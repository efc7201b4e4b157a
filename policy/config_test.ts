import assert from "node:assert/strict";
import {
  DEFAULT_POLICY,
  floorJsonSchema,
  formatPolicyError,
  parseFloor,
  parsePolicy,
  policyJsonSchema,
} from "./config.ts";
import { MAX_OVERRIDES } from "./cross_checks.ts";
import { at, DAY, HOUR } from "./testing.ts";

function mistakes(input: unknown): readonly string[] {
  const parsed = parsePolicy(input);
  return parsed.ok ? [] : parsed.errors.map(({ path, value }) => `${path}: ${value}`);
}

function overridesOf(input: unknown) {
  const parsed = parsePolicy(input);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.document.overrides;
}

Deno.test("parsePolicy: nothing written is the default policy", () => {
  for (const input of [{}, null, undefined]) {
    const parsed = parsePolicy(input);
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.document, DEFAULT_POLICY);
  }
  assert.deepEqual(DEFAULT_POLICY, {
    enforcement: "enforce",
    observe: [],
    minimumAge: 10 * DAY,
    unknownAge: "first-seen",
    yanked: "deny",
    deprecated: "allow",
    publisherDowngrade: { verdict: "deny", window: 180 * DAY },
    auditFixes: { enabled: true, minimumAge: DAY },
    artifacts: "proxy",
    overrides: [],
    ecosystems: {},
    callers: "anyone",
    closed: false,
    webhooks: [],
    retention: 400 * DAY,
  });
});

Deno.test("parsePolicy: every setting is read, for the organisation and for one ecosystem", () => {
  const settings = {
    enforcement: "observe",
    observe: ["yanked"],
    minimumAge: "36h",
    unknownAge: "strict",
    yanked: "warn",
    deprecated: "deny",
    publisherDowngrade: { verdict: "warn", window: "2w" },
    auditFixes: { enabled: false, minimumAge: "90m" },
    artifacts: "upstream",
  };
  const parsed = parsePolicy({
    ...settings,
    ecosystems: { npm: { ...settings, overrides: [], block: ["npm/a"], allow: [] } },
    callers: "token",
    closed: true,
    webhooks: [
      { url: "https://hook.example/x", format: "slack", events: ["refused", "observed"], id: "ops" },
      { url: "http://hook.example" },
    ],
    retention: "30d",
  });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const read = {
    ...settings,
    minimumAge: 36 * HOUR,
    publisherDowngrade: { verdict: "warn", window: 14 * DAY },
    auditFixes: { enabled: false, minimumAge: 1.5 * HOUR },
  };
  const { ecosystems, webhooks, callers, closed, retention, overrides, ...own } = parsed.document;
  assert.deepEqual(own, read);
  const { overrides: blocked, ...npm } = ecosystems.npm ?? { overrides: [] };
  assert.deepEqual(npm, read);
  assert.deepEqual(blocked.map(({ id }) => id), ["deny npm/a"]);
  assert.deepEqual([callers, closed, retention, overrides], ["token", true, 30 * DAY, []]);
  assert.deepEqual(webhooks, [
    { id: "ops", url: "https://hook.example/x", format: "slack", events: ["refused", "observed"] },
    { id: "webhook-2", url: "http://hook.example", format: "json", events: ["refused", "alert", "waiver"] },
  ]);
});

Deno.test("parsePolicy: an ecosystem's partial settings leave the organisation's others", () => {
  const parsed = parsePolicy({
    ecosystems: { npm: { auditFixes: false, publisherDowngrade: { window: "1d" } } },
  });
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.document.ecosystems.npm, {
    auditFixes: { enabled: false },
    publisherDowngrade: { window: DAY },
    overrides: [],
  });
});

Deno.test("parsePolicy: source is what was written", () => {
  const input = { minimumAge: "5d", block: ["npm/axios==0.30.4"] };
  const parsed = parsePolicy(input);
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.source, input);
  const again = parsePolicy(parsed.source);
  assert.ok(again.ok);
  assert.deepEqual(again.document, parsed.document);
});

/** What is written, and type, name, version and range of what is read. */
const ENTRIES: readonly (readonly [unknown, ...(string | null)[]])[] = [
  ["npm/axios==0.30.4", "npm", "axios", "0.30.4", null],
  ["npm/axios@0.30.4", "npm", "axios", "0.30.4", null],
  ["npm/axios: 0.30.4", "npm", "axios", "0.30.4", null],
  ["npm/axios", "npm", "axios", null, null],
  ["NPM/axios", "npm", "axios", null, null],
  ["pypi/base-x-64: ALL", "pypi", "base-x-64", null, null],
  ["pypi/base-x-64==ALL", "pypi", "base-x-64", null, null],
  [{ "pypi/base-x-64": "ALL" }, "pypi", "base-x-64", null, null],
  [{ "npm/axios": "0.30.4" }, "npm", "axios", "0.30.4", null],
  [{ "npm/axios": ["0.30.4"] }, "npm", "axios", "0.30.4", null],
  ["npm/@acme/*", "npm", "@acme/*", null, null],
  ["npm/@acme/foo@1.0.0", "npm", "@acme/foo", "1.0.0", null],
  ["npm/@acme/foo", "npm", "@acme/foo", null, null],
  ["npm/lodash==4.*", "npm", "lodash", "4.*", null],
  ["npm/axios==vers:npm/>=1.0.0|<2.0.0", "npm", "axios", null, "vers:npm/>=1.0.0|<2.0.0"],
  ["pkg:npm/axios@0.30.4", "npm", "axios", "0.30.4", null],
  ["pkg:npm/%40acme/foo@1.0.0", "npm", "@acme/foo", "1.0.0", null],
  ["pkg:npm/@acme/foo", "npm", "@acme/foo", null, null],
  ["pkg:npm/axios@vers:npm/>=1.0.0|<2.0.0", "npm", "axios", null, "vers:npm/>=1.0.0|<2.0.0"],
  ["pkg:npm/axios@vers%3Anpm%2F%3E%3D1.0.0%7C%3C2.0.0", "npm", "axios", null, "vers:npm/>=1.0.0|<2.0.0"],
  ["pkg:npm/axios@1.0.0%2Bbuild", "npm", "axios", "1.0.0+build", null],
  ["pkg:npm/axios@*", "npm", "axios", null, null],
  ["pkg:npm/JSONStream", "npm", "JSONStream", null, null],
  ["pkg:golang/github.com/acme/tool@v1.0.0", "golang", "github.com/acme/tool", "v1.0.0", null],
  [{ purl: "pkg:npm/axios", range: "vers:npm/<1" }, "npm", "axios", null, "vers:npm/<1"],
  [{ purl: "npm/axios==1.0.0" }, "npm", "axios", "1.0.0", null],
];

for (const [written, ...expected] of ENTRIES) {
  Deno.test(`parsePolicy: block entry ${JSON.stringify(written)}`, () => {
    const [override, ...others] = overridesOf({ block: [written] });
    assert.deepEqual([override?.type, override?.name, override?.version, override?.range], expected);
    assert.deepEqual([override?.effect, others.length], ["deny", 0]);
    assert.equal(overridesOf({ allow: [written] })[0]?.effect, "allow");
    const floor = parseFloor({ deny: [written] });
    assert.ok(floor.ok);
    assert.equal(floor.document.deny[0]?.effect, "deny");
  });
}

const BAD_ENTRIES: readonly unknown[] = [
  "axios",
  "npm/",
  "/axios",
  "npm//axios",
  "npm/axios>=1.0.0",
  "npm/axios 1.0.0",
  "npm/axios==",
  "npm/../axios",
  "npm/axios==1.0.0 || 2.0.0",
  "nmp/axios",
  "pkg:npm/axios?arch=x",
  "pkg:npm/axios#sub",
  "pkg:npm/%zz",
  "pkg:axios",
  "npm/axios==vers:pypi/1.0.0",
  "npm/axios==vers:npm/>=1|>=2",
  "npm/\u0000",
  "",
  `npm/${"a".repeat(600)}`,
  3,
  null,
  { "npm/axios": 3 },
  { "npm/axios": { a: 1 } },
  { purl: "pkg:npm/axios", rnage: "vers:npm/1" },
  { purl: "pkg:npm/axios@1.0.0", range: "vers:npm/1" },
  { purl: "pkg:npm/axios", range: "1.x" },
  { purl: "pkg:npm/axios", until: "soon" },
  { purl: "pkg:npm/axios", until: "2026-02-30" },
  { range: "vers:npm/1" },
  { purl: "pkg:npm/axios", reason: "\ud800" },
  {},
  [],
];

for (const written of BAD_ENTRIES) {
  Deno.test(`parsePolicy: refuses block entry ${JSON.stringify(written)?.slice(0, 60)}`, () => {
    const parsed = parsePolicy({ block: ["npm/good", written] });
    assert.ok(!parsed.ok, JSON.stringify(parsed));
    assert.ok(
      parsed.errors.every(({ path }) => path.startsWith("block[1]")),
      JSON.stringify(parsed.errors),
    );
  });
}

Deno.test("parsePolicy: block and allow may be maps from names to versions", () => {
  const ids = overridesOf({
    block: { "npm/axios": ["0.30.4", "1.14.1"], "pypi/base-x-64": "ALL" },
    allow: { "npm/a": "1.0.0" },
  }).map(({ id }) => id);
  assert.deepEqual(ids, [
    "deny npm/axios==0.30.4",
    "deny npm/axios==1.14.1",
    "deny pypi/base-x-64",
    "allow npm/a==1.0.0",
  ]);
});

Deno.test("parsePolicy: an override carries all that was written", () => {
  const [override] = overridesOf({
    overrides: [{
      id: "x1",
      effect: "allow",
      purl: "pkg:npm/a@1.0.0",
      reason: "r",
      owner: "ann",
      until: "2027-03-31T18:00:00+01:00",
      lifts: ["yanked", "freeze"],
    }],
  });
  assert.deepEqual(override, {
    id: "x1",
    effect: "allow",
    type: "npm",
    name: "a",
    version: "1.0.0",
    range: null,
    reason: "r",
    owner: "ann",
    until: at("2027-03-31T17:00:00Z"),
    lifts: ["yanked", "freeze"],
  });
});

Deno.test("parsePolicy: all mistakes at once, each with its key and value", () => {
  assert.deepEqual(
    mistakes({
      minimumAge: 10,
      retention: "2 days",
      unknownAge: "maybe",
      nope: { deep: 1 },
      publisherDowngrade: { verdict: "dny", windw: "1d" },
      auditFixes: "on",
      observe: ["yanked", "age"],
      overrides: [
        { effect: "deny", purl: "pkg:npm/a", lifts: ["yanked"] },
        { effect: "permit", purl: "x" },
        "npm/a",
      ],
      ecosystems: { npm: { minimumAge: "1", callers: "named", block: ["pypi/x"] }, nmp: {} },
      webhooks: [{ url: "ftp://secret.example", format: "xml" }],
    }),
    [
      'observe[1]: "age"',
      "minimumAge: 10",
      'unknownAge: "maybe"',
      'publisherDowngrade.verdict: "dny"',
      'publisherDowngrade.windw: "1d"',
      'auditFixes: "on"',
      'overrides[1].effect: "permit"',
      'overrides[1].purl: "x"',
      'overrides[2]: "npm/a"',
      'ecosystems.npm.minimumAge: "1"',
      'ecosystems.npm.callers: "named"',
      "webhooks[0].url: (secret)",
      'webhooks[0].format: "xml"',
      'retention: "2 days"',
      'nope: {"deep":1}',
      'overrides[0].lifts: ["yanked"]',
      "ecosystems.nmp: {}",
      'ecosystems.npm.block[0]: "pypi/x"',
    ],
  );
});

for (const input of ["text", 3, [], true]) {
  Deno.test(`parsePolicy: refuses a document that is ${JSON.stringify(input)}`, () => {
    const parsed = parsePolicy(input);
    assert.ok(!parsed.ok);
    assert.equal(parsed.errors[0]?.path, "");
    assert.match(
      formatPolicyError(parsed.errors[0]),
      /^document: a value of type (string|number|list|boolean): expected an object$/,
    );
  });
}

Deno.test("parsePolicy: keys of the prototype are keys like others", () => {
  assert.deepEqual(mistakes(JSON.parse('{"constructor": 1}')), ["constructor: 1"]);
  assert.notDeepEqual(mistakes(JSON.parse('{"__proto__": {"minimumAge": "0"}}')), []);
  assert.notDeepEqual(mistakes(JSON.parse('{"ecosystems": {"__proto__": {"minimumAge": "0"}}}')), []);
});

Deno.test("parsePolicy: an id is used once", () => {
  const entry = { id: "one", purl: "pkg:npm/a" };
  assert.deepEqual(mistakes({ block: [entry], ecosystems: { npm: { allow: [entry] } } }), [
    'ecosystems.npm.allow[0].id: "one"',
  ]);
  const webhook = { id: "w", url: "https://hook.example" };
  assert.deepEqual(mistakes({ webhooks: [webhook, webhook] }), ['webhooks[1].id: "w"']);
});

Deno.test("parsePolicy: tells how many overrides are too many", () => {
  const block = Array.from({ length: MAX_OVERRIDES }, (_, index) => `npm/p${index}`);
  assert.equal(overridesOf({ block }).length, MAX_OVERRIDES);
  const parsed = parsePolicy({ block, allow: ["npm/x"] });
  assert.ok(!parsed.ok);
  assert.deepEqual(parsed.errors.map(formatPolicyError), [
    'allow[0]: "npm/x": expected at most 10000 overrides, block and allow entries in all, not 10001',
  ]);
});

Deno.test("parsePolicy: the ecosystems that may be named can be given", () => {
  assert.ok(parsePolicy({ ecosystems: { mine: {} }, block: ["mine/x"] }, { ecosystems: ["mine"] }).ok);
  assert.ok(!parsePolicy({ block: ["npm/x"] }, { ecosystems: ["mine"] }).ok);
});

Deno.test("parsePolicy: a value in a message is bounded, and an address is never in one", () => {
  const parsed = parsePolicy({
    minimumAge: "x".repeat(5_000),
    webhooks: [{ url: "gopher://hook.example/token" }, "https://hook.example/token"],
    webhok: [{ url: "https://hook.example/token" }],
  });
  assert.ok(!parsed.ok);
  const text = parsed.errors.map(formatPolicyError).join("\n");
  assert.ok(text.length < 1_000);
  assert.doesNotMatch(text, /token/);
});

Deno.test("parseFloor: knows deny alone", () => {
  assert.deepEqual(parseFloor({}), { ok: true, document: { deny: [] }, source: {} });
  const parsed = parseFloor({ deny: [{ purl: "pkg:npm/a", lifts: [] }], allow: [] });
  assert.ok(!parsed.ok);
  assert.deepEqual(parsed.errors.map(({ path }) => path), ["deny[0].lifts", "allow"]);
});

Deno.test("policyJsonSchema: every key says what it means", () => {
  const { properties } = policyJsonSchema() as { properties: Record<string, { description?: string }> };
  assert.deepEqual(
    Object.entries(properties).filter(([, { description }]) => !description).map(([key]) => key),
    [],
  );
});

Deno.test("policyJsonSchema and floorJsonSchema: every key, its default, and no other key", () => {
  const schema = policyJsonSchema() as {
    properties: Record<string, { default?: unknown }>;
    additionalProperties: boolean;
  };
  const keys = [...Object.keys(DEFAULT_POLICY), "block", "allow"].sort();
  assert.deepEqual(Object.keys(schema.properties).sort(), keys);
  assert.equal(schema.additionalProperties, false);
  assert.equal(schema.properties.minimumAge?.default, "10d");
  const defaults = Object.fromEntries(
    Object.entries(schema.properties).map(([key, value]) => [key, value.default]),
  );
  const parsed = parsePolicy(defaults);
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.document, DEFAULT_POLICY);
  assert.deepEqual(Object.keys((floorJsonSchema() as typeof schema).properties), ["deny"]);
});
