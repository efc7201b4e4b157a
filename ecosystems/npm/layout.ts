/**
 * Where the parts of a packument stand, kept beside the facts so that a filtered index is written by copying
 * slices. Offsets are written as differences: small numbers make a small JSON.
 */

/** Kinds of members of the root object. */
export const ROOT_RAW = 0;
export const ROOT_VERSIONS = 1;
export const ROOT_TIME = 2;
export const ROOT_TAGS = 3;
/** Not passed on: it holds manifests of upstream's own that no decision was made on. */
export const ROOT_DROPPED = 4;

/** A member of `time` that names no release: `created`, `modified`, an unpublished version. */
export const TIME_KEPT = -1;
/** A member of `time` whose release was left out. */
export const TIME_DROPPED = -2;
/** A member of `versions` that was left out. */
export const LEFT_OUT = -1;

/** JSON. Rows are flattened: see `eachVersion` and its siblings for what a row holds. */
export interface Layout {
  readonly format: 1;
  readonly root: readonly number[];
  readonly versions: readonly number[];
  readonly time: readonly number[];
  readonly tags: readonly (readonly [tag: string, version: string])[];
  /** Where the value of `time.modified` stands; null: it is missing. */
  readonly modified: readonly [start: number, end: number] | null;
}

/** One member of an object, from its key's quote to its value's end. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface RootSpan extends Span {
  readonly kind: number;
  readonly valueStart: number;
}

export interface VersionSpan extends Span {
  /** Index into the facts' releases, or LEFT_OUT. */
  readonly release: number;
  /** The tarball's string with its quotes; 0 and 0 where there is none. */
  readonly tarballStart: number;
  readonly tarballEnd: number;
}

export interface TimeSpan extends Span {
  /** Index into the facts' releases, TIME_KEPT or TIME_DROPPED. */
  readonly release: number;
}

export function packRoot(spans: readonly RootSpan[]): number[] {
  return spans.flatMap((span) => [span.kind, span.start, span.valueStart, span.end]);
}

export function packVersions(spans: readonly VersionSpan[]): number[] {
  const row: number[] = [];
  let previous = 0;
  for (const span of spans) {
    const tarball = span.tarballEnd === 0 ? 0 : span.tarballStart - span.start;
    row.push(
      span.release,
      span.start - previous,
      span.end - span.start,
      tarball,
      span.tarballEnd - span.tarballStart,
    );
    previous = span.end;
  }
  return row;
}

export function packTime(spans: readonly TimeSpan[]): number[] {
  const row: number[] = [];
  let previous = 0;
  for (const span of spans) {
    row.push(span.release, span.start - previous, span.end - span.start);
    previous = span.end;
  }
  return row;
}

/** In the document's order. */
export function* eachRoot(layout: Layout): Generator<RootSpan> {
  const { root } = layout;
  for (let k = 0; k < root.length; k += 4) {
    yield { kind: root[k]!, start: root[k + 1]!, valueStart: root[k + 2]!, end: root[k + 3]! };
  }
}

/** In the document's order. */
export function* eachVersion(layout: Layout): Generator<VersionSpan> {
  const { versions } = layout;
  let at = 0;
  for (let k = 0; k < versions.length; k += 5) {
    const start = at + versions[k + 1]!;
    const end = start + versions[k + 2]!;
    const length = versions[k + 4]!;
    const tarballStart = length === 0 ? 0 : start + versions[k + 3]!;
    yield { release: versions[k]!, start, end, tarballStart, tarballEnd: tarballStart + length };
    at = end;
  }
}

/** In the document's order. */
export function* eachTime(layout: Layout): Generator<TimeSpan> {
  const { time } = layout;
  let at = 0;
  for (let k = 0; k < time.length; k += 3) {
    const start = at + time[k + 1]!;
    const end = start + time[k + 2]!;
    yield { release: time[k]!, start, end };
    at = end;
  }
}

/** The layout that `read` made; throws where it is of another format. */
export function asLayout(value: unknown): Layout {
  const layout = value as Layout | null;
  if (layout?.format === 1) return layout;
  throw new Error(`Cannot render packument: layout format ${JSON.stringify(layout?.format)} is not 1`);
}
