/** TOML, with the place of what cannot be read. */
import { parse, TomlError } from "smol-toml";
import { firstLine, type Table } from "./shape.ts";

/** Throws SyntaxError, which names the line. */
export function readToml(text: string): Table {
  try {
    return parse(text);
  } catch (cause) {
    const line = cause instanceof TomlError ? `line ${cause.line}: ` : "";
    throw new SyntaxError(`${line}expected TOML: ${firstLine(cause)}`, { cause });
  }
}
