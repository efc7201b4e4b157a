import assert from "node:assert/strict";
import type { EpochMs } from "../policy/types.ts";
import { createInstallLog, type InstallRecord } from "../storage/installs/log.ts";
import { createInstallQueries } from "../storage/installs/queries.ts";
import { openStorage } from "../storage/kv/kv.ts";
import { org } from "./org.ts";
import { type TestIo, testIo } from "./testing.ts";

interface Place {
  readonly folder: string;
  run(args: string, given?: Omit<Parameters<typeof testIo>[0], "cwd">): Promise<Ran>;
  write(name: string, text: string): void;
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a test with a data folder of its own, in which `{name}` is a file. */
async function withPlace(body: (place: Place) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-org-" });
  try {
    await body({
      folder,
      write: (name, text) => Deno.writeTextFileSync(`${folder}/${name}`, text),
      async run(args, given = {}) {
        const io: TestIo = testIo({ ...given, cwd: folder });
        const code = await org([...args.split(" "), "--data", `${folder}/data`], io);
        return { code, ...io.take() };
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const SECRET = "https://hooks.example/T000/SECRET";

Deno.test("org list: the default organisation is there from the start", () =>
  withPlace(async ({ run }) => {
    const { code, out } = await run("list");
    assert.equal(code, 0);
    assert.match(out, /^organisation +revision .*\ndefault +1 .* enforce +10d +anyone\n$/);
  }));

Deno.test("org set: from a file and from standard input, tells what changed, keeps who and when", () =>
  withPlace(async ({ run, write }) => {
    write("p.yaml", "minimumAge: 14d\nblock:\n  - npm/axios==0.30.4\n");
    const first = await run("set p.yaml --message stricter");
    assert.equal(first.code, 0, first.err);
    assert.match(first.out, /^\+ minimumAge: "14d"$/m);
    assert.match(first.out, /^\+ block: "npm\/axios==0.30.4"$/m);
    assert.match(first.out, /Wrote revision 2 .* in force within a second/);
    const second = await run("set - --author grace", { stdin: '{"minimumAge":"3d"}' });
    assert.match(second.out, /^~ minimumAge: "14d" -> "3d"$/m);
    assert.match(second.out, /^- block: /m);
    const history = await run("history");
    assert.match(history.out, /3 +2026-11-21 12:00:00Z +grace/);
    assert.match(history.out, /2 +2026-11-21 12:00:00Z +ada +stricter/);
    const back = await run("restore 2");
    assert.match(back.out, /^~ minimumAge: "3d" -> "14d"$/m);
    assert.match((await run("show")).out, /^minimumAge: 14d$/m);
    assert.match((await run("show --revision 3")).out, /^minimumAge: 3d$/m);
  }));

Deno.test("org set: every mistake is told and nothing changes", () =>
  withPlace(async ({ run, write }) => {
    write("p.yaml", "minimumAge: 14\nenforcment: observe\nyanked: maybe\n");
    const { code, err } = await run("set p.yaml");
    assert.equal(code, 1);
    for (const part of ["minimumAge: 14: expected", "enforcment", "yanked"]) assert(err.includes(part), err);
    assert.match((await run("show")).out, /revision 1,/);
    const validated = await run("validate p.yaml");
    assert.equal(validated.code, 1);
    assert.equal(validated.err.split("\n").length, 5, validated.err);
    write("q.yaml", "minimumAge: [");
    const broken = await run("set q.yaml");
    assert.equal(broken.code, 1);
    assert.match(broken.err, /Cannot read q.yaml as YAML or JSON: .* line 1/);
  }));

Deno.test("org set: a range that no request could be decided by is a mistake too", () =>
  withPlace(async ({ run, write }) => {
    write(
      "p.yaml",
      "overrides:\n  - effect: deny\n    purl: pkg:npm/axios\n    range: vers:npm/>=2.0.0|<1.0.0\n",
    );
    for (const verb of ["set", "validate"]) {
      const { code, out, err } = await run(`${verb} p.yaml`);
      assert.equal(code, 1, out + err);
      assert.match(out + err, /vers:npm.*version order of npm/);
    }
    assert.match((await run("list")).out, /^default +1 /m);
  }));

Deno.test("org show and set: a webhook's address is never shown, and kept when it is written back", () =>
  withPlace(async ({ run, write }) => {
    write("p.yaml", `webhooks:\n  - url: ${SECRET}\n    format: slack\n`);
    const set = await run("set p.yaml");
    assert.equal(set.code, 0, set.err);
    const shown = await run("show");
    for (const text of [set.out, shown.out, (await run("show --json")).out]) {
      assert(!text.includes("SECRET"), text);
    }
    assert.match(shown.out, /url: \(set\)/);
    const written = await run("set -", { stdin: `${shown.out}minimumAge: 1d\n` });
    assert.equal(written.code, 0, written.err);
    assert.equal(written.out.split("\n").length, 3, written.out);
    write("p.yaml", `webhooks:\n  - url: ${SECRET}2\n    format: slack\nminimumAge: 1d\n`);
    assert.match((await run("set p.yaml")).out, /^~ webhooks: an address is another one$/m);
    write("p.yaml", `webhooks:\n  - url: ftp://hooks.example/SECRET\n`);
    const refused = await run("set p.yaml");
    assert.equal(refused.code, 1);
    assert(!refused.err.includes("SECRET"), refused.err);
  }));

Deno.test("org edit: goes on after a mistake, and writes once there is none", () =>
  withPlace(async ({ run }) => {
    const drafts = ["minimumAge: 14\n", "minimumAge: [\n", "minimumAge: 14d\n"];
    const edit = async (path: string) => {
      const text = await Deno.readTextFile(path);
      assert(
        text.startsWith('# The policy of organisation "default", revision 1.') || drafts.length < 3,
        text,
      );
      await Deno.writeTextFile(path, drafts.shift() ?? "");
      return 0;
    };
    const { code, out, err } = await run("edit", { edit, answers: ["", "y"] });
    assert.equal(code, 0, err);
    assert.match(err, /minimumAge: 14: expected/);
    assert.match(err, /Cannot read what was typed/);
    assert.match(out, /Wrote revision 2/);
  }));

Deno.test("org edit: what was typed is kept when it cannot be written", () =>
  withPlace(async ({ run, folder }) => {
    const typed = "minimumAge: soon\n";
    const gaveUp = await run("edit", { edit: typing(typed), answers: ["n"] });
    assert.equal(gaveUp.code, 1);
    await assertKept(gaveUp.err, typed);
    const failed = await run("edit", {
      edit: async (path) => (await typing(typed)(path), 3),
    });
    assert.match(failed.err, /editor ended with code 3/);
    await assertKept(failed.err, typed);
    const meanwhile = await run("edit", {
      edit: async (path) => {
        const other = testIo({ cwd: folder, stdin: "minimumAge: 2d" });
        assert.equal(await org(["set", "-", "--data", `${folder}/data`], other), 0);
        return await typing("minimumAge: 1d\n")(path);
      },
    });
    assert.equal(meanwhile.code, 1);
    assert.match(meanwhile.err, /changed meanwhile/);
    await assertKept(meanwhile.err, "minimumAge: 1d\n");
    assert.match((await run("show")).out, /minimumAge: 2d/);
  }));

function typing(text: string): (path: string) => Promise<number> {
  return async (path) => {
    await Deno.writeTextFile(path, text);
    return 0;
  };
}

async function assertKept(err: string, text: string): Promise<void> {
  const path = /kept in (.*)\n/.exec(err)?.[1] ?? "";
  assert.equal(await Deno.readTextFile(path), text);
  await Deno.remove(path.replace(/\/[^/]*$/, ""), { recursive: true });
}

Deno.test("org edit: leaving it as it is changes nothing", () =>
  withPlace(async ({ run }) => {
    const { code, out } = await run("edit", { edit: () => Promise.resolve(0) });
    assert.equal(code, 0);
    assert.match(out, /Nothing was changed/);
    assert.match((await run("show")).out, /revision 1,/);
  }));

Deno.test("org create and delete: named outright, confirmed, default stays", () =>
  withPlace(async ({ run, write }) => {
    write("p.json", '{"enforcement":"observe"}');
    assert.equal((await run("create acme p.json")).code, 0);
    assert.match((await run("show --org acme")).out, /enforcement: observe/);
    assert.equal((await run("create acme")).code, 1);
    assert.match((await run("create ACME")).err, /Cannot use "ACME" as an organisation's name/);
    assert.equal((await run("delete acme")).code, 2);
    assert.equal((await run("delete acme", { answers: ["n"] })).code, 1);
    assert.equal((await run("delete acme --yes")).code, 0);
    assert.equal((await run("show --org acme")).code, 1);
    assert.match((await run("delete default --yes")).err, /always there/);
    assert.match((await run("set p.json --org acme")).err, /deno task org create acme/);
  }));

Deno.test("org floor: has the same verbs and its own schema", () =>
  withPlace(async ({ run, write }) => {
    assert.match((await run("floor show")).out, /never written/);
    write("f.yaml", "deny:\n  - npm/axios==0.30.4\n");
    const set = await run("floor set f.yaml");
    assert.equal(set.code, 0, set.err);
    assert.match(set.out, /^\+ deny: "npm\/axios==0.30.4"$/m);
    write("f.yaml", "minimumAge: 1d\n");
    assert.equal((await run("floor validate f.yaml")).code, 1);
    assert.equal((await run("floor set f.yaml")).code, 1);
    assert.match((await run("floor history")).out, /^1 /m);
    assert.equal((await run("floor delete")).code, 2);
  }));

Deno.test("org: a wrong command line ends with 2 and says what was expected", () =>
  withPlace(async ({ run }) => {
    const table: [string, RegExp][] = [
      ["lst", /Unknown command "lst"/],
      ["list --jsn", /Unknown option '--jsn'/],
      ["set", /Expected FILE after the command, not nothing/],
      ["set gone.yaml", /Cannot read gone.yaml/],
      ["restore two", /Expected a revision's number, not "two"/],
      ["import p", /Expected --from package-proxy, not nothing/],
      ["list more", /Expected nothing after the command, not more/],
      ["list --kv ftp://x", /kv "ftp:\/\/x": expected a path/],
    ];
    for (const [args, expected] of table) {
      const { code, err } = await run(args);
      assert.equal(code, 2, `${args}: ${err}`);
      assert.match(err, expected);
    }
    assert.equal((await run("--help")).code, 0);
  }));

Deno.test("org waivers: none to begin with, and one that is not there cannot be revoked", () =>
  withPlace(async ({ run }) => {
    assert.match((await run("waivers")).out, /has no waivers/);
    assert.equal((await run("waivers --json")).out, "[]\n");
    assert.equal((await run("waivers revoke w1")).code, 1);
  }));

Deno.test("org import: package-proxy's document becomes the policy, or every mistake is told", () =>
  withPlace(async ({ run, write }) => {
    const block = '{"npm/axios": "0.30.4", "pypi/base-x-64": "ALL"}';
    write(
      "good.json",
      `{"MIN_AGE_DAYS": 7, "ALLOW_YANKED": true, "blocklist": ${block}, "webhook-url": "${SECRET}"}`,
    );
    const good = await run("import --from package-proxy good.json");
    assert.equal(good.code, 0, good.err);
    assert(!`${good.out}${good.err}`.includes("SECRET"), good.out);
    const { out } = await run("show");
    assert.match(out, /minimumAge: 7d/);
    assert.match(out, /yanked: allow/);
    assert.match(out, /npm\/axios/);
    write("bad.json", '{"MIN_AGE_DAYS": "soon", "ALLOW_YANKD": true, "webhook-url": "ftp://x/SECRET"}');
    const bad = await run("import --from package-proxy bad.json");
    assert.equal(bad.code, 1);
    assert.match(bad.err, /MIN_AGE_DAYS/);
    assert.match(bad.err, /ALLOW_YANKD/);
    assert(!bad.err.includes("SECRET"), bad.err);
    assert.match((await run("show")).out, /revision 2,/);
  }));

Deno.test("org forget-user: takes a person out of the install log", () =>
  withPlace(async ({ run, folder }) => {
    const clock = () => Date.UTC(2026, 10, 20) as EpochMs;
    const kv = await openStorage(`${folder}/data/kv.sqlite3`);
    const journal = `${folder}/data/journal`;
    const log = createInstallLog({ kv, journal, instance: "t", clock, log: () => {}, random: () => 0.5 });
    await log.append({ ...SAMPLE_RECORD, at: clock() });
    await log.close();
    const queries = createInstallQueries({ kv, journal, clock });
    const query = { organisation: "default", user: "eve", ecosystem: "npm", package: "left-pad" };
    assert.deepEqual((await queries.who("left-pad")).map(({ user }) => user), ["eve"]);
    const { code, out, err } = await run("forget-user eve");
    assert.equal(code, 0, err);
    assert.match(out, /Took "eve" out of the install log/);
    assert.deepEqual((await queries.who("left-pad")).map(({ user }) => user), [null]);
    assert.deepEqual(await log.versionsOf(query), []);
    kv.close();
  }));

const SAMPLE_RECORD: Omit<InstallRecord, "at"> = {
  id: "01",
  organisation: "default",
  user: "eve",
  address: "192.0.2.1",
  client: "npm",
  clientVersion: "11",
  ecosystem: "npm",
  package: "left-pad",
  version: "1.3.0",
  file: "left-pad-1.3.0.tgz",
  digest: "sha256:00",
  bytes: 1,
  cache: "hit",
  outcome: "served",
  rule: "",
  decisionId: "",
};

Deno.test("org set: a webhook that nothing will be sent to is said, by its place and not its address", () =>
  withPlace(async ({ run, write }) => {
    const hook = (url: string) => JSON.stringify({ webhooks: [{ url, events: ["alert"] }] });
    write("inner.json", hook("http://192.168.1.1:4921/secret"));
    const inner = await run("set inner.json");
    assert.equal(inner.code, 0);
    assert.match(inner.err, /^Note: webhooks\[0\]\.url is an address that nothing may be sent to/);
    assert.ok(!`${inner.out}${inner.err}`.includes("192.168"));
    write("outer.json", hook("https://hooks.example/secret"));
    assert.equal((await run("set outer.json")).err, "");
  }));
