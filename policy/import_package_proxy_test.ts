import assert from "node:assert/strict";
import { importPackageProxy } from "./import_package_proxy.ts";
import { parsePolicy } from "./config.ts";

const WHOLE = {
  MIN_AGE_DAYS: 7,
  ALLOW_CHANGED_PUBLISHER: true,
  ALLOW_YANKED: false,
  ALLOW_AUDIT_OVERRIDE: false,
  REWRITE_DOWNLOAD_URLS: false,
  "webhook-url": "https://hooks.slack.com/services/T/B/x",
  "approval-webhook-url": "",
  blocklist: { "npm/axios": ["0.30.4", "1.14.1"], "pypi/base-x-64": "ALL" },
  allowlist: { "cargo/serde": ["1.0.1"] },
};

Deno.test("importPackageProxy: the whole document", () => {
  const imported = importPackageProxy(WHOLE);
  assert.ok(imported.ok, JSON.stringify(imported));
  assert.deepEqual(imported.source, {
    minimumAge: "7d",
    publisherDowngrade: "allow",
    yanked: "deny",
    auditFixes: false,
    artifacts: "upstream",
    block: ["npm/axios==0.30.4", "npm/axios==1.14.1", "pypi/base-x-64"],
    allow: [{ purl: "cargo/serde==1.0.1", lifts: ["minimumAge", "unknownAge"] }],
    webhooks: [{ id: "webhook-url", url: "https://hooks.slack.com/services/T/B/x", format: "slack" }],
  });
  assert.deepEqual(imported.warnings, [
    "webhook-url: what is sent has other fields than package-proxy's; see the README",
  ]);
  const parsed = parsePolicy(imported.source);
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.document, imported.document);
});

Deno.test("importPackageProxy: what it writes for an organisation without settings", () => {
  const imported = importPackageProxy({
    MIN_AGE_DAYS: 10,
    ALLOW_CHANGED_PUBLISHER: false,
    ALLOW_YANKED: false,
    ALLOW_AUDIT_OVERRIDE: true,
    REWRITE_DOWNLOAD_URLS: true,
    "webhook-url": "",
    "approval-webhook-url": "",
    blocklist: {},
    allowlist: {},
  });
  assert.ok(imported.ok);
  const defaults = parsePolicy({});
  assert.ok(defaults.ok);
  assert.deepEqual([imported.document, imported.warnings], [defaults.document, []]);
});

Deno.test("importPackageProxy: older spellings", () => {
  const imported = importPackageProxy({
    MIN_AGE_DAYS: "2.5",
    blocklist: { "axios": ["0.30.4"], "@acme/foo": "ALL", "npm/left-pad==1.3.1": "ALL" },
    "approval-webhook-url": "https://hook.example/x",
  });
  assert.ok(imported.ok, JSON.stringify(imported));
  assert.deepEqual(imported.source.minimumAge, "3600m");
  assert.deepEqual(imported.source.block, ["npm/axios==0.30.4", "npm/@acme/foo", "npm/left-pad==1.3.1"]);
  assert.deepEqual(imported.warnings, [
    '"axios" in blocklist names no ecosystem: read as "npm/axios"',
    '"@acme/foo" in blocklist names no ecosystem: read as "npm/@acme/foo"',
    "approval-webhook-url: Sluice has no approvals of that kind: refusals are sent there",
  ]);
});

Deno.test("importPackageProxy: every mistake at once", () => {
  const imported = importPackageProxy({
    MIN_AGE_DAYS: "ten",
    ALLOW_YANKED: "false",
    blocklist: [],
    allowlist: { "npm/a": [3] },
    "webhook-url": "secret address",
    bearerToken: "x",
  });
  assert.ok(!imported.ok);
  assert.deepEqual(imported.errors.map(({ path, value }) => `${path}: ${value}`), [
    'MIN_AGE_DAYS: "ten"',
    'ALLOW_YANKED: "false"',
    "blocklist: []",
    'allowlist["npm/a"]: [3]',
    "webhook-url: (secret)",
    'bearerToken: "x"',
  ]);
  assert.ok(!importPackageProxy("text").ok);
});

Deno.test("importPackageProxy: a mistake that only parsePolicy sees is reported as well", () => {
  const imported = importPackageProxy({ blocklist: { "npm/a b": ["1.0.0"] } });
  assert.ok(!imported.ok);
  assert.match(imported.errors[0]?.path ?? "", /^block/);
});
