/** What a package says it is, cut out of its packument. */
import type { Reading, UpstreamDocument } from "../ecosystem.ts";
import { asLayout, eachRoot, ROOT_RAW } from "./layout.ts";

const decoder = new TextDecoder();
/** As it is kept in a packument: a key that is written otherwise (`"desc…"`) is not found, and that is all. */
const KEY = '"description"';

/** The packument's own `description`; null where it has none, or what is there is no text. */
export function about(documents: readonly UpstreamDocument[], { layout }: Reading): string | null {
  const body = documents.find(({ key }) => key === "packument")?.body;
  if (body === undefined) return null;
  for (const { kind, start, valueStart, end } of eachRoot(asLayout(layout))) {
    if (kind !== ROOT_RAW || !decoder.decode(body.subarray(start, start + KEY.length)).startsWith(KEY)) {
      continue;
    }
    return textOf(decoder.decode(body.subarray(valueStart, end)));
  }
  return null;
}

function textOf(json: string): string | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}
