/** What each of Python's package managers needs to be told: files of a project, and an environment. */
import { join } from "node:path";
import { pypi } from "../../ecosystems/pypi/pypi.ts";
import { type PythonClient, VIRTUALENV_DATA } from "./pypi_programs.ts";

export interface PythonProjectOptions {
  readonly client: PythonClient;
  /** The simple index, with trailing slash. */
  readonly index: string;
  /** Sent as Basic auth with an empty password. */
  readonly user?: string;
  /** Instead of an empty password; `netrc` keeps it in a file, else it stands in the address or the environment. */
  readonly password?: string;
  readonly kept?: "netrc" | "index-name";
  /** PEP 508: `steady`, `fresh==1.1.0`. */
  readonly dependencies?: readonly string[];
}

/** By name. A name of a user is in none of them. */
export function filesOf(options: PythonProjectOptions): Readonly<Record<string, string>> {
  const { client, index, dependencies = [] } = options;
  const project = [
    "[project]",
    'name = "project"',
    'version = "1.0.0"',
    'requires-python = ">=3.9"',
    `dependencies = ${JSON.stringify(dependencies)}`,
    "",
  ];
  const withProject = (...lines: readonly string[]) => ({
    "pyproject.toml": [...project, ...lines, ""].join("\n"),
  });
  switch (client) {
    case "pip":
    case "pip-machine":
      return { "requirements.txt": `${dependencies.join("\n")}\n` };
    case "uv":
      return withProject("[tool.uv]", "package = false", ...namedIndex(options));
    case "poetry":
      return withProject(
        "[tool.poetry]",
        "package-mode = false",
        "[[tool.poetry.source]]",
        'name = "sluice"',
        `url = "${index}"`,
        'priority = "primary"',
      );
    case "pdm":
      return withProject("[tool.pdm]", "distribution = false");
    case "pipenv":
      return { "Pipfile": pipfile(dependencies) };
  }
}

/** uv takes a name and a password from the environment for an index that has a name. */
function namedIndex({ index, kept }: PythonProjectOptions): readonly string[] {
  if (kept !== "index-name") return [];
  return ["[[tool.uv.index]]", 'name = "sluice"', `url = "${index}"`, "default = true"];
}

/** `.netrc` of the home, where it is kept there. */
export function netrcOf({ index, user, password = "", kept }: PythonProjectOptions): string | null {
  if (kept !== "netrc") return null;
  return `machine ${new URL(index).hostname} login ${user} password ${password}\n`;
}

/** As pipenv itself writes it: the public index, in whose place PIPENV_PYPI_MIRROR puts another. */
function pipfile(dependencies: readonly string[]): string {
  const lines = dependencies.map((dependency) => {
    const [, name, version] = /^([\w.-]+)(.*)$/.exec(dependency)!;
    return `"${name}" = "${version || "*"}"`;
  });
  const source = `url = "${pypi.upstreams.index}simple"\nverify_ssl = true\nname = "pypi"`;
  return `[[source]]\n${source}\n\n[packages]\n${lines.join("\n")}\n`;
}

/** With the user's name where this client keeps it, or reads it from. */
export function environmentOf(
  where: PythonProjectOptions & { readonly home: string; readonly python: string },
): Readonly<Record<string, string>> {
  const { client, index, user, password = "", kept, home, python } = where;
  const url = new URL(index);
  if (user !== undefined && kept === undefined) {
    url.username = user;
    // Where a name is required, pdm gives up at once with an address that has no password beside it.
    url.password = password === "" && client === "pdm" ? "-" : password;
  }
  const withUser = url.href;
  return {
    PATH: Deno.env.get("PATH") ?? "",
    HOME: home,
    XDG_CACHE_HOME: join(home, ".cache"),
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local"),
    NO_COLOR: "1",
    CI: "1",
    COLUMNS: "400",
    ...(client === "pipenv" ? {} : { PIP_INDEX_URL: withUser }),
    PIP_RETRIES: "0",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PIP_NO_INPUT: "1",
    ...(kept === "index-name"
      ? { UV_INDEX_SLUICE_USERNAME: user ?? "", UV_INDEX_SLUICE_PASSWORD: password }
      : { UV_DEFAULT_INDEX: withUser }),
    UV_PYTHON: python,
    UV_PYTHON_DOWNLOADS: "never",
    UV_HTTP_RETRIES: "0",
    UV_NO_PROGRESS: "1",
    POETRY_VIRTUALENVS_IN_PROJECT: "true",
    POETRY_NO_INTERACTION: "1",
    POETRY_KEYRING_ENABLED: "false",
    ...(user === undefined
      ? {}
      : { POETRY_HTTP_BASIC_SLUICE_USERNAME: user, POETRY_HTTP_BASIC_SLUICE_PASSWORD: password }),
    PDM_PYPI_URL: withUser,
    PDM_CHECK_UPDATE: "false",
    PDM_NON_INTERACTIVE: "1",
    PDM_IGNORE_SAVED_PYTHON: "1",
    PIPENV_PYPI_MIRROR: withUser,
    PIPENV_PYTHON: python,
    PIPENV_VENV_IN_PROJECT: "1",
    PIPENV_NOSPIN: "1",
    PIPENV_YES: "1",
    POETRY_VIRTUALENVS_OPTIONS_NO_PIP: "true",
    VIRTUALENV_OVERRIDE_APP_DATA: VIRTUALENV_DATA,
    VIRTUALENV_NO_PERIODIC_UPDATE: "1",
    PYTHONUNBUFFERED: "1",
  };
}
