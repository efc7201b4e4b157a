/** How npm, pnpm, yarn 1 and 4, bun and Deno are pointed here. */
import type { ClientSetup, Setting, SetupCaller, SetupFile } from "../ecosystem.ts";

/** npm, pnpm, yarn 1 and Deno read it, bun too. */
const NPMRC: SetupFile = Object.freeze({
  home: ".npmrc",
  moved: { variable: "NPM_CONFIG_USERCONFIG", prefix: ".npmrc" },
  syntax: "npmrc",
});
/** npm alone reads the one for everybody. */
const NPMRC_OF_NPM: SetupFile = Object.freeze({
  ...NPMRC,
  system: { printedBy: ["npm", "config", "get", "globalconfig"] },
});
const YARNRC: SetupFile = Object.freeze({ home: ".yarnrc", syntax: "yarnrc" });
const YARNRC_YML: SetupFile = Object.freeze({ home: ".yarnrc.yml", syntax: "yaml" });
const BUNFIG: SetupFile = Object.freeze({
  home: ".bunfig.toml",
  moved: { variable: "XDG_CONFIG_HOME", prefix: "" },
  syntax: "toml",
});

const NPMRC_KEEPS =
  "Best kept in .npmrc, which only you may read. Where the environment holds it (CI), write " +
  "`_authToken=${SLUICE_TOKEN}`: it is filled in when the file is read.";

/** The clients of npm's registry protocol; the first is the one that most people have. */
export function setup(base: string): readonly ClientSetup[] {
  const registry = `${base}/`;
  return [
    {
      id: "npm",
      client: "npm",
      line: `npm config set registry ${registry}`,
      programs: ["npm"],
      settings: (caller) => npmrc(base, caller, NPMRC_OF_NPM),
      keeps: NPMRC_KEEPS,
      check: () => ({ prints: printed("npm", "registry", registry), asks: ["npm", "ping"] }),
    },
    {
      id: "pnpm",
      client: "pnpm",
      line: `pnpm config set registry ${registry}`,
      programs: ["pnpm"],
      settings: (caller) => npmrc(base, caller),
      keeps: NPMRC_KEEPS,
      check: () => ({ prints: printed("pnpm", "registry", registry), asks: ["pnpm", "ping"] }),
    },
    {
      id: "yarn4",
      client: "yarn 4",
      line: `yarn config set npmRegistryServer ${base}${allowHttp(base)}`,
      programs: ["yarn"],
      settings: (caller) => yarn4(base, caller),
      keeps:
        "In .yarnrc.yml of your home, never in a project's. Where the environment holds it (CI), write " +
        "`npmAuthToken: ${SLUICE_TOKEN}`.",
    },
    {
      id: "yarn1",
      client: "yarn 1",
      line: `yarn config set registry ${registry}`,
      programs: ["yarn"],
      version: "1.",
      settings: (caller) => yarn1(base, caller),
      keeps: NPMRC_KEEPS,
      note: ({ by }) =>
        by === "nobody"
          ? null
          : "Without always-auth it sends nothing with most requests; npm warns of that line, and means no harm.",
      check: () => ({ prints: printed("yarn", "registry", registry) }),
    },
    {
      id: "bun",
      client: "bun",
      line: `npm_config_registry=${registry} bun install`,
      programs: ["bun"],
      settings: (caller) => [bunfig(registry, caller)],
      keeps:
        "Best kept in .bunfig.toml, which only you may read. Where the environment holds it (CI), write " +
        '`token = "$SLUICE_TOKEN"`.',
    },
    {
      id: "deno",
      client: "deno",
      line: `NPM_CONFIG_REGISTRY=${registry} deno install`,
      programs: ["deno"],
      settings: (caller) => npmrc(base, caller),
      keeps: NPMRC_KEEPS,
      note: () => "For npm: packages; jsr: and https: imports are asked for elsewhere.",
    },
  ];
}

function npmrc(base: string, { by }: SetupCaller, file: SetupFile = NPMRC): readonly Setting[] {
  const registry: Setting = { id: "npmrc", file, lines: [`registry=${base}/`] };
  if (by === "nobody") return [registry];
  const line = by === "token" ? "_authToken={token}" : "_auth={basic}";
  return [registry, {
    id: "npmrc-login",
    file: NPMRC,
    lines: [`${scopeOf(base)}:${line}`],
    isSecret: true,
  }];
}

/** It prefers what .yarnrc says, which can hold neither name nor token. */
function yarn1(base: string, caller: SetupCaller): readonly Setting[] {
  const yarnrc: Setting = { id: "yarnrc", file: YARNRC, lines: [`registry "${base}/"`] };
  if (caller.by === "nobody") return [yarnrc];
  const always: Setting = { id: "npmrc-yarn", file: NPMRC, lines: [`${scopeOf(base)}:always-auth=true`] };
  return [...npmrc(base, caller), always, yarnrc];
}

function yarn4(base: string, { by }: SetupCaller): readonly Setting[] {
  const hosts = httpHosts(base);
  const server: Setting = {
    id: "yarnrc-yml",
    file: YARNRC_YML,
    lines: [
      `npmRegistryServer: "${base}"`,
      ...(hosts === null ? [] : [`unsafeHttpWhitelist: ${hosts}`]),
    ],
  };
  if (by === "nobody") return [server];
  const key = by === "token" ? 'npmAuthToken: "{token}"' : 'npmAuthIdent: "{user}:"';
  const lines = [key, "npmAlwaysAuth: true"];
  return [server, { id: "yarnrc-yml-login", file: YARNRC_YML, lines, isSecret: true }];
}

function bunfig(registry: string, { by }: SetupCaller): Setting {
  const setting = { id: "bunfig", file: BUNFIG, section: "install" };
  const url = `url = "${registry}"`;
  switch (by) {
    case "nobody":
      return { ...setting, lines: [`registry = "${registry}"`] };
    case "name":
      // It sends nothing of a name without a password.
      return { ...setting, lines: [`registry = { ${url}, username = "{user}", password = "-" }`] };
    case "token":
      return { ...setting, lines: [`registry = { ${url}, token = "{token}" }`], isSecret: true };
  }
}

function printed(program: string, key: string, answer: string) {
  return { command: [program, "config", "get", key], answer };
}

/** What .npmrc says of one registry begins with it. */
function scopeOf(base: string): string {
  return `${base.slice(new URL(base).protocol.length)}/`;
}

/** yarn 4 speaks plain HTTP only to hosts that it was told of. */
function httpHosts(base: string): string | null {
  const { protocol, hostname } = new URL(base);
  return protocol === "http:" ? JSON.stringify([hostname]) : null;
}

function allowHttp(base: string): string {
  const hosts = httpHosts(base);
  return hosts === null ? "" : ` && yarn config set unsafeHttpWhitelist --json '${hosts}'`;
}
