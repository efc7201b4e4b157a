import assert from "node:assert/strict";
import { type Lifetimes, lifetimesOf } from "../storage/lifetimes.ts";
import { type Config, formatMistakes, loadConfig } from "./config.ts";
import { LIFETIME_KEYS } from "./config_schema.ts";
import { describeSettings } from "./settings.ts";

const ECOSYSTEMS = ["npm", "pypi", "cargo"].map((id) => ({ id, upstreams: ["registry"] }));

function load(file: string, env: Record<string, string> = {}) {
  const args = ["--config", "f"];
  return loadConfig({ args, env, ecosystems: ECOSYSTEMS, readTextFile: () => file });
}

function config(file: string, env: Record<string, string> = {}): Config {
  const loaded = load(file, env);
  assert(loaded.ok, loaded.ok ? "" : formatMistakes(loaded.errors));
  return loaded.config;
}

/** What holds for an ecosystem's first upstream. */
function heldBy(made: Config, ecosystem: string): Lifetimes {
  const upstreams = made.upstreams.map((upstream, at) => ({ id: `${upstream.ecosystem}${at}`, ...upstream }));
  const upstreamId = upstreams.find((upstream) => upstream.ecosystem === ecosystem)?.id ?? "none";
  return lifetimesOf(made.lifetimes, upstreams)({ ecosystem, upstreamId });
}

/** Of each setting, four values that differ, as written and as read. */
const VALUES: Readonly<Record<string, readonly (readonly [string, unknown])[]>> = {
  ...Object.fromEntries(
    [
      "metadataTtl",
      "staleWhileRevalidate",
      "staleIfError",
      "absentTtl",
      "artifactTtl",
      "refreshUsedWithin",
      "upstreamTimeout",
    ].map((key) => [key, [["11s", 11_000], ["12min", 720_000], ["13h", 46_800_000], ["14d", 1_209_600_000]]]),
  ),
  userAgent: [["one/1", "one/1"], ["two/2", "two/2"], ["three/3", "three/3"], ["four/4", "four/4"]],
};

Deno.test("lifetimes: each is the upstream's own, else its ecosystem's, else the instance's, else the default", () => {
  assert.deepEqual(Object.keys(VALUES).sort(), [...LIFETIME_KEYS].sort());
  for (const key of LIFETIME_KEYS) {
    const of = (made: Config, ecosystem = "npm") => heldBy(made, ecosystem)[key as keyof Lifetimes];
    const [first, second, third] = VALUES[key]!;
    const instance = `${key}: ${first![0]}\n`;
    const ecosystem = `ecosystems: { npm: { ${key}: ${second![0]} } }\n`;
    const upstream = `upstreams: { npm: [{ url: "http://a/", ${key}: ${third![0]} }] }\n`;
    const byDefault = of(config("{}"));
    assert.equal(of(config(instance)), first![1], key);
    assert.equal(of(config(instance + ecosystem)), second![1], key);
    assert.equal(of(config(instance + ecosystem), "pypi"), first![1], `${key} of another ecosystem`);
    assert.equal(of(config(instance + ecosystem + upstream)), third![1], key);
    assert.equal(of(config(ecosystem + upstream), "cargo"), byDefault, `${key} of another ecosystem`);
    assert.equal(of(config(upstream)), third![1], key);
  }
});

Deno.test("lifetimes: all of the instance's are flags and variables, with the defaults that were asked for", () => {
  const settings = describeSettings().filter(({ key }) => LIFETIME_KEYS.includes(key));
  assert.equal(settings.length, LIFETIME_KEYS.length);
  for (const { key, env, flag } of settings) {
    assert.ok(env !== null && flag !== null, key);
    const [[text, value]] = [VALUES[key]![3]!];
    assert.equal(heldBy(config("{}", { [env]: text }), "npm")[key as keyof Lifetimes], value, key);
  }
  const hour = 3_600_000;
  const { userAgent, ...rest } = heldBy(config("{}"), "npm");
  assert.match(userAgent, /^sluice\/\d/);
  assert.deepEqual(rest, {
    metadataTtl: hour,
    staleWhileRevalidate: hour / 12,
    staleIfError: 7 * 24 * hour,
    absentTtl: hour / 60,
    artifactTtl: null,
    refreshUsedWithin: 7 * 24 * hour,
    upstreamTimeout: hour / 60,
  });
  assert.equal(config("{}").cleanupInterval, hour);
});

Deno.test("lifetimes: an upstream may have for ever what its ecosystem bounds", () => {
  const made = config(`
artifactTtl: 1d
upstreams: { npm: [{ url: "http://a/", artifactTtl: unbounded }] }`);
  assert.equal(heldBy(made, "npm").artifactTtl, null);
  assert.equal(heldBy(made, "pypi").artifactTtl, 86_400_000);
});

Deno.test("ecosystems: those that are switched off are named; none is by default", () => {
  assert.deepEqual(config("{}").disabled, []);
  assert.deepEqual(config("ecosystems: { npm: { enabled: true }, pypi: {} }").disabled, []);
  assert.deepEqual(config("ecosystems: { npm: { enabled: false } }").disabled, ["npm"]);
});

Deno.test("lifetimes: mistakes of every level are told at once, by their path", () => {
  const loaded = load(`
metadataTtl: soon
cleanupInterval: 0
artifactTtl: 0
root: [pypi]
ecosystems:
  npm: { absentTtl: 5, metadataTl: 1h }
  pypi: { enabled: "no" }
  rubygems: {}
upstreams:
  npm:
    - { url: "http://a/", staleIfError: [1h], upstreamTimeout: 0s }
    - { url: "http://b/", match: b, userAgent: "" }
`);
  assert.ok(!loaded.ok);
  const text = formatMistakes(loaded.errors);
  for (
    const line of [
      'metadataTtl "soon": expected a duration with a unit',
      "cleanupInterval 0: expected a duration above 0",
      "artifactTtl 0: expected a duration above 0 with a unit, such as 24h, or unbounded",
      "ecosystems.npm.absentTtl 5: expected a duration with a unit",
      "ecosystems.npm.metadataTl: expected a known key; did you mean metadataTtl?",
      'ecosystems.pypi.enabled "no": expected true or false',
      "ecosystems.rubygems: expected a known key",
      "upstreams.npm[0].staleIfError a list: expected a duration",
      'upstreams.npm[0].upstreamTimeout "0s": expected a duration above 0',
      'upstreams.npm[1].userAgent "": expected printable ASCII',
    ]
  ) assert.ok(text.includes(`  ${line}`), `${line}\nin\n${text}`);
  assert.equal(loaded.errors.length, 10, text);
});

Deno.test("root: an ecosystem that is switched off answers nowhere", () => {
  const loaded = load("root: [npm, cargo]\necosystems: { npm: { enabled: false } }");
  assert.ok(!loaded.ok);
  assert.equal(
    formatMistakes(loaded.errors),
    '  root "npm": expected ecosystems that are not switched off\n',
  );
});
