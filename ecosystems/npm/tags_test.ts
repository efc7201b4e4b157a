import assert from "node:assert/strict";
import { npm } from "./npm.ts";
import { documentOf, readAll } from "./test_support.ts";
import { samplePackage } from "./testing.ts";
import { repairTags } from "./tags.ts";
import { npmVersions } from "./version.ts";

const ALL = [
  "1.0.0",
  "4.9.0",
  "4.9.1",
  "5.0.0-beta.1",
  "5.0.0-rc.1",
  "5.0.0",
  "5.1.0",
  "5.2.0",
  "6.0.0-beta.1",
  "6.0.0-beta.2",
];

function repaired(tags: Record<string, string>, ...withheld: string[]) {
  const offered = ALL.filter((version) => !withheld.includes(version));
  return Object.fromEntries(repairTags(Object.entries(tags), offered, npmVersions));
}

Deno.test("repairTags leaves a tag on what is offered, latest on a pre-release too", () => {
  assert.deepEqual(repaired({ latest: "5.1.0" }), { latest: "5.1.0" });
  assert.deepEqual(repaired({ latest: "6.0.0-beta.1" }, "5.2.0"), { latest: "6.0.0-beta.1" });
});

Deno.test("repairTags moves latest to the greatest offered stable release below, never above", () => {
  assert.deepEqual(repaired({ latest: "5.1.0" }, "5.1.0"), { latest: "5.0.0" });
  assert.deepEqual(repaired({ latest: "5.1.0" }, "5.1.0", "5.0.0"), { latest: "4.9.1" });
  assert.deepEqual(repaired({ latest: "6.0.0-beta.2" }, "6.0.0-beta.2"), { latest: "5.2.0" });
  // Upstream took 5.1.0 and 5.2.0 back: what is above its latest is not offered instead.
  assert.deepEqual(repaired({ latest: "1.0.0" }, "1.0.0"), {});
});

Deno.test("repairTags gives latest to a pre-release only where no stable one is below", () => {
  assert.deepEqual(repaired({ latest: "5.0.0" }, "1.0.0", "4.9.0", "4.9.1", "5.0.0"), {
    latest: "5.0.0-rc.1",
  });
});

Deno.test("repairTags keeps other tags within their line and pre-release word, or drops them", () => {
  assert.deepEqual(repaired({ "latest-4": "4.9.1" }, "4.9.1"), { "latest-4": "4.9.0" });
  assert.deepEqual(repaired({ "latest-4": "4.9.1" }, "4.9.1", "4.9.0"), {});
  assert.deepEqual(repaired({ beta: "6.0.0-beta.2" }, "6.0.0-beta.2"), { beta: "6.0.0-beta.1" });
  assert.deepEqual(repaired({ beta: "6.0.0-beta.2" }, "6.0.0-beta.2", "6.0.0-beta.1"), {});
  assert.deepEqual(repaired({ next: "5.0.0-rc.1" }, "5.0.0-rc.1"), {});
});

Deno.test("repairTags drops what upstream left dangling or is no version", () => {
  assert.deepEqual(
    repaired({ latest: "5.9.0", gone: "9.0.0", odd: "../x", __proto__: "1.0.0" } as Record<string, string>),
    {
      latest: "5.2.0",
    },
  );
});

Deno.test("repairTags: no tag where nothing is offered", () => {
  assert.deepEqual(repaired({ latest: "5.1.0", beta: "6.0.0-beta.1" }, ...ALL), {});
});

Deno.test("npm.tags: read from the documents, put in place of them, and moved among what there was", () => {
  const sample = samplePackage({
    name: "foo",
    versions: ["1.0.0", "1.1.0", "2.0.0-a", "2.0.0"].map((version) => ({ version })),
    tags: { latest: "2.0.0", next: "2.0.0-a", gone: "9.0.0" },
  });
  const reading = readAll("foo", documentOf(sample.json, "http://registry.example/foo"));
  assert.deepEqual(npm.tags!.of(reading), [["latest", "2.0.0"], ["next", "2.0.0-a"], ["gone", "9.0.0"]]);
  assert.deepEqual(npm.tags!.of(npm.tags!.put(reading, [["latest", "1.0.0"]])), [["latest", "1.0.0"]]);
  const then = npm.tags!.among(reading, ["1.0.0", "1.1.0"]);
  assert.deepEqual(npm.tags!.of(then), [["latest", "1.1.0"]]);
  assert.equal(then.facts, reading.facts);
});
