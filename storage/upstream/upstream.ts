/** What the pipeline asks of an upstream. Implemented by client.ts over the layers beside it. */
import type { EpochMs } from "../../policy/types.ts";
import type { Source } from "../../ecosystems/ecosystem.ts";

/** One `Request` → one `Response`, one hop, nothing followed. Layers wrap it. */
export type Fetch = (request: Request) => Promise<Response>;
export type Layer = (next: Fetch) => Fetch;

/** A configured registry, chosen for a package. */
export interface Upstream {
  /** Stable as long as its address is; part of storage keys: `registry-1a2b3c4d`. */
  readonly id: string;
  /** `public`, or the id where only some organisations may use it; first-seen times are kept by scope. */
  readonly scope: string;
  /** With trailing slash. */
  readonly root: string;
  /** Nothing but the ecosystem's catch-all upstream is a default; names that go elsewhere are private to it. */
  readonly isDefault: boolean;
}

export interface Upstreams {
  /**
   * The upstream for a package (null: for a catalogue or a forwarded request), by the first configured pattern
   * that matches and whose organisations hold this one. null: this ecosystem has no upstream for that name.
   */
  choose(options: {
    readonly ecosystem: string;
    readonly key: string;
    readonly name: string | null;
    readonly organisation: string;
  }): Upstream | null;
}

/** 200 with a whole body within its bound; 304; or an authoritative absence (404, 410). All else throws UpstreamError. */
export type DocumentAnswer =
  | {
    readonly status: 200;
    readonly body: Uint8Array;
    readonly contentType: string;
    readonly etag: string | null;
    readonly lastModified: string | null;
    /** After redirects. */
    readonly url: string;
  }
  | { readonly status: 304 }
  | { readonly status: 404 };

/** An artifact's bytes as they come; must be read to the end or cancelled. */
export interface OpenedArtifact {
  readonly body: ReadableStream<Uint8Array>;
  /** What upstream states; null where it states none (or it would be of an encoded body). Not yet verified. */
  readonly sizeBytes: number | null;
  readonly lastModified: EpochMs | null;
}

export interface UpstreamClient {
  /** Throws UpstreamError; TooLargeError above `source.maxBytes`. A body that is not what `expects` says throws. */
  document(upstream: Upstream, source: Source, options: {
    readonly etag?: string | null;
    readonly lastModified?: string | null;
    /** With trailing slash: what the source's path is below, instead of the upstream's root; rules as for `open`. */
    readonly root?: string;
    readonly signal?: AbortSignal;
    /** Awaited as a body grows beyond a megabyte, with what is held of it, before more is read: the turn to have it. */
    readonly large?: (sizeBytes: number) => Promise<void>;
  }): Promise<DocumentAnswer>;
  /**
   * null: 404 or 410. `url` is absolute or below the root; its origin is the upstream's or one of its
   * `allowedHosts`, else UpstreamError `forbidden-address`.
   */
  open(
    upstream: Upstream,
    url: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<OpenedArtifact | null>;
  /** Passes a request on; any status is an answer. Bodies within `maxBytes`, decoded. */
  forward(upstream: Upstream, request: {
    readonly method: "GET" | "POST";
    readonly path: string;
    readonly accept: string;
    readonly contentType?: string;
    readonly body?: Uint8Array;
    readonly maxBytes: number;
    readonly signal?: AbortSignal;
  }): Promise<{ readonly status: number; readonly contentType: string; readonly body: Uint8Array }>;
  /** Per origin: what is known of its health, for `/-/health`. */
  health(): readonly {
    readonly origin: string;
    readonly state: "ok" | "failing" | "open";
    /** Whether this process asked it at all, as far as it remembers. */
    readonly asked: boolean;
    readonly lastError: string | null;
    readonly lastErrorAt: EpochMs | null;
  }[];
}
