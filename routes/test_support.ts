/** For tests of routes/: what the pipeline answers, in samples: a file of ten bytes, and why a release is held. */
import type { OpenArtifact, Outcome, RangeSpec, Trace } from "../ecosystems/outcome.ts";
import type { WhyAnswer } from "../ecosystems/why.ts";
import type { EpochMs, Reason } from "../policy/types.ts";
import { PLAIN_TRACE } from "./testing.ts";
import { utf8 } from "./text.ts";

const FILE = utf8("0123456789");

export interface Opened {
  readonly outcome: Extract<Outcome, { kind: "artifact" }>;
  readonly asked: (RangeSpec | null)[];
}

/** A file of ten bytes, known or still coming in; what was opened is written down. */
export function sampleFile(
  options: { known?: boolean; trace?: Partial<Trace>; bytes?: Uint8Array; stream?: boolean } = {},
): Opened {
  const { known = true, bytes = FILE } = options;
  const asked: (RangeSpec | null)[] = [];
  const outcome: Opened["outcome"] = {
    kind: "artifact",
    contentType: "application/octet-stream",
    sizeBytes: known ? bytes.byteLength : null,
    etag: known ? '"file"' : null,
    filename: 'fo"o\r\n-1.0.0.tgz',
    trace: { ...PLAIN_TRACE, cache: known ? "hit" : "filled", ...options.trace },
    open(range) {
      asked.push(range);
      return Promise.resolve(openFile(bytes, range, options.stream ?? !known));
    },
  };
  return { outcome, asked };
}

function openFile(bytes: Uint8Array, spec: RangeSpec | null, stream: boolean): OpenArtifact {
  const body = (part: Uint8Array) => stream ? ReadableStream.from([part]) : part;
  const size = bytes.byteLength;
  if (spec === null) {
    return {
      body: body(bytes),
      range: null,
      sizeBytes: stream ? null : size,
      etag: stream ? null : '"file"',
    };
  }
  const first = "suffix" in spec ? Math.max(0, size - spec.suffix) : spec.first;
  const last = "suffix" in spec ? size - 1 : Math.min(spec.last ?? size - 1, size - 1);
  if (first >= size) throw new RangeError("outside");
  return {
    body: body(bytes.subarray(first, last + 1)),
    range: { first, last },
    sizeBytes: size,
    etag: '"file"',
  };
}

export const at = (text: string) => Date.parse(text) as EpochMs;

export const HELD: Reason = {
  rule: "minimumAge",
  verdict: "hold",
  message: "published 2026-11-20, less than 10 days ago",
  horizon: at("2026-11-30T09:00:00Z"),
};

export const ANSWER: WhyAnswer = {
  purl: "pkg:npm/%40acme/foo@1.3.1",
  name: "@acme/foo",
  version: "1.3.1",
  verdict: "hold",
  sentence: "@acme/foo 1.3.1 is held until 2026-11-30T09:00Z. Newest allowed: 1.3.0.",
  reasons: [
    HELD,
    {
      rule: "yanked",
      verdict: "deny",
      message: "was <script>alert(1)</script>\x1b[31m yanked",
      horizon: null,
      observed: true,
      owner: "sec",
    },
  ],
  publishedAt: at("2026-11-20T09:00:00Z"),
  firstSeenAt: null,
  until: at("2026-11-30T09:00:00Z"),
  newestAllowed: "1.3.0",
  withheld: [],
  policyRevision: 4,
  asOf: null,
  decidedAt: at("2026-11-21T08:00:00Z"),
  record: null,
  changes: null,
  rules: [],
  file: null,
  waivers: [],
};
