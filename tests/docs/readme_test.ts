/** What README.md shows is what the program does: its examples are read by the program, its tables made by it. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { type Config, loadConfig } from "../../cli/config.ts";
import { settingsTable } from "../../cli/help.ts";
import { configEcosystems } from "../../cli/storage.ts";
import { testIo } from "../../cli/testing.ts";
import { token } from "../../cli/token.ts";
import { ECOSYSTEMS } from "../../ecosystems/mod.ts";
import { DEFAULT_POLICY, parsePolicy } from "../../policy/config.ts";
import { SCOPE_MEANINGS, SCOPES } from "../../storage/tokens.ts";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const tasks = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url))).tasks;

function blocks(language: string): readonly string[] {
  return [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter((match) => match[1] === language).map((
    match,
  ) => match[2]!);
}

function policies(): readonly string[] {
  return blocks("yaml").filter((block) => !/^(?:upstreams|mirror):/m.test(block));
}

/** Without the padding that `deno fmt` gives tables. */
function rows(table: string): readonly string[] {
  return table.split("\n").filter((line) => line.startsWith("|") && !/^[|\s-]+$/.test(line))
    .map((line) => line.split("|").map((cell) => cell.trim()).join("|"));
}

function configFrom(file: string): Config {
  const loaded = loadConfig({
    args: ["--config", "sluice.yaml"],
    env: { ACME_NPM_TOKEN: "secret" },
    readTextFile: () => file,
    ecosystems: configEcosystems(),
  });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.config;
}

Deno.test("README: its first policy is the default policy, every setting named", () => {
  const source = parse(policies()[0]!);
  const parsed = parsePolicy(source);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  assert.deepEqual(parsed.document, DEFAULT_POLICY);
  const shorthands = ["block", "allow"];
  assert.deepEqual(Object.keys(source).sort(), [...Object.keys(DEFAULT_POLICY), ...shorthands].sort());
});

Deno.test("README: every policy it shows is a policy", () => {
  assert.ok(policies().length >= 3);
  for (const policy of policies()) {
    const parsed = parsePolicy(parse(policy));
    assert.ok(parsed.ok, `${policy}\n${JSON.stringify(parsed)}`);
  }
});

Deno.test("README: its table of settings is the program's", () => {
  const shown = rows(readme);
  for (const row of rows(settingsTable(ECOSYSTEMS.map(({ id }) => id)))) assert.ok(shown.includes(row), row);
});

Deno.test("README: its upstreams are read as it says", () => {
  const file = blocks("yaml").find((block) => /^upstreams:/m.test(block))!;
  const [upstream] = configFrom(file).upstreams;
  assert.deepEqual(upstream?.match, ["@acme/*"]);
  assert.deepEqual(upstream?.organisations, ["acme"]);
  assert.deepEqual(upstream?.credentials, { kind: "bearer", token: "secret" });
});

Deno.test("README: its table of scopes is the program's", () => {
  const shown = rows(readme).filter((row) => SCOPES.some((scope) => row.startsWith(`|\`${scope}\`|`)));
  assert.deepEqual(shown, SCOPES.map((scope) => `|\`${scope}\`|${SCOPE_MEANINGS[scope]}|`));
});

Deno.test("README: the tokens that it makes can be made", async () => {
  const lines = [...readme.matchAll(/deno task token (create [^`#\n]*)/g)].map((match) => match[1]!.trim());
  assert.ok(lines.length >= 3);
  const data = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${data}/kv.sqlite3`, "");
    const io = testIo({ cwd: data });
    for (const line of lines) {
      // There is no other organisation in this one.
      const args = (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word === "acme" ? "default" : word);
      assert.equal(await token([...args, "--data", data], io), 0, `${line}: ${io.take().err}`);
    }
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});

Deno.test("README: its lifetimes are read as it says", () => {
  const file = blocks("yaml").find((block) => /^ecosystems:\n/m.test(block))!;
  const { lifetimes, upstreams, disabled } = configFrom(file);
  assert.equal(lifetimes.instance.metadataTtl, 3_600_000);
  assert.deepEqual(lifetimes.ecosystems.npm, { metadataTtl: 600_000, artifactTtl: 86_400_000 });
  assert.deepEqual(upstreams[0]?.lifetimes, { metadataTtl: 60_000, userAgent: "acme-mirror/1" });
  assert.deepEqual(disabled, ["cargo"]);
});

Deno.test("README: its mirrors are read as it says", () => {
  const file = blocks("yaml").find((block) => /^mirror:/m.test(block))!;
  const [named, used] = configFrom(file).mirror;
  assert.deepEqual([named?.packages, named?.versions], [["left-pad", "@acme/kit"], { newest: 5 }]);
  assert.deepEqual([used?.packages, used?.organisation, used?.only, named?.only], [
    "used",
    "acme",
    true,
    false,
  ]);
});

Deno.test("README: every task it names is there", () => {
  const named = [...readme.matchAll(/deno task ([a-z]+)/g)].map((match) => match[1]!);
  assert.ok(named.includes("start") && named.includes("test"));
  for (const task of named) assert.ok(Object.hasOwn(tasks, task), task);
});
