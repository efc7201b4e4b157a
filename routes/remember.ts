/** Answers of a pure function on short texts, for header values that hardly differ from one request to the next. */

const MAX_TEXTS = 1_000;
const MAX_TEXT_LENGTH = 512;

/**
 * `answer` must be pure. Its answers for up to a thousand texts are kept, and all are forgotten when there are
 * more; a text longer than 512 characters is answered anew each time, as is one whose answer is not to be kept
 * (`isKept`).
 */
export function remember<T>(
  answer: (text: string) => T,
  isKept: (value: T) => boolean = () => true,
): (text: string) => T {
  const kept = new Map<string, { readonly value: T }>();

  return function remembered(text) {
    const known = kept.get(text);
    if (known !== undefined) return known.value;
    const value = answer(text);
    if (text.length > MAX_TEXT_LENGTH || !isKept(value)) return value;
    if (kept.size >= MAX_TEXTS) kept.clear();
    kept.set(text, { value });
    return value;
  };
}
