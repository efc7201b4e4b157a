/** Where the lines of an index file stand, kept beside the facts so that a filtered one is written by copying slices. */

/** One line of an index file. Offsets are in bytes from the start of the document. */
export interface LineSpan {
  readonly start: number;
  /** Before the line's end. */
  readonly end: number;
  /** Index into the facts' releases. */
  readonly release: number;
  /** Of the value of `yanked`; both where the object opens if there is none. */
  readonly yankedStart: number;
  readonly yankedEnd: number;
}

/** JSON. Five numbers a line: see `eachLine`. */
export interface Layout {
  readonly format: 1;
  readonly lines: readonly number[];
}

export function packLines(spans: readonly LineSpan[]): Layout {
  let at = 0;
  const lines = spans.flatMap((span) => {
    const row = [
      span.release,
      span.start - at,
      span.end - span.start,
      span.yankedStart - span.start,
      span.yankedEnd - span.yankedStart,
    ];
    at = span.end;
    return row;
  });
  return { format: 1, lines };
}

/** In the document's order. Throws where the layout is of another format. */
export function* eachLine(layout: unknown): Generator<LineSpan> {
  const { format, lines } = (layout ?? {}) as Partial<Layout>;
  if (format !== 1 || lines === undefined) {
    throw new Error(`Cannot render index file: layout format ${JSON.stringify(format)} is not 1`);
  }
  let at = 0;
  for (let k = 0; k < lines.length; k += 5) {
    const start = at + lines[k + 1]!;
    const yankedStart = start + lines[k + 3]!;
    at = start + lines[k + 2]!;
    yield { release: lines[k]!, start, end: at, yankedStart, yankedEnd: yankedStart + lines[k + 4]! };
  }
}
