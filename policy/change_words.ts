/** Values and entries of lists in one line, whole. */

export type Fields = Readonly<Record<string, unknown>>;

/** `pkg:npm/express@5.0.0 deny: "bad" (owner "ada", until "2027-01-01")`; what is no entry with a purl, as JSON. */
export function entryText(entry: unknown): string {
  if (!isFields(entry) || typeof entry.purl !== "string") return valueText(entry);
  const { purl, effect, reason, ...rest } = entry;
  const others = Object.entries(rest).flatMap(([name, value]) =>
    isNothing(value) ? [] : [`${oneLine(name)} ${valueText(value)}`]
  );
  return [
    oneLine(purl as string),
    isNothing(effect) ? "" : ` ${typeof effect === "string" ? oneLine(effect) : valueText(effect)}`,
    isNothing(reason) ? "" : `: ${valueText(reason)}`,
    others.length === 0 ? "" : ` (${others.join(", ")})`,
  ].join("");
}

/** What differs between two forms of one entry: `reason "bad" -> "worse", until nothing -> "2027-01-01"`. */
export function fieldTexts(before: unknown, after: unknown): string {
  const [left, right] = [before, after].map((entry) => isFields(entry) ? entry : {}) as [Fields, Fields];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((name) => {
    const [from, to] = [own(left, name), own(right, name)];
    const isSame = JSON.stringify(from ?? null) === JSON.stringify(to ?? null);
    return isSame ? [] : [`${oneLine(name)} ${valueText(from)} -> ${valueText(to)}`];
  }).join(", ");
}

/** As it is, but as JSON where it would break the line. */
export function oneLine(text: string): string {
  return /\p{Cc}|\u2028|\u2029/u.test(text) ? JSON.stringify(text) : text;
}

/** As JSON, which has no line breaks. */
export function valueText(value: unknown): string {
  return isNothing(value) ? "nothing" : JSON.stringify(value);
}

export function own(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** null or undefined. */
export function isNothing(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
