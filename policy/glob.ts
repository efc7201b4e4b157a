/** Globs over names and versions, matched in one pass over the text: no regular expression, no backtracking. */

export interface GlobOptions {
  /** `*` and `?` match a `/` as well; else only `**` does. */
  readonly crossesSlash: boolean;
}

export interface Glob {
  /** `onStep` is called once for each step, so that a test can count them: never more than the text is long. */
  matches(text: string, onStep?: () => void): boolean;
}

type Token = { readonly char: string } | { readonly any: "one" } | { readonly any: "segment" | "all" };

/** The states of the automaton as sets of bits: bit i stands for "the first i characters were matched". */
interface Masks {
  readonly byChar: ReadonlyMap<string, bigint>;
  /** Where `?` stands. */
  readonly one: bigint;
  /** Where a star may take one more character: any, or any but `/`. */
  readonly stayOnAny: bigint;
  readonly stayInSegment: bigint;
  readonly accept: bigint;
}

/** Compiles a glob; matching costs one step for each character of the text, whatever the pattern. */
export function compileGlob(pattern: string, options: GlobOptions): Glob {
  const tokens = tokenise(pattern, options.crossesSlash);
  const masks = buildMasks(tokens);
  const prefix = literalPrefix(tokens);
  const suffix = literalPrefix(tokens.toReversed()).split("").reverse().join("");
  return {
    matches: (text, onStep) =>
      // Almost every package is told apart here already.
      text.length >= prefix.length && text.startsWith(prefix) && text.endsWith(suffix) &&
      run(masks, text, options.crossesSlash, onStep),
  };
}

function tokenise(pattern: string, crossesSlash: boolean): readonly Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] ?? "";
    if (char === "?") tokens.push({ any: "one" });
    else if (char !== "*") tokens.push({ char });
    else {
      const doubled = pattern[i + 1] === "*";
      tokens.push({ any: doubled || crossesSlash ? "all" : "segment" });
      while (pattern[i + 1] === "*") i++;
    }
  }
  return tokens;
}

function buildMasks(tokens: readonly Token[]): Masks {
  const byChar = new Map<string, bigint>();
  let [one, stayOnAny, stayInSegment] = [0n, 0n, 0n];
  let bit = 1n;
  for (const token of tokens) {
    if ("char" in token) {
      byChar.set(token.char, (byChar.get(token.char) ?? 0n) | bit);
      bit <<= 1n;
    } else if (token.any === "one") {
      one |= bit;
      bit <<= 1n;
    } else if (token.any === "all") stayOnAny |= bit;
    else stayInSegment |= bit;
  }
  return { byChar, one, stayOnAny, stayInSegment, accept: bit };
}

function run(masks: Masks, text: string, crossesSlash: boolean, onStep?: () => void): boolean {
  let states = 1n;
  for (let i = 0; i < text.length && states !== 0n; i++) {
    onStep?.();
    const char = text[i] ?? "";
    const inSegment = crossesSlash || char !== "/";
    const advancing = states & ((masks.byChar.get(char) ?? 0n) | (inSegment ? masks.one : 0n));
    const staying = states & (masks.stayOnAny | (inSegment ? masks.stayInSegment : 0n));
    states = (advancing << 1n) | staying;
  }
  return (states & masks.accept) !== 0n;
}

function literalPrefix(tokens: readonly Token[]): string {
  const end = tokens.findIndex((token) => !("char" in token));
  return tokens.slice(0, end === -1 ? tokens.length : end).map((token) => "char" in token ? token.char : "")
    .join("");
}
