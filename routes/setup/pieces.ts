/** What a script tells one client: once where it is the same for every caller, else by who they are. */
import type { ClientSetup, Setting, SetupBy, SetupCaller } from "../../ecosystems/ecosystem.ts";

const BY: readonly SetupBy[] = ["nobody", "name", "token"];
const MARKER = /(\{user\}|\{user:url\}|\{basic\}|\{token\})/;

export type Marker = "{user}" | "{user:url}" | "{basic}" | "{token}";

/** How a script writes a setting, and a variable of the environment: lines, whole in themselves. */
export interface Writer {
  setting(setting: Setting): readonly string[];
  variable(name: string, value: string): readonly string[];
}

export interface Pieces {
  readonly common: readonly string[];
  /** Those who are told something of their own. */
  readonly byCaller: readonly { readonly by: SetupBy; readonly lines: readonly string[] }[];
}

/** `isAsked`: the organisation wants to know who it is. */
export function piecesOf(client: ClientSetup, isAsked: boolean, writer: Writer): Pieces {
  const told = BY.map((by) => ({ by, pieces: piecesFor(client, { by, isAsked }, writer) }));
  const isCommon = (piece: string) => told.every(({ pieces }) => pieces.includes(piece));
  const common = told[0]!.pieces.filter(isCommon);
  const byCaller = told.map(({ by, pieces }) => ({
    by,
    lines: linesOf(pieces.filter((piece) => !common.includes(piece))),
  }));
  return { common: linesOf(common), byCaller: byCaller.filter(({ lines }) => lines.length > 0) };
}

function piecesFor(client: ClientSetup, caller: SetupCaller, writer: Writer): readonly string[] {
  const settings = client.settings(caller).map((setting) => writer.setting(setting));
  const variables = Object.entries(client.environment?.(caller) ?? {})
    .map(([name, value]) => writer.variable(name, value));
  return [...settings, ...variables].map((lines) => lines.join("\n"));
}

function linesOf(pieces: readonly string[]): readonly string[] {
  return pieces.flatMap((piece) => piece.split("\n"));
}

/** A text with what is known only where the script runs: its parts, in order, none empty. */
export function partsOf(text: string): readonly ({ readonly text: string } | { readonly marker: Marker })[] {
  return text.split(MARKER).filter((part) => part !== "")
    .map((part) => MARKER.test(part) ? { marker: part as Marker } : { text: part });
}

export function indented(lines: readonly string[], width: number): readonly string[] {
  return lines.map((line) => " ".repeat(width) + line);
}
