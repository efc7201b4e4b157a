const encoder = new TextEncoder();

/** UTF-8 bytes: a string as a body is slow on Deno 2.5. Lone surrogates become U+FFFD. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** One line without control or formatting characters, cut to `max` UTF-16 units; for logs and plain text. */
export function oneLine(text: string, max = 500): string {
  const cut = text.length > max ? `${text.slice(0, max - 3)}...` : text;
  return cut.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

/** `application/json` if that (or `+json`) is asked for first, `text/html` if a browser asks, else plain text. */
export function preferredForm(accept: string | null): "json" | "html" | "text" {
  if (accept === null) return "text";
  for (const part of accept.toLowerCase().split(",")) {
    const type = part.split(";", 1)[0]!.trim();
    if (type === "application/json" || /^application\/[\w.-]+\+json$/.test(type)) return "json";
    if (type === "text/html" || type === "application/xhtml+xml") return "html";
    if (type === "text/plain") return "text";
  }
  return "text";
}

/** 12,345 */
export function count(value: number): string {
  return value.toLocaleString("en-GB");
}
