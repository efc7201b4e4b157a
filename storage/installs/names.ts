/** Names as they are asked for: exact, or with `%` at either end. */

export interface NamePattern {
  /** null: the name holds `%` and has to be compared with all. */
  readonly exact: string | null;
  matches(name: string): boolean;
}

/** A `%` anywhere else stands for itself. Patterns do not look at case; exact names do. */
export function namePattern(text: string): NamePattern {
  const open = text.startsWith("%");
  const close = text.endsWith("%") && text.length > 1;
  if (!open && !close) return { exact: text, matches: (name) => name === text };
  const middle = text.slice(open ? 1 : 0, close ? -1 : undefined).toLowerCase();
  function matches(name: string): boolean {
    const lower = name.toLowerCase();
    if (open && close) return lower.includes(middle);
    return open ? lower.endsWith(middle) : lower.startsWith(middle);
  }
  return { exact: null, matches };
}
