/** JSON as somebody typed it: what is wrong with it, and where in the text a place of the document stands. */
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

/** Lines and columns count from 1. */
export interface TextMistake {
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The line itself, cut around the column. */
  readonly excerpt: string;
  /** How many characters stand before the column in the excerpt. */
  readonly indent: number;
}

export type ReadText =
  | { readonly ok: true; readonly document: unknown }
  | { readonly ok: false; readonly mistakes: readonly TextMistake[] };

const MAX_MISTAKES = 50;
const EXCERPT = 100;

/** Strict JSON; an empty text is an empty document. */
export function readJsonText(text: string): ReadText {
  if (text.trim() === "") return { ok: true, document: {} };
  try {
    return readTree(text);
  } catch (error) {
    // The parser calls itself for each level.
    if (!(error instanceof RangeError)) throw error;
    return { ok: false, mistakes: [mistakeAt(text, 0, "it is nested too deeply")] };
  }
}

function readTree(text: string): ReadText {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const [first] = errors;
  // What the parser says after it has lost its way are consequences of the first.
  if (first !== undefined) return { ok: false, mistakes: [syntaxMistake(text, first)] };
  const twice = root === undefined ? [] : [...repeatedKeys(root)];
  if (twice.length === 0) return { ok: true, document: JSON.parse(text) };
  const mistakes = twice.slice(0, MAX_MISTAKES).map((node) =>
    mistakeAt(text, node.offset, `the key ${JSON.stringify(node.value)} is there twice`)
  );
  return { ok: false, mistakes };
}

function syntaxMistake(text: string, { error, offset }: ParseError): TextMistake {
  const comma = commaTooMany(text, offset);
  return comma === null
    ? mistakeAt(text, offset, wordsOf(printParseErrorCode(error)))
    : mistakeAt(text, comma, "there is a comma too many");
}

/** Where it stands: `[1,]`, `[1,,2]`, `[,1]`; the parser itself names what comes after it. null: it is not that. */
function commaTooMany(text: string, offset: number): number | null {
  const before = text.slice(0, offset).trimEnd();
  if (text[offset] === ",") return /[,[{:]$/.test(before) ? offset : null;
  return /^[\]}]/.test(text.slice(offset)) && before.endsWith(",") ? before.length - 1 : null;
}

/** Each at its place (`overrides[3].until`), or at what holds it where it is not there itself. */
export function locateMistakes(
  text: string,
  mistakes: readonly { readonly place: string; readonly message: string }[],
): readonly TextMistake[] {
  const root = parseTree(text);
  return mistakes.slice(0, MAX_MISTAKES).map(({ place, message }) => {
    const node = root === undefined ? undefined : nearestNode(root, segmentsOf(place));
    return mistakeAt(text, node?.offset ?? 0, place === "" ? message : `${place}: ${message}`);
  });
}

function nearestNode(root: Node, segments: readonly (string | number)[]): Node {
  for (let length = segments.length; length > 0; length -= 1) {
    const found = findNodeAtLocation(root, segments.slice(0, length));
    // A key says more than its value where the value is a whole object.
    if (found !== undefined) return isLarge(found) ? found.parent?.children?.[0] ?? found : found;
  }
  return root;
}

function isLarge({ type, parent }: Node): boolean {
  return (type === "object" || type === "array") && parent?.type === "property";
}

/** The inverse of how mistakes name places: `ecosystems.npm`, `overrides[3].purl`, `x["a b"]`. */
export function segmentsOf(place: string): readonly (string | number)[] {
  const parts = place.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g);
  return [...parts].map(([, index, quoted, name]) =>
    index !== undefined ? Number(index) : quoted !== undefined ? JSON.parse(quoted) as string : name ?? ""
  );
}

function* repeatedKeys(node: Node): Generator<Node> {
  const seen = new Set<unknown>();
  for (const child of node.children ?? []) {
    const key = node.type === "object" ? child.children?.[0] : undefined;
    if (key !== undefined && seen.has(key.value)) yield key;
    if (key !== undefined) seen.add(key.value);
    yield* repeatedKeys(child);
  }
}

function mistakeAt(text: string, offset: number, message: string): TextMistake {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  const end = text.indexOf("\n", offset);
  const line = text.slice(start, end < 0 ? undefined : end);
  const column = offset - start;
  const from = Math.max(0, column - EXCERPT / 2);
  return {
    line: before.split("\n").length,
    column: column + 1,
    message,
    excerpt: line.slice(from, from + EXCERPT),
    indent: column - from,
  };
}

/** `ColonExpected`: colon expected. */
function wordsOf(code: string): string {
  return code.replace(/(?<!^)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replace(
    /^./,
    (letter) => letter.toLowerCase(),
  );
}
