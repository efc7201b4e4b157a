import assert from "node:assert/strict";
import { type Config, formatMistakes, loadConfig } from "./config.ts";
import { exampleConfig, helpText, informational, settingsTable } from "./help.ts";
import { describeSettings } from "./settings.ts";

const ECOSYSTEMS = [{ id: "npm", upstreams: ["registry"] }, { id: "pypi", upstreams: ["index", "files"] }];

interface Given {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  readonly files?: Record<string, string>;
}

function load({ args = [], env = {}, files = {} }: Given) {
  return loadConfig({
    args,
    env,
    ecosystems: ECOSYSTEMS,
    readTextFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Deno.errors.NotFound(path);
      return text;
    },
  });
}

function config(given: Given): Config {
  const loaded = load(given);
  assert(loaded.ok, loaded.ok ? "" : formatMistakes(loaded.errors));
  return loaded.config;
}

function mistakes(given: Given): string {
  const loaded = load(given);
  assert(!loaded.ok, `expected a mistake: ${JSON.stringify(given)}`);
  return formatMistakes(loaded.errors);
}

Deno.test("loadConfig: needs nothing, and keeps everything below ./data", () => {
  const made = config({});
  assert.deepEqual(made.listen, { hostname: "127.0.0.1", port: 8080 });
  assert.equal(made.baseUrl, null);
  assert.equal(made.kv, "./data/kv.sqlite3");
  assert.equal(made.artifacts, "file:./data/artifacts");
  assert.equal(made.lifetimes.instance.metadataTtl, 3_600_000);
  assert.equal(made.lifetimes.instance.staleIfError, 7 * 86_400_000);
  assert.equal(made.lifetimes.instance.absentTtl, 60_000);
  assert.deepEqual(made.upstreams, []);
});

Deno.test("loadConfig: listen takes every form that a person writes", () => {
  const forms: [string, string, number][] = [
    [":3000", "0.0.0.0", 3000],
    ["0.0.0.0:80", "0.0.0.0", 80],
    ["[::1]:8080", "::1", 8080],
    ["localhost:0", "localhost", 0],
  ];
  for (const [text, hostname, port] of forms) {
    assert.deepEqual(config({ args: ["--listen", text] }).listen, { hostname, port }, text);
    assert.deepEqual(config({ args: [`--listen=${text}`] }).listen, { hostname, port }, text);
  }
});

Deno.test("loadConfig: the base address has no trailing slash, and may have a path", () => {
  const base = (text: string) => config({ args: ["--base-url", text] }).baseUrl;
  assert.equal(base("https://Sluice.example/"), "https://sluice.example");
  assert.equal(base("https://sluice.example/proxy/"), "https://sluice.example/proxy");
});

Deno.test("loadConfig: PORT counts where listen is not given, on every interface", () => {
  assert.deepEqual(config({ env: { PORT: "9000" } }).listen, { hostname: "0.0.0.0", port: 9000 });
  const both = config({ env: { PORT: "9000", SLUICE_LISTEN: "127.0.0.1:1234" } });
  assert.equal(both.listen.port, 1234);
});

Deno.test("loadConfig: flags over environment over file", () => {
  const files = { "s.yaml": "listen: :1\ndata: /file\nlogLevel: warn\n" };
  const env = { SLUICE_CONFIG: "s.yaml", SLUICE_LISTEN: ":2", SLUICE_DATA: "/env" };
  const made = config({ files, env, args: ["--listen", ":3"] });
  assert.equal(made.listen.port, 3);
  assert.equal(made.data, "/env");
  assert.equal(made.logLevel, "warn");
  assert.equal(
    config({ files: { "s.json": '{"data":"/json"}' }, args: ["--config", "s.json"] }).data,
    "/json",
  );
});

Deno.test("loadConfig: data: none keeps nothing on a disk, and wants to be told where else", () => {
  const env = {
    SLUICE_DATA: "none",
    SLUICE_KV: "http://127.0.0.1:4512",
    SLUICE_ARTIFACTS: "s3://bucket/sluice?endpoint=http%3A%2F%2F127.0.0.1%3A9000",
    AWS_ACCESS_KEY_ID: "id",
    AWS_SECRET_ACCESS_KEY: "secret",
  };
  const made = config({ env });
  assert.deepEqual([made.data, made.kv, made.artifacts], [null, env.SLUICE_KV, env.SLUICE_ARTIFACTS]);
  const loaded = load({ args: ["--data", "none"] });
  assert.ok(!loaded.ok);
  assert.deepEqual(loaded.errors.map(({ key }) => key), ["kv", "artifacts"]);
});

Deno.test("loadConfig: on Deno Deploy the platform's KV, its bounds on memory, and four seconds", () => {
  const made = config({ env: { DENO_DEPLOYMENT_ID: "abc", SLUICE_BASE_URL: "https://sluice.example" } });
  assert.equal(made.kv, undefined);
  assert.equal(made.data, null);
  assert.equal(made.artifacts, "memory:128MB");
  assert.equal(made.drainTimeout, 4_000);
  const { memoBytes, factsBytes, artifactBytes, workBytes } = made.memory;
  assert(memoBytes + factsBytes + artifactBytes + workBytes + 128e6 < 320e6);
  assert.match(mistakes({ env: { DENO_DEPLOYMENT_ID: "abc" } }), /SLUICE_BASE_URL: expected the address/);
});

Deno.test("loadConfig: a bucket's keys come from the environment, or from the files it names", () => {
  const made = config({
    args: ["--artifacts", "s3://bucket/prefix?region=auto"],
    env: { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY_FILE: "/run/key" },
    files: { "/run/key": "secret\n" },
  });
  assert.equal(made.artifacts, "s3://bucket/prefix?region=auto");
  const credentials = { accessKeyId: "id", secretAccessKey: "secret", sessionToken: null };
  assert.deepEqual(made.artifactsCredentials, credentials);
  assert.equal(config({}).artifactsCredentials, null);
});

Deno.test("loadConfig: every bad value is told with key, value and what was expected", () => {
  const table: [Given, string][] = [
    [{ args: ["--listen", "8080"] }, '--listen "8080": expected HOST:PORT'],
    [{ args: ["--listen", ":70000"] }, '--listen ":70000": expected HOST:PORT'],
    [{ args: ["--listen", "a b:1"] }, "--listen"],
    [{ env: { PORT: "http" } }, 'PORT ":http": expected HOST:PORT'],
    [{ env: { SLUICE_BASE_URL: "sluice.example" } }, "SLUICE_BASE_URL"],
    [
      { env: { SLUICE_BASE_URL: "https://sluice.example/a?b" } },
      'SLUICE_BASE_URL "https://sluice.example/a?…"',
    ],
    [{ env: { SLUICE_METADATA_TTL: "10" } }, 'SLUICE_METADATA_TTL "10": expected a duration with a unit'],
    [{ args: ["--connect-timeout", "0s"] }, "expected a duration above 0"],
    [{ args: ["--memo-memory", "64"] }, '--memo-memory "64": expected a size with a unit'],
    [{ args: ["--memo-memory", "0.3B"] }, "expected a size"],
    [{ args: ["--log-level", "trace"] }, '--log-level "trace": expected one of debug, info, warn, error'],
    [{ args: ["--log-format", "xml"] }, "expected one of text, json"],
    [{ args: ["--unknown-organisation", "yes"] }, "expected one of refuse, default"],
    [{ args: ["--artifacts", "s3:bucket"] }, '--artifacts "s3:bucket": expected memory:'],
    [
      {
        args: ["--artifacts", "s3://bucket?key=hunter2"],
        env: { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key" },
      },
      '--artifacts "s3://bucket?…": expected memory:',
    ],
    [
      { args: ["--artifacts", "s3://bucket"], env: { AWS_SECRET_ACCESS_KEY: "key" } },
      "AWS_ACCESS_KEY_ID: expected the bucket's key",
    ],
    [
      { args: ["--artifacts", "s3://bucket"], env: { AWS_ACCESS_KEY_ID: "id" } },
      "AWS_SECRET_ACCESS_KEY: expected the bucket's key",
    ],
    [{ args: ["--kv", "ftp://x"] }, '--kv "ftp://x": expected a path, or an http or https address'],
    [{ args: ["--connections-per-origin", "0"] }, "expected a whole number from 1 to 1024"],
    [{ args: ["--lisen", ":1"] }, "--lisen: expected a known flag; did you mean --listen?"],
    [{ args: ["--listen"] }, "--listen: expected a value after it"],
    [{ args: ["stray"] }, 'argument "stray": expected a flag'],
    [{ env: { SLUICE_LISTN: ":1" } }, "SLUICE_LISTN: expected a known setting; did you mean SLUICE_LISTEN?"],
    [{ env: { SLUICE_PORT: "80" } }, "SLUICE_PORT: expected a known setting"],
    [{ env: { SLUICE_UPSTREAM_NPN: "x" } }, "did you mean SLUICE_UPSTREAM_NPM?"],
    [{ env: { SLUICE_UPSTREAM_NPM: "registry" } }, 'SLUICE_UPSTREAM_NPM "registry": expected an http'],
    [{ args: ["--upstream-npm", "ftp://x/"] }, '--upstream-npm "ftp://x/": expected an http'],
    [
      { env: { SLUICE_UPSTREAM_NPM_TOKEN: "t" } },
      "SLUICE_UPSTREAM_NPM_TOKEN: expected SLUICE_UPSTREAM_NPM to be",
    ],
    [
      { args: ["--config", "gone.yaml"] },
      '--config "gone.yaml": expected a file that can be read (no such file)',
    ],
    [{ args: ["--ca-file", "gone.pem"] }, '--ca-file "gone.pem": expected a PEM file that can be read'],
    [{ env: { NO_PROXY: "a b" } }, "NO_PROXY"],
  ];
  for (const [given, expected] of table) {
    const text = mistakes(given);
    assert(text.includes(expected), `${JSON.stringify(given)}: ${text}`);
    assert.equal(text.split("\n").length, 2, text);
  }
});

Deno.test("loadConfig: a file's mistakes are told by their path, unknown keys and bad YAML too", () => {
  const table: [string, string][] = [
    ["- a\n", "expected a mapping of settings"],
    ["listen: [", "expected YAML or JSON (BAD_INDENT in line 1)"],
    ["data: 1\ndata: 2\n", "DUPLICATE_KEY in line 2"],
    ["listn: :1", "listn: expected a known key; did you mean listen?"],
    ["__proto__: {}", "__proto__: expected a known key"],
    ["listen: {}", "listen a mapping: expected HOST:PORT"],
    ["upstreams: {rubygems: []}", "upstreams.rubygems: expected a known key"],
    ["upstreams: {npm: {url: x}}", "upstreams.npm a mapping: expected a list"],
    ["upstreams: {npm: [{}]}", "upstreams.npm[0].url: expected an http or https address"],
    ["upstreams: {npm: [{url: 'http://a/?x=1'}]}", 'upstreams.npm[0].url "http://a/?…": expected'],
    [
      "upstreams: {npm: [{url: 'http://a/', mach: []}]}",
      "upstreams.npm[0].mach: expected a known key; did you mean",
    ],
    [
      "upstreams: {npm: [{url: 'http://a/', key: files}]}",
      'upstreams.npm[0].key "files": expected one of registry',
    ],
    ["upstreams: {npm: [{url: 'http://a/', match: [1]}]}", "upstreams.npm[0].match a list: expected names"],
    ["upstreams: {npm: [{url: 'http://a/', credentials: {}}]}", "exactly one of bearer, basic and header"],
  ];
  for (const [file, expected] of table) {
    const text = mistakes({ files: { f: file }, args: ["--config", "f"] });
    assert(text.includes(expected), `${file}: ${text}`);
  }
});

Deno.test("loadConfig: all mistakes of all sources are told at once", () => {
  const text = mistakes({
    args: ["--config", "f", "--listen", "x", "--nope"],
    env: { SLUICE_METADATA_TTL: "1", SLUICE_NOPE: "1" },
    files: { f: "absentTtl: never\nfoo: 1\nupstreams: {npm: [{url: x}, {url: y}]}\n" },
  });
  const keys = ["--listen", "--nope", "SLUICE_METADATA_TTL", "SLUICE_NOPE", "absentTtl", "foo"];
  for (const key of [...keys, "upstreams.npm[0].url", "upstreams.npm[1].url"]) {
    assert(text.includes(`  ${key}`), `${key} in ${text}`);
  }
});

Deno.test("loadConfig: mistakes in an entry of the file that the environment takes the place of are told too", () => {
  const yaml = "upstreams: {npm: [{url: 'ftp://x', upstreamTimeout: -1s, matc: [x]}]}";
  const given = { args: ["--config", "f"], files: { f: yaml } };
  for (const env of [{}, { SLUICE_UPSTREAM_NPM: "http://a/" }]) {
    const text = mistakes({ ...given, env });
    for (const key of ["upstreams.npm[0].url", "upstreams.npm[0].upstreamTimeout", "upstreams.npm[0].matc"]) {
      assert(text.includes(`  ${key}`), `${key} in ${text}`);
    }
  }
  const right = yaml.replace("ftp", "http").replace("-1s", "1s").replace(", matc: [x]", "");
  const loaded = load({
    args: ["--config", "f"],
    files: { f: right },
    env: { SLUICE_UPSTREAM_NPM: "http://a/" },
  });
  assert(loaded.ok);
});

Deno.test("loadConfig: no message ever holds a secret", () => {
  const secret = "hunter2";
  const inFile = (yaml: string): Given => ({ args: ["--config", "f"], files: { f: yaml } });
  const table: Given[] = [
    { env: { SLUICE_UPSTREAM_NPM: `http://user:${secret}@a/` } },
    { env: { SLUICE_UPSTREAM_NPM: `http://a/?token=${secret}` } },
    { env: { SLUICE_UPSTREAM_NPM: "http://a/", SLUICE_UPSTREAM_NPM_TOKEN: `${secret}\u0001` } },
    { env: { HTTPS_PROXY: `socks://u:${secret}@a` } },
    { env: { SLUICE_KV_TOKEN: `${secret}\n${secret}` } },
    { args: [`--kv-token=${secret}`] },
    { args: ["--kv-token", secret] },
    { env: { SLUICE_KV_TOKN: secret } },
    inFile(`kvTokn: ${secret}`),
    inFile(`upstreams: {npm: [{url: 'http://a/', credentials: ${secret}}]}`),
    inFile(`upstreams: {npm: [{url: 'http://a/', credentials: {bearer: {tokn: ${secret}}}}]}`),
    inFile(`upstreams: {npm: [{url: 'http://a/', credentials: {tokn: ${secret}}}]}`),
    inFile(`upstreams: {npm: [{url: 'http://a/', credentials: {bearer: [${secret}]}}]}`),
    inFile(`upstreams: {npm: [{url: 'http://a/', credentials: {basic: {username: a, pass: ${secret}}}}]}`),
    inFile(`upstreams: {npm: {url: 'http://a/', credentials: {bearer: ${secret}}}}`),
    inFile(`kvToken: "${secret}\n  ${secret}: [`),
  ];
  for (const given of table) {
    const text = mistakes(given);
    assert(!text.includes(secret), text);
  }
});

Deno.test("loadConfig: secrets come from a file or a variable, in every place", () => {
  const files = {
    token: "from-file\n",
    f: `
upstreams:
  npm:
    - { url: "http://10.0.0.1", match: ["@acme/*"], organisations: [acme], allowedHosts: [files.example],
        credentials: { bearerFile: token } }
    - { url: "http://b/x/", credentials: { basic: { username: u, password: { env: PASSWORD } } } }
    - { url: "http://c/", match: "left-pad", id: pads, credentials: { header: { name: x-api-key, valueFile: token } } }
`,
  };
  const env = { PASSWORD: "p", SLUICE_KV_TOKEN_FILE: "token", HTTPS_PROXY_FILE: "proxy" };
  const made = config({
    files: { ...files, proxy: "http://u:p@proxy.example:3128\n" },
    env,
    args: ["--config", "f"],
  });
  assert.equal(made.kvToken, "from-file");
  assert.equal(made.network.proxy, "http://u:p@proxy.example:3128");
  assert.deepEqual(made.upstreams, [
    {
      ecosystem: "npm",
      key: "registry",
      match: ["@acme/*"],
      url: "http://10.0.0.1/",
      allowedHosts: ["files.example"],
      credentials: { kind: "bearer", token: "from-file" },
      organisations: ["acme"],
    },
    {
      ecosystem: "npm",
      key: "registry",
      match: [],
      url: "http://b/x/",
      allowedHosts: [],
      credentials: { kind: "basic", username: "u", password: "p" },
      organisations: null,
    },
    {
      id: "pads",
      ecosystem: "npm",
      key: "registry",
      match: ["left-pad"],
      url: "http://c/",
      allowedHosts: [],
      credentials: { kind: "header", name: "x-api-key", value: "from-file" },
      organisations: null,
    },
  ]);
});

Deno.test("loadConfig: an upstream of the environment takes the place of the file's catch-all alone", () => {
  const files = {
    t: "tok",
    f: "upstreams: {npm: [{url: 'http://all/'}, {url: 'http://a/', match: ['@a/*']}]}",
  };
  const env = {
    SLUICE_UPSTREAM_NPM: "http://env/npm",
    SLUICE_UPSTREAM_NPM_TOKEN_FILE: "t",
    SLUICE_UPSTREAM_NPM_ALLOWED_HOSTS: "x.example, y.example:8443",
  };
  const made = config({ files, env, args: ["--config", "f"] });
  assert.deepEqual(made.upstreams.map(({ url }) => url), ["http://a/", "http://env/npm/"]);
  assert.deepEqual(made.upstreams[1]?.credentials, { kind: "bearer", token: "tok" });
  assert.deepEqual(made.upstreams[1]?.allowedHosts, ["x.example", "y.example:8443"]);
  const flagged = config({ files, env, args: ["--config", "f", "--upstream-npm", "http://flag/"] });
  assert.equal(flagged.upstreams[1]?.url, "http://flag/");
});

Deno.test("loadConfig: what Kubernetes injects for a service called sluice is no mistake", () => {
  const env = {
    SLUICE_PORT: "tcp://10.0.0.1:8080",
    SLUICE_SERVICE_HOST: "10.0.0.1",
    SLUICE_SERVICE_PORT_HTTP: "8080",
    SLUICE_PORT_8080_TCP_ADDR: "10.0.0.1",
  };
  assert.equal(config({ env }).listen.port, 8080);
});

Deno.test("loadConfig: proxies in lower case count, HTTP_PROXY where there is no other", () => {
  assert.equal(config({ env: { http_proxy: "http://a:1" } }).network.proxy, "http://a:1");
  const both = config({ env: { HTTP_PROXY: "http://a:1", https_proxy: "http://b:2", no_proxy: "x, .y" } });
  assert.equal(both.network.proxy, "http://b:2");
  assert.deepEqual(both.network.noProxy, ["x", ".y"]);
});

Deno.test("exampleConfig: is what the program does by default", () => {
  assert.deepEqual(config({ files: { f: exampleConfig() }, args: ["--config", "f"] }), config({}));
});

Deno.test("helpText: has every setting, and every setting is one that the schema knows", () => {
  const text = helpText(["npm"]);
  for (const { flag, env, key } of describeSettings()) {
    assert(env !== null && text.includes(env), key);
    if (flag !== null) assert(text.includes(`  ${flag} `), key);
    const told = load({ files: { f: `${key}: {}` }, args: ["--config", "f"] });
    assert(told.ok || !formatMistakes(told.errors).includes("known key"), key);
  }
  const table = settingsTable(["npm"]);
  for (const { key, env } of describeSettings()) {
    assert(table.includes(`\`${key}\``) && table.includes(`\`${env}\``), key);
  }
  assert.equal(new Set(table.trimEnd().split("\n").map((line) => line.match(/(?<!\\)\|/g)?.length)).size, 1);
  assert.match(informational(["--version"], []) ?? "", /^sluice \d+\.\d+\.\d+\n$/);
  assert.equal(informational(["--listen", ":1"], []), null);
});
