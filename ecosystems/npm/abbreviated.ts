/**
 * The abbreviated packument, derived from the full one: the fields of the registry's "package metadata" document,
 * and `time` with them, without which the clients' own minimum ages fail.
 */
import { type ByteWriter, createByteWriter } from "../_shared/byte_writer.ts";
import { createJsonCursor, type JsonCursor } from "../_shared/json_scan.ts";
import { eachRoot, ROOT_TIME, type VersionSpan } from "./layout.ts";
import { ABBREVIATED_FIELDS, KNOWN_KEYS } from "./manifest.ts";
import type { View } from "./view.ts";
import { offeredVersions, restrictionsJson, tagsJson, writeRewritten, writeTime } from "./write.ts";

const NOTHING = new Uint8Array();

/** Pieces of at most 256 kB, some of them empty. */
export function* abbreviatedPackument(view: View): Generator<Uint8Array> {
  const writer = createByteWriter();
  const { body } = view.document;
  const cursor = createJsonCursor(body, {
    label: `packument ${JSON.stringify(view.name)}`,
    known: KNOWN_KEYS,
  });
  writer.text(`{"name":${JSON.stringify(view.name)},"dist-tags":${tagsJson(view)},"versions":{`);
  let separator = "";
  for (const release of offeredVersions(view)) {
    writer.text(separator);
    writeManifest(writer, { view, release, cursor });
    separator = ",";
    yield* writer.pieces();
    // Much is read for little that is written.
    if (cursor.pauseDue()) yield NOTHING;
  }
  writer.text("}");
  if ([...eachRoot(view.layout)].some((member) => member.kind === ROOT_TIME)) {
    writer.text(`,"time":`);
    yield* writeTime(writer, view);
  }
  const { modified } = view.layout;
  if (modified !== null) {
    writer.text(`,"modified":`);
    writer.bytes(body, ...modified);
  }
  const restrictions = restrictionsJson(view);
  if (restrictions !== null) writer.text(`,"policyRestrictions":${restrictions}`);
  writer.text("}");
  yield* writer.end();
}

interface Scan {
  readonly view: View;
  readonly release: VersionSpan;
  readonly cursor: JsonCursor;
}

/** One member of `versions`, its key and the fields that are kept; npm rebuilds by `hasInstallScript` alone. */
function writeManifest(writer: ByteWriter, { view, release, cursor }: Scan): void {
  const { body } = view.document;
  cursor.seekMember(release.start);
  writer.bytes(body, release.start, cursor.position);
  cursor.enter();
  let separator = "{";
  for (let key = cursor.key(); key !== null; key = cursor.key()) {
    const start = cursor.keyStart;
    if (!cursor.isKnown || !ABBREVIATED_FIELDS.has(key)) continue;
    while (!cursor.skip());
    writer.text(separator);
    writeRewritten(writer, view, release, { start, end: cursor.position });
    separator = ",";
  }
  const runsCode = view.releases[release.release]!.runsCodeOnInstall;
  if (runsCode.known && runsCode.value) {
    writer.text(`${separator}"hasInstallScript":true`);
    separator = ",";
  }
  writer.text(separator === "{" ? "{}" : "}");
}
