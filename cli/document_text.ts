/** Policies as people write them: YAML or JSON in, YAML or JSON out. */
import { parse, stringify, YAMLParseError } from "yaml";

/** Throws SyntaxError naming the line; an empty text is an empty document. */
export function readDocument(text: string, source: string): unknown {
  try {
    return parse(text) ?? {};
  } catch (cause) {
    // Its further lines quote the document, and a document may hold a webhook's address.
    const why = cause instanceof YAMLParseError ? cause.message.split("\n", 1)[0]?.replace(/:$/, "") : "";
    throw new SyntaxError(`Cannot read ${source} as YAML or JSON: ${why || "it is neither"}`, { cause });
  }
}

/** Ends with a line feed. */
export function writeDocument(document: unknown, form: "yaml" | "json"): string {
  if (form === "json") return `${JSON.stringify(document, null, 2)}\n`;
  return stringify(document, { lineWidth: 100, aliasDuplicateObjects: false });
}
