import assert from "node:assert/strict";
import type { EpochMs } from "../policy/types.ts";
import { createInstallLog, type InstallRecord } from "../storage/installs/log.ts";
import { sampleRecord } from "../tests/suites/install_log.ts";
import { query } from "./query.ts";
import { packageSpec } from "./query_options.ts";
import { openConfigured } from "./storage.ts";
import { testIo } from "./testing.ts";

const NOW = Date.UTC(2026, 10, 21, 12) as EpochMs;
const DAY = 86_400_000;

const RECORDS: readonly Partial<InstallRecord>[] = [
  { user: "ana", version: "1.3.0", at: NOW - 40 * DAY as EpochMs },
  { user: "ana", version: "1.3.1", at: NOW - DAY as EpochMs },
  { user: "bo", package: "@acme/ui", version: "2.0.0", organisation: "acme", at: NOW - 2 * DAY as EpochMs },
  { user: null, at: NOW - 2 as EpochMs },
  { user: "=cmd|' /C calc'!A0", package: "-evil\u001b[31m\u202e", at: NOW - 1 as EpochMs },
  { user: "bo", outcome: "refused", rule: "minimumAge", version: "1.4.0", bytes: 0, at: NOW },
];

interface Asked {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A data folder with a log that nobody closed, as beside a running server; half of it folded. */
async function withData(run: (ask: (...args: string[]) => Promise<Asked>, data: string) => Promise<void>) {
  const data = await Deno.makeTempDir();
  const io = testIo({ cwd: data, env: { SLUICE_DATA: data } });
  const kv = await openConfigured(
    { kv: `${data}/kv.sqlite3`, kvToken: null } as Parameters<typeof openConfigured>[0],
  );
  const deps = { kv, journal: `${data}/journal`, clock: () => NOW, log: () => {}, random: () => 0.5 };
  const log = createInstallLog({ ...deps, instance: "server" });
  try {
    for (const [index, over] of RECORDS.entries()) {
      await log.append(sampleRecord({ ...over, id: `id-${index}` }));
      if (index === 2) await log.fold();
    }
    await run(async (...args) => {
      const code = await query(args, io);
      return { code, ...io.take() };
    }, data);
  } finally {
    await log.close();
    kv.close();
    await Deno.remove(data, { recursive: true });
  }
}

async function json(asked: Promise<Asked>): Promise<Record<string, unknown>[]> {
  const { code, out, err } = await asked;
  assert.deepEqual([code, err], [0, ""]);
  return JSON.parse(out);
}

Deno.test("query who prints every user once, with versions and times", () =>
  withData(async (ask) => {
    const { code, out } = await ask("who", "left-pad");
    assert.equal(code, 0);
    assert.match(out, /^user +ecosystem +package +versions +installs +first +last\n/);
    assert.match(out, /ana +npm +left-pad +1\.3\.0 1\.3\.1 +2 +2026-10-12 12:00:00Z +2026-11-20 12:00:00Z\n/);
    assert.match(out, /\(no name\) +npm/);
    assert.doesNotMatch(out, /\bbo\b/);
  }));

Deno.test("query who understands scopes, prefixes, versions, purls and %", () =>
  withData(async (ask) => {
    for (
      const name of [
        "@acme/ui",
        "npm/@acme/ui",
        "pkg:npm/%40acme/ui@2.0.0",
        "@acme/ui@2.0.0",
        "@acme/%",
        "%/UI",
      ]
    ) {
      assert.deepEqual((await json(ask("who", name, "--json"))).map(({ user }) => user), ["bo"], name);
    }
    assert.deepEqual(await json(ask("who", "@acme/ui@2.0.1", "--json")), []);
    const { code, err } = await ask("who", "npm/x", "--ecosystem", "pypi");
    assert.deepEqual([code, err.split("\n")[0]], [2, '"npm/x" is of npm, but --ecosystem is pypi.']);
  }));

Deno.test("packageSpec keeps the case of names, and slashes that are no ecosystem's", () => {
  assert.deepEqual(packageSpec("pkg:npm/JSONStream@1.0.0"), {
    ecosystem: "npm",
    name: "JSONStream",
    version: "1.0.0",
  });
  const crate = { ecosystem: "cargo", name: "inflector", version: "0.11.4" };
  for (const text of ["cargo/Inflector@0.11.4", "pkg:cargo/Inflector@0.11.4"]) {
    assert.deepEqual(packageSpec(text), crate, "by the one name of a package that has several spellings");
  }
  const go = { ecosystem: "golang", name: "github.com/a/b", version: undefined };
  assert.deepEqual(packageSpec("pkg:golang/github.com/a/b?x=1#y"), go);
  assert.deepEqual(packageSpec("github.com/a/b"), { ...go, ecosystem: undefined });
  for (const odd of ["", "npm/", "pkg:npm", "pkg:npm/%zz"]) {
    assert.throws(() => packageSpec(odd), { name: "UsageError" });
  }
});

Deno.test("query answers each question as JSON with times as RFC 3339", () =>
  withData(async (ask) => {
    assert.deepEqual(await json(ask("count", "--json")), [
      { installs: 5, partial: 0, refused: 1, observed: 0, bytes: 15000 },
    ]);
    assert.deepEqual(await json(ask("packages", "--json", "--org", "acme")), [{
      organisation: "acme",
      ecosystem: "npm",
      package: "@acme/ui",
      installs: 1,
      partial: 0,
      refused: 0,
      first: "2026-11-19T12:00:00.000Z",
      last: "2026-11-19T12:00:00.000Z",
    }]);
    assert.deepEqual((await json(ask("user", "ana", "--json"))).map(({ version }) => version), [
      "1.3.1",
      "1.3.0",
    ]);
    const [refused, ...more] = await json(ask("refused", "--json"));
    assert.deepEqual(refused, {
      ...sampleRecord({ ...RECORDS[5], id: "id-5" }),
      at: "2026-11-21T12:00:00.000Z",
    });
    assert.equal(more.length, 0);
    assert.equal((await json(ask("recent", "--json", "--limit", "2"))).length, 2);
    assert.equal((await json(ask("export", "--json"))).length, 6);
    for (const by of ["ecosystem", "package", "user", "day"]) {
      const rows = await json(ask("count", "--by", by, "--json"));
      assert.equal(rows.reduce((sum, row) => sum + Number(row.installs), 0), 5, by);
      assert.ok(rows.every((row) => by in row), by);
    }
  }));

Deno.test("query --package, --user and --outcome: of one package, version, person or outcome alone", () =>
  withData(async (ask) => {
    const ids = async (...flags: string[]) =>
      (await json(ask("export", "--json", ...flags))).map(({ id }) => id);
    assert.deepEqual(await ids("--package", "@acme/ui"), ["id-2"]);
    assert.deepEqual(await ids("--package", "npm/left-pad@1.3.1"), ["id-1"]);
    assert.deepEqual(await ids("--user", "bo"), ["id-2", "id-5"]);
    assert.deepEqual(await ids("--user", "bo", "--outcome", "refused"), ["id-5"]);
    assert.deepEqual((await json(ask("recent", "--json", "--user", "ana"))).map(({ id }) => id), [
      "id-1",
      "id-0",
    ]);
    assert.equal((await json(ask("refused", "--json", "--user", "ana"))).length, 0);
    const rows = await json(ask("count", "--by", "day", "--user", "ana", "--json"));
    assert.deepEqual(rows.map(({ day, installs }) => [day, installs]), [["2026-11-20", 1], [
      "2026-10-12",
      1,
    ]]);
    assert.match((await ask("recent", "--user", "zoe")).out, /by "zoe"/);
  }));

Deno.test("query --since and --until take durations, days in UTC and instants", () =>
  withData(async (ask) => {
    const installs = async (...flags: string[]) =>
      (await json(ask("count", "--json", ...flags)))[0]?.installs;
    assert.equal(await installs("--since", "7d"), 4);
    assert.equal(await installs("--since", "36h"), 3);
    assert.equal(await installs("--until", "2026-11-19"), 2);
    assert.equal(await installs("--since", "2026-11-19", "--until", "2026-11-19"), 1);
    assert.equal(await installs("--since", "2026-11-20T12:00:00Z"), 3);
    assert.equal(await installs("--since", "2026-11-20T13:00:01+01:00"), 2);
  }));

Deno.test("query prints nothing that steers a terminal, and no formula into a spreadsheet", () =>
  withData(async (ask) => {
    for (
      const command of [["recent"], ["packages"], ["who", "%"], ["user", "%"], ["count", "--by", "user"]]
    ) {
      const { out } = await ask(...command);
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/, command.join(" "));
      const csv = await ask(...command, "--csv");
      assert.doesNotMatch(csv.out, /(^|,|\n)"?[=+@-]/, command.join(" "));
    }
    const { out } = await ask("export", "--csv");
    assert.equal(out.split("\n").length, 8);
    assert.match(out, /^id,at,organisation,user,/);
    assert.match(out, /'=cmd\|' \/C calc'!A0/);
  }));

Deno.test("query export writes one JSON record a line", () =>
  withData(async (ask) => {
    const { out } = await ask("export");
    const lines = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ id }) => id), ["id-0", "id-2", "id-1", "id-3", "id-4", "id-5"]);
  }));

Deno.test("query with no answer says what to do next", () =>
  withData(async (ask) => {
    assert.match((await ask("who", "pad")).out, /Nobody installed "pad"\. Names are exact: try "%pad%"/);
    assert.match((await ask("user", "zoe")).out, /"zoe" installed nothing.*count --by user/);
    assert.match((await ask("refused", "--org", "acme")).out, /Nothing was refused in organisation "acme"/);
    assert.match((await ask("packages", "--since", "2026-11-22")).out, /since 2026-11-22 00:00:00Z/);
    assert.equal((await ask("export", "--org", "none", "--json")).out, "[]\n");
    assert.equal((await ask("who", "none", "--csv")).out.split("\n").length, 2);
  }));

Deno.test("query refuses what it does not understand, naming it, with exit code 2", () =>
  withData(async (ask) => {
    const mistakes: readonly [string[], RegExp][] = [
      [["who", "x", "--sinse", "7d"], /Unknown option '--sinse'\. Did you mean --since\?/],
      [["what"], /Unknown question "what": ask one of who, packages/],
      [[], /What do you want to know\?[^]*Usage/],
      [["who"], /who needs a package/],
      [["who", "a", "b"], /"b" is one too many/],
      [["recent", "a"], /recent takes no "a"/],
      [["count", "--by", "colour"], /--by "colour" is not one of ecosystem, package, user, day/],
      [["who", "x", "--by", "day"], /--by goes with count alone/],
      [["who", "x", "--user", "ana"], /--user goes with count, recent, refused, export alone/],
      [["count", "--outcome", "refused"], /--outcome goes with recent, export alone/],
      [["recent", "--outcome", "broken"], /--outcome "broken" is not one of served, partial/],
      [["recent", "--package", "left%"], /--package "left%": only who takes a %/],
      [
        ["recent", "--package", "npm/x", "--ecosystem", "pypi"],
        /"npm\/x" is of npm, but --ecosystem is pypi/,
      ],
      [["recent", "--limit", "0"], /--limit "0" is not a whole number above 0/],
      [["recent", "--limit", "1e3"], /--limit "1e3"/],
      [["recent", "--since", "yesterday"], /--since "yesterday" is neither a duration/],
      [["recent", "--since", "2026-02-31"], /--since "2026-02-31"/],
      [["recent", "--since", "1d", "--until", "2d"], /--since 1d is not before --until 2d/],
      [["recent", "--json", "--csv"], /--json or --csv, not both/],
      [["recent", "--kv"], /--kv/],
    ];
    for (const [args, message] of mistakes) {
      const { code, out, err } = await ask(...args);
      assert.deepEqual([code, out], [2, ""], args.join(" "));
      assert.match(err, message);
    }
    const { code, out } = await ask("--help");
    assert.equal(code, 0);
    assert.match(out, /^Usage: deno task query COMMAND/);
  }));

Deno.test("query does not make a database where there is none", () =>
  withData(async (ask, data) => {
    const { code, err } = await ask("recent", "--data", `${data}/typo`);
    assert.equal(code, 1);
    assert.match(err, /There is no Sluice at .*typo.*--data/);
    await assert.rejects(Deno.stat(`${data}/typo`), Deno.errors.NotFound);
  }));
