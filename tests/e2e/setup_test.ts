/** setup.sh, with real shells under fresh homes. */
import assert from "node:assert/strict";
import { pathOf } from "../fakes/program.ts";
import { WITHOUT_SANITIZERS } from "./pypi_world.ts";
import { type Home, type SetupWorld, shells, startSetupWorld } from "./setup_world.ts";

const SHELLS = await shells();
const SHELLCHECK = await pathOf("shellcheck");

function setupTest(criterion: string, fn: (context: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name: `setup.sh: ${criterion}`, ...WITHOUT_SANITIZERS, fn });
}

Deno.test({
  name: `setup.sh: shellcheck finds nothing, for every kind of organisation${
    SHELLCHECK === null ? " (skipped: there is no shellcheck)" : ""
  }`,
  ignore: SHELLCHECK === null,
  ...WITHOUT_SANITIZERS,
  async fn() {
    await using world = await startSetupWorld();
    for (const organisation of ["default", "named", "guarded"]) {
      await using home = await world.home(organisation);
      const checked = await home.run("", SHELLCHECK!, "--shell=sh", "--severity=style", "../setup.sh");
      assert.equal(checked.code, 0, checked.output);
    }
  },
});

/** One of each kind of file, each with something in it that is to survive. */
async function furnish(home: Home): Promise<void> {
  await home.write(
    "dot files/npmrc",
    "; mine\n@acme:registry=https://npm.acme.example/\nregistry = https://old.example/",
    0o640,
  );
  await Deno.symlink("dot files/npmrc", `${home.folder}/.npmrc`);
  const pip = [
    "[install]",
    "no-index = 0",
    "[global]",
    "timeout = 60",
    "index_url =",
    "    https://old.example/simple",
  ];
  await home.write(".config/pip/pip.conf", [...pip, "extra-index-url = https://x.example/", ""].join("\r\n"));
  await home.write(
    ".cargo/config",
    '[build]\njobs = 2\n\n[source.crates-io]\nreplace-with = "old" # why\n\n[source.old]\nregistry = "https://old.example/"\n',
  );
  await home.write(
    ".config/uv/uv.toml",
    'native-tls = true\n\n[[index]]\nurl = "https://theirs.example/simple"\ndefault = true\n\n[pip]\nstrict = true\n',
  );
  await home.write(
    ".yarnrc.yml",
    'nodeLinker: node-modules\nunsafeHttpWhitelist:\n  - a.example\n- b.example\nnpmRegistryServer: "https://old.example"\n',
  );
  await home.write(
    ".netrc",
    "# mine\nmachine other.example login me password old\ndefault login anonymous password me\n",
    0o600,
  );
  await home.write(".profile", "export A=1\n");
  await home.write(".bash_profile", "");
}

setupTest(
  "dry-run changes nothing; twice is once; undo puts everything back to the byte, in every shell",
  async (context) => {
    await using world = await startSetupWorld();
    assert.ok(SHELLS.length >= 2, SHELLS.join());
    for (const shell of SHELLS) {
      await context.step({ name: shell, ...WITHOUT_SANITIZERS, fn: () => roundTrip(world, shell, true) });
    }
    const fn = () => roundTrip(world, "sh", false);
    await context.step({ name: "sh, in a home without anything", ...WITHOUT_SANITIZERS, fn });
  },
);

/** Asking Sluice takes the time that it takes each client to start: once is enough. */
async function roundTrip(world: SetupWorld, shell: string, isFurnished: boolean): Promise<void> {
  await using home = await world.home("guarded");
  await Deno.writeTextFile(`${home.folder}/../token`, `${world.token}\n`);
  const token = ["--token-file", `${home.folder}/../token`];
  const quick = isFurnished ? [...token, "--no-verify"] : token;
  if (isFurnished) await furnish(home);
  const before = await home.snapshot();
  const dry = await home.setup(shell, ...quick, "--dry-run");
  assert.equal(dry.code, 0, dry.output);
  assert.match(dry.output, /~\/\.npmrc: would get/);
  assert.deepEqual(await home.snapshot(), before, "dry-run");
  const first = await home.setup(shell, ...quick);
  assert.equal(first.code, 0, first.output);
  if (!isFurnished) assert.match(first.output, /It knows the token\.[\s\S]*npm ping: answered/);
  assert.ok(!(dry.output + first.output).includes(world.token), "no token on the terminal");
  const after = await home.snapshot();
  if (isFurnished) {
    await assertMerged(home, world);
    assert.match(first.output, /pip\.conf: beware: another extra-index-url of it is asked beside Sluice/);
    assert.match(first.output, /uv\.toml: beware: another \[\[index\]\] of it is asked beside Sluice/);
  }
  const second = await home.setup(shell, ...token, "--no-verify");
  assert.equal(second.code, 0, second.output);
  assert.doesNotMatch(second.output, /now has/);
  assert.deepEqual(await home.snapshot(), after, "twice");
  assert.equal((await home.setup(shell, "--undo", "--dry-run")).code, 0);
  assert.deepEqual(await home.snapshot(), after, "undo, dry-run");
  const undone = await home.setup(shell, "--undo");
  assert.equal(undone.code, 0, undone.output);
  assert.deepEqual(await home.snapshot(), before, "undo");
  assert.match((await home.setup(shell, "--undo")).output, /nothing to undo/);
}

async function assertMerged(home: Home, world: SetupWorld): Promise<void> {
  const site = world.site("guarded");
  const npmrc = await home.read("dot files/npmrc");
  assert.match(npmrc, /^; mine\n@acme:registry=https:\/\/npm\.acme\.example\/\n# sluice begin npmrc\n/);
  assert.ok(
    npmrc.includes(`\n# sluice was: registry = https://old.example/\nregistry=${site}/npm/\n`),
    npmrc,
  );
  assert.equal((await Deno.stat(`${home.folder}/.npmrc`)).mode! & 0o777, 0o600, "it holds a token now");
  const pip = await home.read(".config/pip/pip.conf");
  assert.ok(pip.includes(`\r\nindex-url = ${site}/pypi/simple/\r\n`) && !/[^\r]\n/.test(pip), pip);
  assert.ok(!/^index_url/m.test(pip) && pip.includes("timeout = 60\r\n"), pip);
  const cargo = await home.read(".cargo/config");
  assert.equal(cargo.match(/^replace-with = .*$/gm)?.join(), 'replace-with = "sluice"', cargo);
  const uv = await home.read(".config/uv/uv.toml");
  assert.ok(uv.indexOf("sluice") < uv.indexOf("theirs.example"), uv);
  const yarn = await home.read(".yarnrc.yml");
  assert.match(yarn, /^nodeLinker: node-modules\n# sluice begin/);
  assert.equal(yarn.match(/^(?:npmRegistryServer|unsafeHttpWhitelist):/gm)?.length, 2, yarn);
  assert.match(
    await home.read(".netrc"),
    /machine 127\.0\.0\.1 login sluice password [\s\S]*\ndefault login/,
  );
}

setupTest("what a person changed since stays: our lines alone go, or the file is left and said", async () => {
  await using world = await startSetupWorld();
  await using home = await world.home("default");
  await furnish(home);
  const uv = await home.read(".config/uv/uv.toml");
  assert.equal((await home.setup("sh", "--no-verify")).code, 0);
  await home.write(".npmrc", `${await home.read(".npmrc")}save-exact=true\n`);
  const unmarked = (await home.read(".yarnrc.yml")).replaceAll(/^#.*\n/gm, "");
  await home.write(".yarnrc.yml", unmarked);
  await Deno.remove(`${home.folder}/.config/pip/pip.conf`);
  // Between two runs as well as after the last one.
  await home.write(".config/uv/uv.toml", `${await home.read(".config/uv/uv.toml")}# mine\n`);
  assert.equal((await home.setup("sh", "--no-verify", "--clients", "uv", "--user", "ada")).code, 0);
  const undone = await home.setup("sh", "--undo");
  assert.equal(undone.code, 1, undone.output);
  assert.equal(
    await home.read(".npmrc"),
    "; mine\n@acme:registry=https://npm.acme.example/\nregistry = https://old.example/\nsave-exact=true\n",
  );
  assert.equal(await home.read(".config/uv/uv.toml"), `${uv}# mine\n`);
  assert.equal(await home.read(".yarnrc.yml"), unmarked);
  assert.match(
    undone.output,
    /~\/\.yarnrc\.yml was changed since, and the marks around our lines are gone: it stays/,
  );
  assert.match(
    undone.output,
    /~\/\.config\/pip\/pip\.conf was removed since: its copy was (~\/\.sluice-setup\/\d+\/copy)/,
  );
  const copy = /~\/(\.sluice-setup\/\d+\/copy)/.exec(
    undone.output.slice(undone.output.indexOf("pip.conf")),
  )![1]!;
  assert.match(await home.read(copy), /https:\/\/old\.example\/simple/);
});

setupTest(
  "a table that is written in another form is left alone, and said; the others are set up",
  async () => {
    await using world = await startSetupWorld();
    for (
      const [file, content] of [
        [".bunfig.toml", '[install.registry]\nurl = "https://old.example"\n'],
        [".bunfig.toml", "install = { exact = true }\n"],
        [".cargo/config.toml", 'source.crates-io.replace-with = "old"\n'],
        [".cargo/config.toml", '[registries]\nsluice = { index = "sparse+https://old.example/" }\n'],
        [".netrc", "machine 127.0.0.1\n  login me\n  password old\n"],
      ] as const
    ) {
      await using home = await world.home("default");
      await home.write(file, content, 0o600);
      const ran = await home.setup(
        "sh",
        "--no-verify",
        "--clients=npm,bun,cargo,uv",
        "--token-file=/dev/null",
      );
      assert.equal(ran.code, 2, "an empty token is none");
      await Deno.writeTextFile(`${home.folder}/../token`, world.token);
      const set = await home.setup(
        "sh",
        "--no-verify",
        "--clients=npm,bun,cargo,uv",
        `--token-file=${home.folder}/../token`,
      );
      assert.equal(set.code, 1, set.output);
      assert.ok(set.output.includes(`~/${file} sets this in a form that is not changed here`), set.output);
      assert.ok(!set.output.includes(world.token), set.output);
      const kept = await home.read(file);
      assert.ok(kept === content || kept.startsWith(content), `${file}: ${kept}`);
      assert.match(await home.read(".npmrc"), /^registry=/m);
    }
  },
);

setupTest("it says what is wrong before it changes anything", async () => {
  await using world = await startSetupWorld();
  await using guarded = await world.home("guarded");
  const before = await guarded.snapshot();
  for (
    const [args, code, words] of [
      [[], 2, /lets in callers with a token only/],
      [["--what"], 2, /there is no option --what/],
      [["--user"], 2, /--user wants a value/],
      [["--user", "a b"], 2, /cannot write the name/],
      [["--clients", "npm,nothing"], 2, /there is no client nothing: they are npm pnpm/],
      [["--token-file", "nowhere"], 2, /cannot read the token/],
      [["--help"], 0, /--undo +put every file back/],
    ] as const
  ) {
    const ran = await guarded.setup("sh", ...args);
    assert.equal(ran.code, code, `${args.join(" ")}: ${ran.output}`);
    assert.match(ran.output, words);
  }
  await Deno.writeTextFile(`${guarded.folder}/../token`, "slu_wrong");
  const wrong = await guarded.setup("sh", "--verify", "--token-file", `${guarded.folder}/../token`);
  assert.equal(wrong.code, 1);
  assert.match(wrong.output, /Sluice does not let you in \(401\)/);
  assert.deepEqual(await guarded.snapshot(), before);
});

setupTest("where Sluice does not answer, nothing is changed", async () => {
  const world = await startSetupWorld();
  await using home = await world.home("default").finally(() => world[Symbol.asyncDispose]());
  const gone = await home.setup("sh");
  assert.equal(gone.code, 1);
  assert.match(gone.output, /Sluice does not answer at .*: nothing was changed/);
  assert.deepEqual(await home.snapshot(), {});
});
