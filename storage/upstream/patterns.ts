/** Package names against configured patterns, in linear time. */

/** A pattern whose literal parts are kept in order; between two of them is any run of characters. */
export interface NamePattern {
  readonly matches: (name: string) => boolean;
  /** More literal characters and fewer wildcards are more specific; an exact name is above every pattern. */
  readonly specificity: number;
}

/** `*` stands for any run of characters, `/` included; all else for itself, case included. */
export function compilePattern(pattern: string): NamePattern {
  const parts = pattern.split("*");
  if (parts.length === 1) {
    return { matches: (name) => name === pattern, specificity: Number.MAX_SAFE_INTEGER };
  }
  const literals = pattern.length - (parts.length - 1);
  return { matches: (name) => matchesParts(parts, name), specificity: literals * 1000 - parts.length };
}

/** Each part is looked for once, behind the part before it: leftmost is enough where only `*` joins them. */
function matchesParts(parts: readonly string[], name: string): boolean {
  const prefix = parts[0]!;
  const suffix = parts[parts.length - 1]!;
  if (name.length < prefix.length + suffix.length) return false;
  if (!name.startsWith(prefix) || !name.endsWith(suffix)) return false;
  const end = name.length - suffix.length;
  let at = prefix.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
