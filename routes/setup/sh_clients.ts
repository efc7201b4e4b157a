/** setup.sh: what each client is told, from what its ecosystem says. */
import type { ClientSetup, Setting, SetupFile } from "../../ecosystems/ecosystem.ts";
import { indented, type Marker, partsOf, piecesOf, type Writer } from "./pieces.ts";
import { quoteSh } from "./quote.ts";

const VARIABLES: Readonly<Record<Marker, string>> = {
  "{user}": '"$NAME"',
  "{user:url}": '"$NAME_IN_ADDRESS"',
  "{basic}": '"$BASIC"',
  "{token}": '"$TOKEN"',
};

const WRITER: Writer = {
  setting: (setting) => [...place(setting.file), putLine(setting), ...bewareOf(setting)],
  variable: (name, value) => [`put_environment ${name} ${fillIn(`export ${name}=${quoteSh(value)}`)}`],
};

/** The functions that go over the clients. `isAsked`: the organisation wants to know who it is. */
export function shClients(clients: readonly ClientSetup[], isAsked: boolean): string {
  return [
    "is_installed() {",
    "  case $1 in",
    ...clients.map((client) => `  ${client.id}) ${installed(client)} ;;`),
    "  *) return 1 ;;",
    "  esac",
    "}",
    "",
    "# What each client is told. See at and put.",
    "set_up() {",
    "  case $1 in",
    ...clients.flatMap((client) => [
      `  ${client.id})`,
      `    say ${quoteSh(client.client)}`,
      ...setUp(client, isAsked),
      "    ;;",
    ]),
    "  esac",
    "}",
    "",
    "# What each client says and does when it is asked.",
    "check_client() {",
    "  case $1 in",
    ...clients.flatMap(checks),
    "  esac",
    "}",
    "",
  ].join("\n");
}

function installed({ programs, version }: ClientSetup): string {
  const isThere = programs.map((program) => `has ${quoteSh(program)}`).join(" || ");
  return version === undefined
    ? isThere
    : `{ ${isThere}; } && is_version ${quoteSh(programs[0]!)} ${quoteSh(version)}`;
}

function setUp(client: ClientSetup, isAsked: boolean): readonly string[] {
  const { common, byCaller } = piecesOf(client, isAsked, WRITER);
  const cases = byCaller.flatMap(({ by, lines }) => [`    ${by})`, ...indented(lines, 6), "      ;;"]);
  const note = client.isPerProject === true
    ? [`    say ${quoteSh(`  in each project: ${client.line}`)}`]
    : [];
  return [
    ...indented(common, 4),
    ...(cases.length === 0 ? [] : ["    case $BY in", ...cases, "    esac"]),
    ...note,
  ];
}

function place({ home, older, moved, macos, macosIfThere, system }: SetupFile): readonly string[] {
  const words = [quoteSh(home)];
  const word = (name: string, value: string | undefined) => {
    if (value !== undefined) words.push(`${name}=${quoteSh(value)}`);
  };
  word("older", older);
  word("macos", macos);
  word("macos_if_there", macosIfThere);
  word("moved", moved === undefined ? undefined : `${moved.variable}:${moved.prefix}`);
  const isPrinted = system !== undefined && "printedBy" in system;
  if (system !== undefined && !isPrinted) {
    word("system", system.unix);
    word("system_macos", system.macos === system.unix ? undefined : system.macos);
  }
  const at = `at ${words.join(" ")}`;
  return isPrinted ? [at, `at_printed ${system.printedBy.map(quoteSh).join(" ")}`] : [at];
}

function putLine({ id, file, section, lines, isSecret }: Setting): string {
  const words = [file.syntax, id, quoteSh(section ?? ""), ...lines.map(fillIn)];
  return `${isSecret === true ? "put_secret" : "put"} ${words.join(" ")}`;
}

function bewareOf({ past }: Setting): readonly string[] {
  return past === undefined ? [] : [`beware ${past.map(quoteSh).join(" ")}`];
}

function checks(client: ClientSetup): readonly string[] {
  const { prints, asks } = client.check?.() ?? {};
  const own = [
    ...(prints === undefined
      ? []
      : [`prints ${quoteSh(prints.answer)} ${prints.command.map(quoteSh).join(" ")}`]),
    ...(asks === undefined ? [] : [`asks ${asks.map(quoteSh).join(" ")}`]),
  ];
  return own.length === 0 ? [] : [`  ${client.id})`, ...own.map((line) => `    ${line}`), "    ;;"];
}

/** One word of a shell: literal but for the variables. */
function fillIn(text: string): string {
  return partsOf(text).map((part) => "marker" in part ? VARIABLES[part.marker] : quoteSh(part.text)).join("");
}
