/** The pieces that both forms of a packument share, written by copying slices of the raw document. */
import type { ByteWriter } from "../_shared/byte_writer.ts";
import {
  eachTime,
  eachVersion,
  LEFT_OUT,
  type Span,
  TIME_DROPPED,
  TIME_KEPT,
  type VersionSpan,
} from "./layout.ts";
import type { View } from "./view.ts";

/** npm reads them to say why nothing matches; more than these would only make the document larger. */
const MAX_RESTRICTED = 200;

/** The versions that are offered, in the document's order. */
export function* offeredVersions(view: View): Generator<VersionSpan> {
  for (const span of eachVersion(view.layout)) {
    if (span.release !== LEFT_OUT && view.offered[span.release]) yield span;
  }
}

/** Copies a part of the raw document that may hold a release's tarball, with the address of its file here. */
export function writeRewritten(writer: ByteWriter, view: View, release: VersionSpan, part: Span): void {
  const { body } = view.document;
  const holds = release.tarballEnd > 0 && part.start <= release.tarballStart &&
    release.tarballEnd <= part.end;
  if (view.tarballBase === null || !holds) {
    writer.bytes(body, part.start, part.end);
    return;
  }
  const filename = view.releases[release.release]!.artifacts[0]!.filename;
  writer.bytes(body, part.start, release.tarballStart);
  writer.text(JSON.stringify(view.tarballBase + encodeURI(filename)));
  writer.bytes(body, release.tarballEnd, part.end);
}

/** `{…}` of `time`: what was withheld or left out is not in it. */
export function* writeTime(writer: ByteWriter, view: View): Generator<Uint8Array> {
  let separator = "{";
  for (const span of eachTime(view.layout)) {
    const kept = span.release === TIME_KEPT || (span.release !== TIME_DROPPED && view.offered[span.release]);
    if (!kept) continue;
    writer.text(separator);
    writer.bytes(view.document.body, span.start, span.end);
    separator = ",";
    yield* writer.pieces();
  }
  writer.text(separator === "{" ? "{}" : "}");
}

/** The repaired tags as JSON. */
export function tagsJson(view: View): string {
  const members = [...view.tags].map(([tag, version]) => `${JSON.stringify(tag)}:${JSON.stringify(version)}`);
  return `{${members.join(",")}}`;
}

/** npm-pick-manifest's `policyRestrictions`; null where nothing is withheld. The entries have no `dist`. */
export function restrictionsJson(view: View): string | null {
  if (view.restriction === null) return null;
  const name = JSON.stringify(view.name);
  const versions = view.withheld.slice(0, MAX_RESTRICTED).map((version) => {
    const text = JSON.stringify(version);
    return `${text}:{"name":${name},"version":${text}}`;
  });
  return `{"message":${JSON.stringify(view.restriction)},"versions":{${versions.join(",")}}}`;
}
