import assert from "node:assert/strict";
import { readLockfile } from "./read.ts";
import type { LockedPackage } from "./types.ts";

const FIXTURES = new URL("../fixtures/lockfiles/", import.meta.url);

/** As the real clients wrote them of one project each; only the registry's address was replaced. */
const NPM = ["@acme/scoped@1.1.0", "fresh@1.0.0", "needs@1.0.0", "steady@1.0.0", "steady@1.1.0"];
/** pnpm and bun take one release for both. */
const NPM_ONE = ["@acme/scoped@1.1.0", "fresh@1.0.0", "needs@1.0.0", "steady@1.0.0"];
const PYPI = ["fresh@1.0.0", "needs@1.0.0", "sourced@1.0.0", "steady@1.1.0"];
const CARGO = ["fresh@1.0.0", "native@0.18.7+1.9.6", "needs@1.0.0", "steady@1.1.0"];

type Row = readonly [
  fixture: string,
  named: string,
  format: string,
  type: string,
  packages: readonly string[],
  /** Of the first package's first file: name, and kind of digest; null: all files, whatever they are. */
  file: readonly [string | null, string] | null,
];

const ROWS: readonly Row[] = [
  ["package-lock.json", "app/package-lock.json", "package-lock.json", "npm", NPM, [null, "sha512"]],
  ["package-lock-v1.json", "npm-shrinkwrap.json", "package-lock.json", "npm", NPM, [null, "sha512"]],
  ["pnpm-lock.yaml", "pnpm-lock.yaml", "pnpm-lock.yaml", "npm", NPM_ONE, [null, "sha512"]],
  ["yarn1.lock", "yarn.lock", "yarn.lock", "npm", NPM, [null, "sha512"]],
  ["yarn4.lock", "yarn.lock", "yarn.lock", "npm", NPM, null],
  ["bun.lock", "bun.lock", "bun.lock", "npm", NPM_ONE, [null, "sha512"]],
  ["npm.cyclonedx.json", "sbom", "CycloneDX (JSON)", "npm", NPM, null],
  ["npm.spdx.json", "sbom", "SPDX (JSON)", "npm", NPM, null],
  ["requirements.txt", "any", "requirements.txt", "pypi", PYPI, [null, "sha256"]],
  ["uv.lock", "uv.lock", "uv.lock", "pypi", PYPI, ["fresh-1.0.0-py3-none-any.whl", "sha256"]],
  ["poetry.lock", "poetry.lock", "poetry.lock", "pypi", PYPI, ["fresh-1.0.0-py3-none-any.whl", "sha256"]],
  ["pylock.toml", "pylock.dev.toml", "pylock.toml", "pypi", PYPI, [
    "fresh-1.0.0-py3-none-any.whl",
    "sha256",
  ]],
  ["pylock.pip.toml", "pylock.toml", "pylock.toml", "pypi", PYPI, [
    "fresh-1.0.0-py3-none-any.whl",
    "sha256",
  ]],
  ["Pipfile.lock", "C:\\app\\Pipfile.lock", "Pipfile.lock", "pypi", PYPI, [null, "sha256"]],
  ["uv.cdx.json", "uv.cdx.json", "CycloneDX (JSON)", "pypi", PYPI, null],
  ["Cargo.lock", "Cargo.lock", "Cargo.lock", "cargo", CARGO, [null, "sha256"]],
];

for (const [fixture, named, format, type, packages, file] of ROWS) {
  Deno.test(`readLockfile: ${fixture} as its client wrote it`, async () => {
    const text = await Deno.readTextFile(new URL(fixture, FIXTURES));
    const lockfile = readLockfile(named, text);
    assert.equal(lockfile.format, format);
    assert.deepEqual([...new Set(lockfile.packages.map(nameAndVersion))].sort(), packages);
    assert.deepEqual(new Set(lockfile.packages.map((each) => each.type)), new Set([type]));
    assert.deepEqual(lockfile.skipped, []);
    const [first] = lockfile.packages.filter(({ name }) => name === "fresh")[0]!.files ?? [];
    assert.deepEqual(first === undefined ? null : [first.filename, first.digests[0]!.algorithm], file);
    assert.ok(lockfile.packages.every(({ where }) => where !== ""));
    // Windows' line ends and mark change nothing.
    const windows = readLockfile(named, `\ufeff${text.replaceAll("\n", "\r\n")}`);
    assert.deepEqual(windows.packages, lockfile.packages);
  });
}

const CYCLONEDX_XML = `<?xml version="1.0"?>
<cdx:bom xmlns:cdx="http://cyclonedx.org/schema/bom/1.5" version="1"><cdx:components>
  <cdx:component type="library"><cdx:purl>pkg:npm/%40acme/scoped@1.1.0?a=1&amp;b=2</cdx:purl><cdx:components>
    <cdx:component><cdx:purl>pkg:pypi/steady@1.10</cdx:purl></cdx:component></cdx:components></cdx:component>
  <cdx:component type="file"><cdx:name>no purl</cdx:name></cdx:component>
</cdx:components></cdx:bom>`;
const SPDX_TAGS = `# made by hand
SPDXVersion: SPDX-2.3
Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-app
PackageName: app
SPDXID: SPDXRef-app
ExternalRef: PACKAGE-MANAGER purl pkg:npm/app@1.0.0
PackageName: steady
SPDXID: SPDXRef-steady
ExternalRef: PACKAGE-MANAGER purl pkg:cargo/steady@1.1.0
`;
const SPDX_3 = JSON.stringify({
  "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
  "@graph": [
    { type: "software_Package", software_packageUrl: "pkg:npm/steady@1.1.0" },
    { type: "software_File" },
  ],
});

const OTHERS:
  readonly (readonly [name: string, text: string, packages: readonly string[], skipped: number])[] = [
    ["x", CYCLONEDX_XML, ["@acme/scoped@1.1.0", "steady@1.10"], 0],
    [
      "x",
      "<bom><components><component><purl>pkg:npm/steady@1.1.0</purl></component></components></bom>",
      ["steady@1.1.0"],
      0,
    ],
    ["x.spdx", SPDX_TAGS, ["steady@1.1.0"], 0],
    ["x", SPDX_3, ["steady@1.1.0"], 0],
    ["list.txt", "# mine\n\npkg:npm/%40acme/scoped@1.1.0 # why\ncargo/steady\n", [
      "@acme/scoped@1.1.0",
      "steady@null",
    ], 0],
    [
      "requirements-dev.txt",
      "-i http://registry.example\n-r other.txt\n-e .\nA_b[c]==1.0 ; python_version>'3'\n" +
      "pkg @ http://registry.example/x.whl\n./local.whl\n",
      ["A_b@1.0"],
      4,
    ],
    [
      "pnpm-lock.yaml",
      "lockfileVersion: '6.0'\npackages:\n  /@acme/scoped@1.1.0(peer@2.0.0):\n    resolution: {}\n" +
      "  git.example/a/b/abc:\n    resolution: {type: git, commit: abc}\n",
      ["@acme/scoped@1.1.0"],
      1,
    ],
    [
      "pnpm-lock.yaml",
      "lockfileVersion: 5.4\npackages:\n  /@acme/scoped/1.1.0_peer@2.0.0:\n    resolution: {}\n",
      [
        "@acme/scoped@1.1.0",
      ],
      0,
    ],
    [
      "package-lock.json",
      JSON.stringify({
        lockfileVersion: 3,
        packages: {
          "": { name: "app" },
          "node_modules/linked": { link: true, resolved: "packages/linked" },
          "packages/linked": { version: "1.0.0" },
          "node_modules/a/node_modules/bundled": { version: "1.0.0", inBundle: true },
          "node_modules/from-git": { version: "1.0.0", resolved: "git+ssh://git@host.example/a.git#abc" },
          "node_modules/from-file": { version: "1.0.0", resolved: "file:a.tgz" },
          "node_modules/from-site": { version: "1.0.0", resolved: "http://site.example/a.tgz" },
          "node_modules/alias": { name: "real", version: "1.0.0" },
          "node_modules/__proto__": { version: "1.0.0" },
        },
      }),
      ["__proto__@1.0.0", "real@1.0.0"],
      3,
    ],
    [
      "Cargo.lock",
      '[[package]]\nname = "app"\nversion = "0.1.0"\n[[package]]\nname = "old"\nversion = "1.0.0"\n' +
      'source = "registry+http://registry.example"\n[[package]]\nname = "g"\nversion = "1.0.0"\n' +
      'source = "git+http://host.example/g"\n[metadata]\n' +
      `"checksum old 1.0.0 (registry+http://registry.example)" = "${"a".repeat(64)}"\n`,
      ["old@1.0.0"],
      1,
    ],
    [
      "poetry.lock",
      '[[package]]\nname = "Old"\nversion = "1.0"\n[metadata.files]\nold = [{file = "o.whl", hash = "' +
      `sha256:${"a".repeat(64)}"}]\n[[package]]\nname = "g"\nversion = "1"\nsource = {type = "git"}\n`,
      [
        "Old@1.0",
      ],
      1,
    ],
  ];

for (const [index, [name, text, packages, skipped]] of OTHERS.entries()) {
  Deno.test(`readLockfile: forms that the fixtures do not have, ${index + 1} (${name})`, () => {
    const lockfile = readLockfile(name, text);
    assert.deepEqual(lockfile.packages.map(nameAndVersion).sort(), packages);
    assert.equal(lockfile.skipped.length, skipped);
  });
}

const MISTAKES: readonly (readonly [name: string, text: string, said: RegExp])[] = [
  ["notes.md", "hello", /^notes\.md: expected one of package-lock\.json, .*list of purls; neither/],
  ["a/package-lock.json", "{", /^a\/package-lock\.json: expected JSON: /],
  ["package-lock.json", "[]", /^package-lock\.json: .*expected a table of entries, found a list/],
  ["package-lock.json", "{}", /lockfileVersion: expected a number/],
  [
    "package-lock.json",
    '{"lockfileVersion":3,"packages":{"node_modules/a":{}}}',
    /packages\["node_modules\/a"\]: .*version, found none/,
  ],
  ["pnpm-lock.yaml", "a: [", /expected YAML: /],
  [
    "pnpm-lock.yaml",
    "lockfileVersion: '9.0'\npackages:\n  odd: {}\n",
    /packages\["odd"\]: expected a name and a version/,
  ],
  ["yarn.lock", "a\n  b: [", /expected what yarn writes/],
  ["yarn.lock", '# yarn lockfile v1\na@1:\n  resolved "x"\n', /"a@1": expected a version, found none/],
  [
    "bun.lock",
    '{"lockfileVersion":1,\n"packages":{"a":[1]}}',
    /packages\["a"\]: expected a list that begins/,
  ],
  ["bun.lock", '{"lockfileVersion":1,\n"packages":]}', /line 2: expected JSON/],
  ["requirements.txt", "a==1\nb>=2\n", /line 2: expected a pinned version .*found "b>=2"/],
  [
    "requirements.txt",
    "a==1 --hash=nonsense\n",
    /line 1: expected a hash such as sha256:…, found "nonsense"/,
  ],
  ["requirements.txt", "a==1 --hash=\n", /line 1: expected a hash such as sha256:…, found ""/],
  ["requirements.txt", "a==1 --hash=sha256:a sha256:b\n", /line 1: expected a hash such as sha256:…/],
  ["package-lock.json", npmLock(5), /packages\["node_modules\/a"\]: expected a text as integrity, found "5"/],
  ["uv.lock", "version = 1\n[[package]]\nname = 3\n", /package 1: expected a name, found "3"/],
  ["uv.lock", "version = 1\nbroken\n", /line 2: expected TOML/],
  ["poetry.lock", '[[package]]\nname = "a"\n', /package 1 \(a\): expected a version/],
  ["Pipfile.lock", "{}", /_meta: expected a table/],
  [
    "Pipfile.lock",
    '{"_meta":{},"default":{"a":{"version":">1"}}}',
    /default\["a"\]: expected a version such as/,
  ],
  ["Cargo.lock", "[[package]]\n", /package 1: expected a name/],
  ["bom.json", "{}", /bomFormat: expected "CycloneDX"/],
  ["bom.xml", "<bom>", /line 1: expected XML/],
  ["bom.xml", '<!DOCTYPE a [<!ENTITY b "c">]><bom/>', /without a document type/],
  [
    "x.cdx.json",
    '{"bomFormat":"CycloneDX","components":[{"purl":"left-pad"}]}',
    /components\[0\]: expected a purl .*"left-pad"/,
  ],
  ["list", "pkg:npm/a@1\npkg:\n", /^list: line 2: expected a purl such as/],
];

for (const [name, text, said] of MISTAKES) {
  Deno.test(`readLockfile: ${name} ${JSON.stringify(text).slice(0, 40)} is told by place and expectation`, () => {
    assert.throws(() => readLockfile(name, text), (error: Error) => {
      assert.ok(error instanceof SyntaxError);
      assert.match(error.message, said);
      return true;
    });
  });
}

const SHA256 = "ab".repeat(32);
const SHA1 = "cd".repeat(20);
const SRI = `sha512-${"A".repeat(86)}==`;
const WHEEL = "a-1-py3-none-any.whl";

function npmLock(integrity: unknown): string {
  return JSON.stringify({
    lockfileVersion: 3,
    packages: { "node_modules/a": { version: "1.0.0", integrity } },
  });
}

function pipenvLock(...hashes: readonly string[]): string {
  return JSON.stringify({ _meta: {}, default: { a: { version: "==1", hashes } } });
}

function yarnLock(...lines: readonly string[]): string {
  return `# yarn lockfile v1\na@^1.0.0:\n  version "1.0.0"\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

function cargoLock(checksum: string): string {
  return `[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "registry+x"\n${checksum}\n`;
}

function tomlLock(first: string, files: string): string {
  return `${first}\n[[package]]\nname = "a"\nversion = "1"\n${files}\n`;
}

/** What is locked of the one package: `name algorithm,algorithm` of each file, or why its digest is none. */
const DIGESTS: readonly (readonly [name: string, text: string, files: readonly string[] | null])[] = [
  ["requirements.txt", "a==1\n", null],
  ["requirements.txt", "a==1 --hash=sha256:aaaa\n", ['"sha256:aaaa", which is no sha256 digest']],
  [
    "requirements.txt",
    `a==1 --hash=md5:${"a".repeat(32)}\n`,
    [`"md5:${"a".repeat(32)}", which cannot be checked (only sha1, sha256, sha384, sha512 can)`],
  ],
  ["requirements.txt", "a==1 --hash=sha256:xyz\n", ['"sha256:xyz", which is no sha256 digest']],
  ["requirements.txt", `a==1 --hash=md5:aa --hash=sha256:${SHA256}\n`, ["null sha256"]],
  ["requirements.txt", `a==1 --hash=sha256:${SHA256} --hash sha1:${SHA1}\n`, ["null sha256,sha1"]],
  ["package-lock.json", npmLock(undefined), null],
  ["package-lock.json", npmLock("sha512-AAAA"), ['"sha512-AAAA", which is no sha512 digest']],
  ["package-lock.json", npmLock(`sha512-AAAA sha1-${btoa("x".repeat(20))}`), [
    '"sha512-AAAA", which is no sha512 digest',
  ]],
  ["package-lock.json", npmLock(`sha1-AAAA sha512-AAAA  ${SRI}`), ["null sha512"]],
  ["package-lock.json", npmLock("md5-AAAA"), [
    '"md5-AAAA", which cannot be checked (only sha1, sha256, sha384, sha512 can)',
  ]],
  [
    "pnpm-lock.yaml",
    "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {integrity: sha512-AAAA}\n",
    [
      '"sha512-AAAA", which is no sha512 digest',
    ],
  ],
  ["bun.lock", '{"lockfileVersion":1,"packages":{"a":["a@1.0.0","",{},"sha512-AAAA"]}}', [
    '"sha512-AAAA", which is no sha512 digest',
  ]],
  ["bun.lock", '{"lockfileVersion":1,"packages":{"a":["a@1.0.0","",{},"nonsense"]}}', [
    '"nonsense", which cannot be checked (only sha1, sha256, sha384, sha512 can)',
  ]],
  [
    "bun.lock",
    '{"lockfileVersion":1,"packages":{"a":["a@1.0.0","http://registry.example/a.tgz",{},""]}}',
    null,
  ],
  ["yarn.lock", yarnLock(`resolved "http://registry.example/a/-/a-1.0.0.tgz"`), null],
  ["yarn.lock", yarnLock(`resolved "http://registry.example/a/-/a-1.0.0.tgz#${SHA1}"`), ["null sha1"]],
  ["yarn.lock", yarnLock(`resolved "http://registry.example/a/-/a-1.0.0.tgz#0000"`), [
    '"#0000", which is no sha1 digest',
  ]],
  ["yarn.lock", yarnLock(`resolved "http://registry.example/a/-/a-1.0.0.tgz#${SHA1}"`, `integrity ${SRI}`), [
    "null sha512",
    "null sha1",
  ]],
  ["yarn.lock", yarnLock("integrity sha512-AAAA"), ['"sha512-AAAA", which is no sha512 digest']],
  ["Pipfile.lock", pipenvLock("sha256:dead"), ['"sha256:dead", which is no sha256 digest']],
  ["Pipfile.lock", pipenvLock("sha256:dead", `sha256:${SHA256}`), ["null sha256"]],
  ["poetry.lock", tomlLock("", `files = [{file = "${WHEEL}", hash = "sha256:dead"}]`), [
    '"sha256:dead", which is no sha256 digest',
  ]],
  ["uv.lock", tomlLock("version = 1", `sdist = { url = "http://x/a-1.tar.gz", hash = "sha256:dead" }`), [
    '"sha256:dead", which is no sha256 digest',
  ]],
  [
    "pylock.toml",
    tomlLock('lock-version = "1.0"', "").replace("package", "packages") +
    `wheels = [{ name = "${WHEEL}", hashes = { md5 = "dead", sha256 = "${SHA256}" } }]\n`,
    [`${WHEEL} sha256`],
  ],
  [
    "pylock.toml",
    tomlLock('lock-version = "1.0"', "").replace("package", "packages") +
    `wheels = [{ name = "${WHEEL}", hashes = { sha256 = "dead" } }]\n`,
    ['"sha256:dead", which is no sha256 digest'],
  ],
  ["Cargo.lock", cargoLock(""), null],
  ["Cargo.lock", cargoLock(`checksum = "abcd"`), ['"abcd", which is no sha256 digest']],
  ["Cargo.lock", cargoLock(`checksum = "${SHA256}"`), ["null sha256"]],
];

for (const [name, text, files] of DIGESTS) {
  Deno.test(`readLockfile: ${name}, what is locked by ${JSON.stringify(text).slice(-60)}`, () => {
    const [locked] = readLockfile(name, text).packages;
    const found = locked!.files?.map(({ filename, digests, unread }) =>
      unread ?? `${filename} ${digests.map(({ algorithm }) => algorithm).join()}`
    );
    assert.deepEqual(found ?? null, files);
  });
}

Deno.test("readLockfile: what is made to take long takes no longer than it is long", () => {
  const blanks = " ".repeat(2_000_000);
  for (
    const [name, text] of [
      ["requirements.txt", `a${blanks}b`],
      ["x", `${"\n \n".repeat(500_000)}x`],
      ["x", `#${blanks}\n`],
      ["x.spdx", `SPDXVersion: SPDX-2.3\nExternalRef:${blanks}x`],
    ] as const
  ) {
    assert.throws(() => readLockfile(name, text).packages[0]!.name);
  }
});

function nameAndVersion({ name, version }: LockedPackage): string {
  return `${name}@${version}`;
}
