import assert from "node:assert/strict";
import { ORGANISATION, sectionsOf, settingsFromForm, settingsOf, writtenOf } from "./settings_form.ts";

function changed(document: unknown, given: Readonly<Record<string, string>>) {
  const sections = [ORGANISATION, ...sectionsOf(document, ["npm", "pypi"])];
  return settingsFromForm(document, new URLSearchParams(given), sections);
}

/** As a browser sends it where nothing was touched. */
function untouched(document: unknown): Record<string, string> {
  const sections = [ORGANISATION, ...sectionsOf(document, ["npm", "pypi"])];
  return Object.fromEntries(
    sections.flatMap((section) =>
      section.fields.filter(({ kind }) => kind !== "rules").map(({ key }) => [
        `${section.prefix}${key}`,
        writtenOf(settingsOf(document, section), key),
      ])
    ),
  );
}

Deno.test("settingsFromForm: a form that nobody touched leaves the document as it was written, byte for byte", () => {
  for (
    const document of [
      {},
      { minimumAge: 0, publisherDowngrade: "warn", auditFixes: false, closed: true, observe: ["yanked"] },
      { publisherDowngrade: { window: "90d" }, auditFixes: { enabled: true, minimumAge: "1h" } },
      { ecosystems: { npm: { minimumAge: "3d", block: ["npm/a"] }, maven: { yanked: "warn" } } },
      { webhooks: [{ url: "(set)" }], block: { "npm/a": "1" } },
    ]
  ) {
    const form = {
      ...untouched(document),
      ...(document.observe ? { "document.observe.own": "own", "document.observe": "yanked" } : {}),
    };
    assert.equal(JSON.stringify(changed(document, form)), JSON.stringify(document));
  }
});

Deno.test("settingsFromForm: what is empty is taken away, and what was written in short stays short", () => {
  assert.deepEqual(changed({ minimumAge: "3d", yanked: "warn" }, { "document.minimumAge": " " }), {
    yanked: "warn",
  });
  assert.deepEqual(
    changed({ publisherDowngrade: "deny" }, { "document.publisherDowngrade.verdict": "warn" }),
    {
      publisherDowngrade: "warn",
    },
  );
  assert.deepEqual(changed({ publisherDowngrade: "warn" }, { "document.publisherDowngrade.window": "9d" }), {
    publisherDowngrade: { verdict: "warn", window: "9d" },
  });
  assert.deepEqual(changed({ auditFixes: false }, { "document.auditFixes.enabled": "" }), {});
  assert.deepEqual(changed({}, { "document.closed": "true", "document.auditFixes.enabled": "false" }), {
    closed: true,
    auditFixes: false,
  });
});

Deno.test("settingsFromForm: an ecosystem's own settings come and go", () => {
  const own = changed({}, { "document.ecosystems.npm.minimumAge": "3d" });
  assert.deepEqual(own, { ecosystems: { npm: { minimumAge: "3d" } } });
  assert.deepEqual(changed(own, { "document.ecosystems.npm.minimumAge": "" }), {});
  const rules = { "document.ecosystems.npm.observe.own": "own" };
  assert.deepEqual(changed({}, rules), { ecosystems: { npm: { observe: [] } } });
  assert.deepEqual(
    changed({ ecosystems: { npm: { observe: [] } } }, { "document.ecosystems.npm.observe.own": "" }),
    {},
  );
  assert.deepEqual(changed({}, { "document.observe.own": "own" }), {});
});
