/** The full packument: the raw document without what is withheld. Unknown members survive. */
import { createByteWriter } from "../_shared/byte_writer.ts";
import { eachRoot, ROOT_DROPPED, ROOT_RAW, ROOT_TAGS, ROOT_TIME, ROOT_VERSIONS } from "./layout.ts";
import type { View } from "./view.ts";
import { offeredVersions, restrictionsJson, tagsJson, writeRewritten, writeTime } from "./write.ts";

/** Pieces of at most 256 kB. */
export function* fullPackument(view: View): Generator<Uint8Array> {
  const writer = createByteWriter();
  const { body } = view.document;
  let separator = "{";
  for (const member of eachRoot(view.layout)) {
    if (member.kind === ROOT_DROPPED) continue;
    writer.text(separator);
    separator = ",";
    writer.bytes(body, member.start, member.kind === ROOT_RAW ? member.end : member.valueStart);
    switch (member.kind) {
      case ROOT_VERSIONS:
        yield* writeVersions(writer, view);
        break;
      case ROOT_TIME:
        yield* writeTime(writer, view);
        break;
      case ROOT_TAGS:
        writer.text(tagsJson(view));
        break;
    }
    yield* writer.pieces();
  }
  const restrictions = restrictionsJson(view);
  if (restrictions !== null) writer.text(`${separator}"policyRestrictions":${restrictions}`);
  writer.text("}");
  yield* writer.end();
}

function* writeVersions(writer: ReturnType<typeof createByteWriter>, view: View): Generator<Uint8Array> {
  let separator = "{";
  for (const release of offeredVersions(view)) {
    writer.text(separator);
    writeRewritten(writer, view, release, release);
    separator = ",";
    yield* writer.pieces();
  }
  writer.text(separator === "{" ? "{}" : "}");
}
