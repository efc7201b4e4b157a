/** What serve() answers, before HTTP: routes/registry.ts turns it into a Response. */
import type { ByteRange } from "../storage/artifacts/store.ts";
import type { EpochMs } from "../policy/types.ts";
import type { Caller, ClientRequest, Ecosystem, Refusal } from "./ecosystem.ts";
import type { OrganisationView } from "../storage/organisations.ts";

/** The past instant that an address names. */
export interface AsOf {
  readonly instant: EpochMs;
  /** As it stands in the address. */
  readonly text: string;
  /** A snapshot's name, made by whoever runs the organisation: strangers cannot think up many. */
  readonly isNamed: boolean;
}

/** One admitted request to a registry. Everything in it was parsed once, by routes/. */
export interface RegistryRequest {
  readonly ecosystem: Ecosystem;
  readonly request: ClientRequest;
  readonly caller: Caller;
  /** Its policy; resolved by routes/ because `callers` is answered before anything else. */
  readonly organisation: OrganisationView;
  /** Absent: now. Else `site` and `mount` lie below `/at/{text}`. */
  readonly at?: AsOf;
  /** The ecosystem's own mount, no trailing slash: `https://sluice.example/o/acme/npm`. */
  readonly mount: string;
  /** What precedes `/-/why/…` for this organisation, no trailing slash: `https://sluice.example/o/acme`. */
  readonly site: string;
  /** It came in at the root of the host (`parseAtRoot`). */
  readonly atRoot: boolean;
  /** The request's body, decompressed by Content-Encoding; TooLargeError above the bound. */
  body(maxBytes: number): Promise<Uint8Array>;
}

/** Rendered bytes and all that is derived from them once. Kept in the memo, and shared: never written to. */
export interface Entity {
  readonly status: number;
  readonly contentType: string;
  /** Strong, with quotes: a hash of the bytes served in identity. */
  readonly etag: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly identity: Uint8Array;
  /** null: not worth it (small, or not text). */
  readonly gzip: Uint8Array | null;
  /** null: not for this one. */
  readonly brotli: LateCoding | null;
}

/** A coding that is not there from the beginning: it is made once it was missed often enough. */
export interface LateCoding {
  /** null: not made yet, or not worth it. */
  bytes(): Uint8Array | null;
  /** Somebody would have taken it. */
  missed(): void;
}

/** How the cache took part, for the log and the counters. */
export type CacheOutcome = "hit" | "fresh" | "revalidated" | "fetched" | "stale" | "filled" | "none";

/** What upstream said, as it is kept. */
export interface Copy {
  /** When upstream last stood by it. */
  readonly checkedAt: EpochMs;
  /** From then on; null: for ever. */
  readonly freshMs: number | null;
}

/** How upstream was asked for an answer, in the words of RFC 9211, 2.2 to 2.5. */
export interface Forwarded {
  readonly why: "miss" | "stale" | "bypass";
  /** What it answered; null: another answer than one with a status, or one that was not looked at. */
  readonly status: number | null;
  readonly stored: boolean;
}

/** Where the answer came from and what was decided; the same on every outcome. */
export interface Trace {
  readonly cache: CacheOutcome;
  /** What the answer was made from or decided by; null: nothing that is kept. */
  readonly copy: Copy | null;
  /** null: upstream was not asked. The same object for the same words, where they are usual. */
  readonly forwarded: Forwarded | null;
  /** What else is to be said of the cache's part: lower-case words with hyphens between; null: nothing. */
  readonly detail: string | null;
  /** Set where something was withheld, refused or (observe) would have been. */
  readonly decisionId: string | null;
  /** The why page for it, absolute. */
  readonly whyLink: string | null;
  /** Seconds that the answer may be kept by the client; 0: must be revalidated. */
  readonly maxAgeSeconds: number;
  /** Set where a stale copy is served: since when upstream did not confirm it. */
  readonly staleSince: EpochMs | null;
}

export type Outcome =
  /** An index, a version, a search, a local answer: bytes in memory. */
  | { readonly kind: "document"; readonly entity: Entity; readonly trace: Trace }
  | {
    readonly kind: "artifact";
    readonly contentType: string;
    /** Known only from verified bytes; null on a miss. */
    readonly sizeBytes: number | null;
    /** Strong, with quotes; null on a miss. */
    readonly etag: string | null;
    readonly filename: string;
    readonly trace: Trace;
    /**
     * Records the install, then opens the bytes. Called for GET only, once, and never for a 304. Without a
     * range: the whole file. With one on a miss: waits until the file was verified. The range lies within the
     * file if `sizeBytes` was known; else RangeError → 416.
     */
    open(range: RangeSpec | null): Promise<OpenArtifact>;
  }
  /** `artifacts: upstream`: decided, and answered by a redirect to where upstream has it. */
  | { readonly kind: "elsewhere"; readonly location: string; readonly trace: Trace }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly trace: Trace }
  /** Anything else that ends a request: 404, 405, 400, … in the client's own form. */
  | {
    readonly kind: "failed";
    readonly status: number;
    readonly contentType: string;
    readonly body: string;
    readonly trace: Trace;
  };

/** `bytes=a-b`, `bytes=a-` or `bytes=-n`, as asked for. */
export type RangeSpec =
  | { readonly first: number; readonly last: number | null }
  | { readonly suffix: number };

export interface OpenArtifact {
  /** A stream must be read to its end or cancelled; cancelling marks the install as partial. */
  readonly body: Uint8Array | ReadableStream<Uint8Array>;
  /** What is sent, where a range was asked for. */
  readonly range: ByteRange | null;
  /** Of the whole file, once verified; null where the bytes still come in. */
  readonly sizeBytes: number | null;
  readonly etag: string | null;
}
