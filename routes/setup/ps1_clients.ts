/** setup.ps1: what each client is told, from what its ecosystem says. */
import type { ClientSetup, Setting, SetupFile } from "../../ecosystems/ecosystem.ts";
import { indented, type Marker, partsOf, piecesOf, type Writer } from "./pieces.ts";
import { quotePowerShell as quote } from "./quote.ts";

const VARIABLES: Readonly<Record<Marker, string>> = {
  "{user}": "$Name",
  "{user:url}": "$NameInAddress",
  "{basic}": "$Basic",
  "{token}": "$Token",
};

const WRITER: Writer = {
  setting: (setting) => [...place(setting.file), setLine(setting), ...bewareOf(setting)],
  variable: (name, value) => [`Set-EnvironmentVariable ${quote(name)} ${fillIn(value)}`],
};

/** The functions that go over the clients. `isAsked`: the organisation wants to know who it is. */
export function ps1Clients(clients: readonly ClientSetup[], isAsked: boolean): string {
  return [
    "function Test-Installed([string] $Client) {",
    "  switch ($Client) {",
    ...clients.map((client) => `    ${quote(client.id)} { return (${installed(client)}) }`),
    "  }",
    "  return $false",
    "}",
    "",
    "# What each client is told. See Use-File and Set-Lines.",
    "function Set-Client([string] $Client) {",
    "  switch ($Client) {",
    ...clients.flatMap((client) => [
      `    ${quote(client.id)} {`,
      `      Say ${quote(client.client)}`,
      ...setUp(client, isAsked),
      "    }",
    ]),
    "  }",
    "}",
    "",
    "# What each client says and does when it is asked.",
    "function Test-Client([string] $Client) {",
    "  switch ($Client) {",
    ...clients.flatMap(checks),
    "  }",
    "}",
    "",
  ].join("\n");
}

function installed({ programs, version }: ClientSetup): string {
  const isThere = programs.map((program) => `(Test-Program ${quote(program)})`).join(" -or ");
  return version === undefined
    ? isThere
    : `(${isThere}) -and (Test-Version ${quote(programs[0]!)} ${quote(version)})`;
}

function setUp(client: ClientSetup, isAsked: boolean): readonly string[] {
  const { common, byCaller } = piecesOf(client, isAsked, WRITER);
  const cases = byCaller.flatMap(({ by, lines }) => [
    `        ${quote(by)} {`,
    ...indented(lines, 10),
    "        }",
  ]);
  const note = client.isPerProject === true
    ? [`      Say ${quote(`  in each project: ${client.line}`)}`]
    : [];
  return [
    ...indented(common, 6),
    ...(cases.length === 0 ? [] : ["      switch ($By) {", ...cases, "      }"]),
    ...note,
  ];
}

function place({ home, windows, older, moved, system }: SetupFile): readonly string[] {
  const words = [quote(windows ?? home)];
  if (older !== undefined && windows === undefined) words.push(`-Older ${quote(older)}`);
  if (moved !== undefined && windows === undefined) {
    words.push(`-Moved ${quote(`${moved.variable}:${moved.prefix}`)}`);
  }
  if (system === undefined) return [`Use-File ${words.join(" ")}`];
  if ("printedBy" in system) {
    const [program = "", ...others] = system.printedBy;
    return [
      `Use-File ${words.join(" ")}`,
      `Use-PrintedFile ${quote(program)} @(${others.map(quote).join(", ")})`,
    ];
  }
  return [`Use-File ${words.join(" ")} -System ${quote(system.windows)}`];
}

function setLine({ id, file, section, lines, isSecret }: Setting): string {
  const list = lines.map(fillIn).join(", ");
  const secret = isSecret === true ? " -Secret" : "";
  return `Set-Lines ${quote(file.syntax)} ${quote(id)} ${quote(section ?? "")} @(${list})${secret}`;
}

function bewareOf({ past }: Setting): readonly string[] {
  return past === undefined ? [] : [`Show-Past @(${past.map(quote).join(", ")})`];
}

function checks(client: ClientSetup): readonly string[] {
  const { prints, asks } = client.check?.() ?? {};
  const call = (name: string, [program = "", ...others]: readonly string[], more = "") =>
    `      ${name} ${more}${quote(program)} @(${others.map(quote).join(", ")})`;
  const own = [
    ...(prints === undefined ? [] : [call("Test-Prints", prints.command, `${quote(prints.answer)} `)]),
    ...(asks === undefined ? [] : [call("Test-Asks", asks)]),
  ];
  return own.length === 0 ? [] : [`    ${quote(client.id)} {`, ...own, "    }"];
}

/** One expression: literal but for the variables. */
function fillIn(text: string): string {
  const parts = partsOf(text).map((part) => "marker" in part ? VARIABLES[part.marker] : quote(part.text));
  return parts.length === 0 ? "''" : `(${parts.join(" + ")})`;
}
