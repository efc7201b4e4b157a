/** Reads the tags that matter of an HTML page in one pass: linear in its length, whatever it holds. */

/** An opening tag; of an attribute that comes twice the first counts, as in browsers (HTML §13.2.5.33). */
export interface Tag {
  readonly name: string;
  /** Lower-case names; values with their character references resolved. */
  readonly attributes: ReadonlyMap<string, string>;
  /** The text up to the next tag, trimmed. */
  readonly text: string;
}

/** Their content is text, in which no tag counts (HTML §13.2.5.1). */
const RAW_TEXT: ReadonlySet<string> = new Set(["script", "style", "textarea", "title"]);
const TAG_NAME = /[A-Za-z][^\s/>]{0,40}/y;
const ATTRIBUTE_NAME = /[^\s"'<>/=]+/y;
const UNQUOTED = /[^\s"'=<>`]+/y;
const MAX_ATTRIBUTES = 64;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["nbsp", "\u00a0"],
  ["colon", ":"],
  ["sol", "/"],
  ["num", "#"],
  ["equals", "="],
  ["comma", ","],
  ["excl", "!"],
  ["plus", "+"],
  ["lowbar", "_"],
  ["period", "."],
]);

/** The tags of these names, in order. */
export function* readTags(html: string, wanted: ReadonlySet<string>): Generator<Tag> {
  let at = 0;
  for (;;) {
    at = html.indexOf("<", at);
    if (at < 0) return;
    if (html.startsWith("<!--", at)) {
      at = after(html, "-->", at + 4);
      continue;
    }
    const name = stickyAt(TAG_NAME, html, at + 1);
    if (name === null) {
      at += 1;
      continue;
    }
    const tag = name.toLowerCase();
    const { attributes, end } = readAttributes(html, at + 1 + name.length);
    at = end;
    if (wanted.has(tag)) yield { name: tag, attributes, text: textAt(html, end) };
    if (RAW_TEXT.has(tag)) at = afterRawText(html, tag, end);
  }
}

function after(html: string, end: string, from: number): number {
  const at = html.indexOf(end, from);
  return at < 0 ? html.length : at + end.length;
}

/** Looks for the closing tag from `<` to `<`, so that no text is searched twice. */
function afterRawText(html: string, tag: string, from: number): number {
  for (let at = html.indexOf("</", from); at >= 0; at = html.indexOf("</", at + 2)) {
    if (html.slice(at + 2, at + 2 + tag.length).toLowerCase() === tag) return at;
  }
  return html.length;
}

function textAt(html: string, from: number): string {
  const end = html.indexOf("<", from);
  return decodeReferences(html.slice(from, Math.min(end < 0 ? html.length : end, from + 1_000)).trim());
}

function stickyAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

function skipSpace(html: string, at: number): number {
  while (isSpace(html.charCodeAt(at))) at++;
  return at;
}

function readAttributes(
  html: string,
  from: number,
): { readonly attributes: ReadonlyMap<string, string>; readonly end: number } {
  const attributes = new Map<string, string>();
  let at = from;
  while (at < html.length) {
    at = skipSpace(html, at);
    if (html[at] === ">") return { attributes, end: at + 1 };
    const name = stickyAt(ATTRIBUTE_NAME, html, at);
    if (name === null) {
      // A stray quote or slash, and `=`; a `<` begins another tag.
      if (html[at] === "<") return { attributes, end: at };
      at++;
      continue;
    }
    at = skipSpace(html, at + name.length);
    let value = "";
    if (html[at] === "=") ({ value, at } = readValue(html, skipSpace(html, at + 1)));
    const key = name.toLowerCase();
    if (!attributes.has(key) && attributes.size < MAX_ATTRIBUTES) {
      attributes.set(key, decodeReferences(value));
    }
  }
  return { attributes, end: html.length };
}

function readValue(html: string, at: number): { readonly value: string; readonly at: number } {
  const quote = html[at];
  if (quote === '"' || quote === "'") {
    const end = html.indexOf(quote, at + 1);
    if (end < 0) return { value: "", at: html.length };
    return { value: html.slice(at + 1, end), at: end + 1 };
  }
  const value = stickyAt(UNQUOTED, html, at) ?? "";
  return { value, at: at + value.length };
}

/** Character references (HTML §13.5) that occur in links and version specifiers; others stay as they are. */
export function decodeReferences(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]{2,8}));/g,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return ENTITIES.get(name) ?? whole;
      const code = decimal !== undefined ? Number(decimal) : parseInt(hex, 16);
      const isScalar = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
      return isScalar ? String.fromCodePoint(code) : "\ufffd";
    },
  );
}

/** For text and for attributes in double quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
