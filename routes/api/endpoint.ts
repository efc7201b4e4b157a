/** One row of the API's table: what an endpoint is called, what it takes and answers, and who may call it. */
import type * as z from "zod";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Principal, Scope } from "../../storage/tokens.ts";

/**
 * Whose the endpoint is: `instance`: all of it, so that the token must be the instance's; `address`: the
 * organisation that the address names (`/o/{organisation}/-/api/v1/…`, else the default one); `parameter`: the
 * one that `{organisation}` in the path names. A token must be that organisation's or the instance's.
 */
export type Whose = "instance" | "address" | "parameter";

/** A call that was let in, with everything it brought along read by the endpoint's schemas. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Of an endpoint that takes a file: its bytes, once. Throws ApiError where none were sent. */
  bytes(): ReadableStream<Uint8Array>;
  readonly principal: Principal;
  /** Of an instance's endpoint: the default one; of one that stands alone there is none, and this throws TypeError. */
  readonly organisation: OrganisationView;
  /** The address names its organisation; else it is the default one. */
  readonly isNamed: boolean;
  /** What precedes `/-/…` for this organisation, no trailing slash. */
  readonly site: string;
  /** What the audit trail says of this call, beside who and when; not said, it has what the call brought. */
  readonly note: (note: AuditNote) => void;
}

/** WARNING: for people to read for ever: secrets are left out by whoever calls `note`. */
export interface AuditNote {
  /** What it was done to, in a few words. */
  readonly subject?: string;
  /** Whose trail it belongs in; absent: whose the call is. null: the instance's own. */
  readonly organisation?: string | null;
  /** What was asked for was so already: there is no entry, so that nobody fills the trail by asking again. */
  readonly isNothing?: true;
  readonly before?: unknown;
  readonly after?: unknown;
}

export type Answer =
  /** `body` goes through the endpoint's schema: what that does not name is not sent. 204 has none. */
  | { readonly status?: 200 | 201 | 202 | 204; readonly body?: unknown }
  /** One JSON value a line, as they come. */
  | { readonly ndjson: AsyncIterable<unknown> }
  | { readonly text: string; readonly contentType: string }
  /** Begun only where somebody takes them (not for HEAD). */
  | { readonly bytes: () => ReadableStream<Uint8Array>; readonly contentType: string };

export interface Endpoint {
  /** OpenAPI's operationId: `listTokens`. */
  readonly id: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/-/api/v1`: `/tokens/{id}`; a last `{name...}` takes all that is left. */
  readonly path: string;
  /** null: nobody is asked who they are. */
  readonly scope: Scope | null;
  /** Whoever has this one may call it as well; null: nobody else. */
  readonly orScope: Scope | null;
  readonly whose: Whose;
  /** One sentence, for the documentation. */
  readonly summary: string;
  readonly area: string;
  readonly params: z.ZodType | null;
  readonly query: z.ZodType | null;
  readonly body: z.ZodType | null;
  /** null: no JSON; `contentTypes` says what. */
  readonly answer: z.ZodType | null;
  /** Of an answer of one JSON value a line: what a line is, for the documentation; tests hold lines against it. */
  readonly line: z.ZodType | null;
  readonly contentTypes: readonly string[];
  /** Bound on the body; 1 MiB if not said otherwise. */
  readonly maxBytes: number;
  /** A call that was done goes into the audit trail: every POST, PUT and DELETE, if not said otherwise. */
  readonly isAudited: boolean;
  /** The content type of the file that it takes instead of a JSON body; null: none. Of any size, as it comes. */
  readonly takes: string | null;
  /** For whoever signed in: it is no part of the documented API, and tells a token to go elsewhere. */
  readonly isForPages: boolean;
  /** The instance's own that works where nothing can be read of the storage, not even an organisation. */
  readonly standsAlone: boolean;
  /** Throws ApiError, or whatever routes/problem.ts knows. */
  handle(call: Call): Promise<Answer>;
}

/** An endpoint as it is written down: the schemas give `handle` its types. */
export interface EndpointSketch<
  P extends z.ZodType | undefined,
  Q extends z.ZodType | undefined,
  B extends z.ZodType | undefined,
> {
  readonly id: string;
  readonly method: Endpoint["method"];
  readonly path: string;
  readonly scope: Scope | null;
  readonly orScope?: Scope;
  readonly whose: Whose;
  readonly summary: string;
  readonly area: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly answer?: z.ZodType;
  readonly line?: z.ZodType;
  readonly contentTypes?: readonly string[];
  readonly maxBytes?: number;
  readonly takes?: string;
  readonly standsAlone?: true;
  readonly isAudited?: boolean;
  readonly isForPages?: true;
  readonly handle: (call: Call<Output<P>, Output<Q>, Output<B>>) => Promise<Answer> | Answer;
}

type Output<T> = T extends z.ZodType ? z.output<T> : undefined;

/** Fills in what was not said. */
export function endpoint<
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(sketch: EndpointSketch<P, Q, B>): Endpoint {
  const { answer = null, handle } = sketch;
  return {
    ...sketch,
    orScope: sketch.orScope ?? null,
    params: sketch.params ?? null,
    query: sketch.query ?? null,
    body: sketch.body ?? null,
    answer,
    line: sketch.line ?? null,
    contentTypes: sketch.contentTypes ?? (answer === null ? [] : ["application/json"]),
    maxBytes: sketch.maxBytes ?? 1_048_576,
    takes: sketch.takes ?? null,
    standsAlone: sketch.standsAlone ?? false,
    isForPages: sketch.isForPages ?? false,
    isAudited: sketch.isAudited ?? sketch.method !== "GET",
    handle: async (call) => await handle(call as Call<Output<P>, Output<Q>, Output<B>>),
  };
}
