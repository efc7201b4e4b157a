/** Sizes and durations as people write them, always with a unit. */

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["tb", 1e12],
  ["kib", 2 ** 10],
  ["mib", 2 ** 20],
  ["gib", 2 ** 30],
  ["tib", 2 ** 40],
]);

const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["min", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
  ["w", 604_800_000],
]);

/** Bytes; `64MB` is 64,000,000 and `64MiB` is 67,108,864. null: not a size, or not a whole number of bytes. */
export function parseSize(text: string): number | null {
  return quantity(text.toLowerCase(), SIZE_UNITS);
}

/** Milliseconds; `0` alone needs no unit. null: not a duration. */
export function parseSettingDuration(text: string): number | null {
  return text === "0" ? 0 : quantity(text, DURATION_UNITS);
}

function quantity(text: string, units: ReadonlyMap<string, number>): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,3})?)\s?([a-z]{1,3})$/.exec(text);
  const unit = units.get(match?.[2] ?? "");
  if (match === null || unit === undefined) return null;
  const value = Number(match[1]) * unit;
  return Number.isSafeInteger(value) ? value : null;
}

/** The candidate that differs from `word` by at most a third of its letters, to ask "did you mean". */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
