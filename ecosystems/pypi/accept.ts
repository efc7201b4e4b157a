/** Which form of a simple page is sent (PyPA, "Simple repository API", "Content-type negotiation"). */

/** `json`: as specified · `v1html`: the same as HTML · `html`: the alias that browsers and old clients know. */
export type Form = "json" | "v1html" | "html";

export const MEDIA_TYPES: Readonly<Record<Form, string>> = {
  json: "application/vnd.pypi.simple.v1+json",
  v1html: "application/vnd.pypi.simple.v1+html",
  html: "text/html",
};

/** What may stand in `Accept` and `?format=`; `latest` is answered with the real version's type. */
const NAMES: ReadonlyMap<string, Form> = new Map([
  ["application/vnd.pypi.simple.v1+json", "json"],
  ["application/vnd.pypi.simple.latest+json", "json"],
  ["application/vnd.pypi.simple.v1+html", "v1html"],
  ["application/vnd.pypi.simple.latest+html", "v1html"],
  ["text/html", "html"],
]);

/** Of equally wanted types the one that says most. */
const NAMED_ORDER: readonly Form[] = ["json", "v1html", "html"];

/** `format` wins; a header that wants none of them gets plain HTML, as PyPI does it. */
export function chooseForm(accept: string | undefined, format: string | null): Form {
  const asked = format === null ? undefined : NAMES.get(format);
  if (asked !== undefined) return asked;
  const ranges = (accept ?? "").slice(0, 2_000).split(",").map(readRange);
  let best: Form = "html";
  let bestQuality = 0;
  for (const form of NAMED_ORDER) {
    const named = ranges.filter((range) => NAMES.get(range.type) === form).map((range) => range.quality);
    const quality = named.length === 0 ? 0 : Math.max(...named);
    if (quality > bestQuality) [best, bestQuality] = [form, quality];
  }
  if (bestQuality > 0) return best;
  return ranges.some((range) => range.type === "application/*" && range.quality > 0) ? "json" : "html";
}

function readRange(text: string): { readonly type: string; readonly quality: number } {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith("q="));
  if (q === undefined) return { type, quality: 1 };
  return { type, quality: /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? Number(q.slice(2)) : 0 };
}
