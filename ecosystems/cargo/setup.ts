/** How Cargo is pointed here: as a registry with a name, since one without can be given no token. */
import type { ClientSetup, Setting, SetupCaller, SetupFile } from "../ecosystem.ts";

const CARGO_HOME = Object.freeze({ variable: "CARGO_HOME", prefix: ".cargo" });
const CONFIG: SetupFile = Object.freeze({
  home: ".cargo/config.toml",
  older: ".cargo/config",
  moved: CARGO_HOME,
  syntax: "toml",
});
const CREDENTIALS: SetupFile = Object.freeze({
  home: ".cargo/credentials.toml",
  older: ".cargo/credentials",
  moved: CARGO_HOME,
  syntax: "toml",
});

/** Cargo. */
export function setup(base: string): readonly ClientSetup[] {
  const config = settings(base, { by: "nobody", isAsked: false })
    .flatMap(({ section, lines }) => [`[${section}]`, ...lines]);
  return [{
    id: "cargo",
    client: "cargo",
    line: `mkdir -p ~/.cargo && printf '${config.join("\\n")}\\n' >> ~/.cargo/config.toml`,
    programs: ["cargo"],
    settings: (caller) => settings(base, caller),
    login,
    keeps:
      "`cargo login` asks for it and keeps it in ~/.cargo/credentials.toml, or in the system's keyring with " +
      'credential-provider = "cargo:libsecret" ("cargo:macos-keychain", "cargo:wincred"). Where the environment ' +
      "holds it (CI): CARGO_REGISTRIES_SLUICE_TOKEN.",
    note: () => "cargo search and cargo info then want --registry sluice.",
  }];
}

/**
 * Where anybody is let in, Cargo sends no token, so that a name goes into the address; Cargo.lock names the public
 * registry all the same.
 */
function settings(base: string, caller: SetupCaller): readonly Setting[] {
  const { by, isAsked } = caller;
  const root = by === "name" && !isAsked ? base.replace("://", "://{user:url}@") : base;
  const registry: Setting = {
    id: "cargo",
    file: CONFIG,
    section: "registries.sluice",
    lines: [
      `index = "sparse+${root}/"`,
      ...(needsLogin(caller) ? ['credential-provider = "cargo:token"'] : []),
    ],
  };
  const source: Setting = {
    id: "cargo-source",
    file: CONFIG,
    section: "source.crates-io",
    lines: ['replace-with = "sluice"'],
  };
  if (!needsLogin(caller)) return [registry, source];
  const token = by === "token" ? "{token}" : "Basic {basic}";
  return [registry, source, {
    id: "cargo-login",
    file: CREDENTIALS,
    section: "registries.sluice",
    lines: [`token = "${token}"`],
    isSecret: true,
  }];
}

/** It sends a token as it stands: a name is the whole header. */
function login(caller: SetupCaller): readonly string[] {
  if (!needsLogin(caller)) return [];
  return [
    caller.by === "token"
      ? "cargo login --registry sluice"
      : `printf 'Basic %s' "$(printf '{user}:' | base64)" | cargo login --registry sluice`,
  ];
}

function needsLogin({ by, isAsked }: SetupCaller): boolean {
  return by === "token" || (by === "name" && isAsked);
}
