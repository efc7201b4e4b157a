/** How pip, uv, poetry, pdm and pipenv are pointed here. */
import type { ClientSetup, Setting, SetupCaller, SetupFile } from "../ecosystem.ts";

const XDG = Object.freeze({ variable: "XDG_CONFIG_HOME", prefix: ".config" });

const PIP_CONF: SetupFile = Object.freeze({
  home: ".config/pip/pip.conf",
  macosIfThere: "Library/Application Support/pip/pip.conf",
  windows: "AppData/Roaming/pip/pip.ini",
  moved: XDG,
  system: {
    unix: "/etc/pip.conf",
    macos: "/Library/Application Support/pip/pip.conf",
    windows: "pip/pip.ini",
  },
  syntax: "ini",
});
const UV_TOML: SetupFile = Object.freeze({
  home: ".config/uv/uv.toml",
  windows: "AppData/Roaming/uv/uv.toml",
  moved: XDG,
  system: { unix: "/etc/uv/uv.toml", macos: "/etc/uv/uv.toml", windows: "uv/uv.toml" },
  syntax: "toml",
});
const PDM_TOML: SetupFile = Object.freeze({
  home: ".config/pdm/config.toml",
  macos: "Library/Application Support/pdm/config.toml",
  windows: "AppData/Local/pdm/pdm/config.toml",
  moved: XDG,
  system: {
    unix: "/etc/xdg/pdm/config.toml",
    macos: "/Library/Application Support/pdm/config.toml",
    windows: "pdm/pdm/config.toml",
  },
  syntax: "toml",
});
/** pip, uv, poetry, pdm and pipenv read it. */
const NETRC: SetupFile = Object.freeze({
  home: ".netrc",
  moved: { variable: "NETRC", prefix: ".netrc" },
  syntax: "netrc",
});

const NETRC_KEEPS =
  "Best kept in ~/.netrc, which only you may read: pip, uv, poetry, pdm and pipenv all look there.";

/** The clients of PyPI's index; the first is the one that most people have. */
export function setup(base: string): readonly ClientSetup[] {
  const index = `${base}/simple/`;
  return [
    {
      id: "pip",
      client: "pip",
      line: `pip config set global.index-url ${index}${trustHttp(base)}`,
      programs: ["pip", "pip3"],
      settings: (caller) => [pipConf(base, caller), ...netrc(base, caller)],
      keeps: `${NETRC_KEEPS} Or a keyring that pip can ask.`,
      note: () => "An extra-index-url that stands beside it is still asked: take it out.",
      check: () => ({
        prints: { command: ["pip", "config", "get", "global.index-url"], answer: index },
      }),
    },
    {
      id: "uv",
      client: "uv",
      line: `export UV_DEFAULT_INDEX=${index}`,
      programs: ["uv"],
      settings: (caller) => [uvToml(index, caller), ...netrc(base, caller)],
      keeps: `${NETRC_KEEPS} Where the environment holds it (CI): UV_INDEX_SLUICE_USERNAME and ` +
        "UV_INDEX_SLUICE_PASSWORD.",
    },
    {
      id: "poetry",
      client: "poetry",
      line: `poetry source add --priority=primary sluice ${index}`,
      programs: ["poetry"],
      settings: (caller) => netrc(base, caller),
      environment: ({ by }): Readonly<Record<string, string>> =>
        by === "name"
          ? { POETRY_HTTP_BASIC_SLUICE_USERNAME: "{user}", POETRY_HTTP_BASIC_SLUICE_PASSWORD: "" }
          : {},
      keeps:
        `${NETRC_KEEPS} Or in the system's keyring: \`poetry config http-basic.sluice NAME\` asks for it. ` +
        "Where the environment holds it (CI): POETRY_HTTP_BASIC_SLUICE_USERNAME and POETRY_HTTP_BASIC_SLUICE_PASSWORD.",
      note: () => "poetry has no setting for all projects: the line is for each of them.",
      isPerProject: true,
    },
    {
      id: "pdm",
      client: "pdm",
      line: `pdm config pypi.url ${index}`,
      programs: ["pdm"],
      settings: (caller) => [pdmToml(index, caller), ...netrc(base, caller)],
      keeps: NETRC_KEEPS,
      check: () => ({ prints: { command: ["pdm", "config", "pypi.url"], answer: index } }),
    },
    {
      id: "pipenv",
      client: "pipenv",
      line: `export PIPENV_PYPI_MIRROR=${index}`,
      programs: ["pipenv"],
      settings: (caller) => netrc(base, caller),
      environment: (caller) => ({ PIPENV_PYPI_MIRROR: withName(index, caller) }),
      keeps: NETRC_KEEPS,
    },
  ];
}

function pipConf(base: string, caller: SetupCaller): Setting {
  const host = untrusted(base);
  return {
    id: "pip",
    file: PIP_CONF,
    section: "global",
    lines: [
      `index-url = ${withName(`${base}/simple/`, caller)}`,
      ...(host === null ? [] : [`trusted-host = ${host}`]),
    ],
    past: ["extra-index-url", "find-links"],
  };
}

/** The first that is the default is; the others stay what they were beside it. */
function uvToml(index: string, caller: SetupCaller): Setting {
  const lines = ['name = "sluice"', `url = "${withName(index, caller)}"`, "default = true"];
  const past = ["[[index]]", "extra-index-url", "find-links"];
  return { id: "uv", file: UV_TOML, section: "[index]", lines, past };
}

/** Where a name is asked for, it gives up at once with one that has no password beside it. */
function pdmToml(index: string, { by }: SetupCaller): Setting {
  const name = by === "name" ? ['username = "{user}"', 'password = "-"'] : [];
  return { id: "pdm", file: PDM_TOML, section: "pypi", lines: [`url = "${index}"`, ...name] };
}

function netrc(base: string, { by }: SetupCaller): readonly Setting[] {
  if (by !== "token") return [];
  const lines = [`machine ${new URL(base).hostname} login {user} password {token}`];
  return [{ id: "netrc", file: NETRC, lines, isSecret: true }];
}

function withName(index: string, { by }: SetupCaller): string {
  return by === "name" ? index.replace("://", "://{user:url}@") : index;
}

/** pip speaks plain HTTP only to this machine and to hosts that it was told of. */
function untrusted(base: string): string | null {
  const { protocol, hostname } = new URL(base);
  const isTrusted = protocol !== "http:" || hostname === "localhost" || hostname.startsWith("127.");
  return isTrusted ? null : hostname;
}

function trustHttp(base: string): string {
  const host = untrusted(base);
  return host === null ? "" : ` && pip config set global.trusted-host ${host}`;
}
