/** One call of the API: row found, caller let in, input read, work done, answer sent. The only way to a handler. */
import type { AuditTrail } from "../../storage/audit_trail.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import { holds, type Principal } from "../../storage/tokens.ts";
import { putHeader, respond, responseHeaders } from "../headers.ts";
import { problemDetails, problemHeaders } from "../say_problem.ts";
import { utf8 } from "../text.ts";
import { auditEntryOf, isDryRun } from "./audited.ts";
import type { Answer, AuditNote, Call, Endpoint } from "./endpoint.ts";
import { ApiError, invalid, notFound, wrongField } from "./error.ts";
import { expectedWords } from "./field_words.ts";
import { createMatcher } from "./match.ts";

/** A request as it reached the API; HTTP and the command line on the machine itself both make one. */
export interface ApiRequest {
  readonly method: string;
  /** Decoded, below `/-/api/v1`. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** Throws BodyTooLargeError, RequestError. */
  body(maxBytes: number): Promise<Uint8Array>;
  /** The same, unbounded and as it comes; null, or not there: nothing was sent. */
  bytes?(): ReadableStream<Uint8Array> | null;
  /** Verifies the credentials. null: there are none. Throws ApiError for what is there and does not hold. */
  identify(): Promise<Principal | null>;
  /** The organisation that the address names; null: there is no such one. */
  address(): Promise<{ readonly view: OrganisationView; readonly site: string } | null>;
  /** An organisation of the address's own path was named (`/o/…`), or by the host's label. */
  readonly isNamed: boolean;
  /** The address that it came from; `` where that is the machine itself. */
  readonly from: string;
  /** The organisation on whose own page it was asked for; its trail has what was done there to the whole instance. */
  readonly pageOf?: string | undefined;
}

export interface Api {
  readonly endpoints: readonly Endpoint[];
  /** Rejects with what is not the caller's fault; routes/problem.ts knows it. */
  call(request: ApiRequest): Promise<Response>;
}

/** An answer of this kind is no document: it is not kept, not framed, not guessed at. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "sandbox; default-src 'none'",
  "x-content-type-options": "nosniff",
} as const;

export function createApi(options: {
  readonly endpoints: readonly Endpoint[];
  readonly view: (organisation: string) => Promise<OrganisationView | null>;
  /** Called once something may have been changed, so that the next question sees it. */
  readonly changed: () => void;
  readonly audit: Pick<AuditTrail, "append">;
}): Api {
  const { endpoints, view, changed, audit } = options;
  const match = createMatcher(endpoints);

  async function call(request: ApiRequest): Promise<Response> {
    try {
      return await answered(request);
    } catch (error) {
      if (error instanceof ApiError) return sayApiError(error);
      throw error;
    }
  }

  async function answered(request: ApiRequest): Promise<Response> {
    const matched = match(request.method, request.segments);
    if (matched.kind === "none") {
      throw notFound("no-such-endpoint", "There is no such endpoint: GET /-/api/v1/openapi.json lists them");
    }
    if (matched.kind === "method") {
      throw new ApiError(405, "method-not-allowed", `This endpoint answers ${matched.allow}`, {
        allow: matched.allow,
      });
    }
    const { endpoint } = matched;
    const principal = await admitted(request, endpoint, matched.params);
    const place = endpoint.standsAlone ? nowhere(request) : await placeOf(request, endpoint, matched.params);
    if (endpoint.scope !== null && endpoint.whose === "address") mustOwn(principal, place.view.id);
    const noted: AuditNote[] = [];
    const call: Call = {
      params: read(endpoint.params, "path", matched.params),
      query: read(endpoint.query, "query", queryOf(request.query)),
      body: endpoint.body === null ? undefined : await bodyOf(request, endpoint),
      bytes: () => request.bytes?.() ?? nothingSent(endpoint),
      principal,
      get organisation() {
        return place.view;
      },
      isNamed: request.isNamed,
      site: place.site,
      note: (note) => void noted.push(note),
    };
    const answer = await endpoint.handle(call).finally(() => {
      if (endpoint.method !== "GET") changed();
    });
    const note = noted.at(-1) ?? null;
    if (endpoint.isAudited && !isDryRun(call) && note?.isNothing !== true) {
      await audit.append(
        auditEntryOf({ endpoint, call, from: request.from, pageOf: request.pageOf ?? null, note }),
      );
    }
    return send(endpoint, answer, request.method === "HEAD");
  }

  /** Whose the endpoint is; throws ApiError where there is no such organisation. */
  async function placeOf(
    request: ApiRequest,
    { whose }: Endpoint,
    params: Readonly<Record<string, string>>,
  ) {
    const place = await request.address();
    if (place === null) throw notFound("no-such-organisation", "There is no such organisation");
    if (whose === "address") return place;
    if (request.isNamed) throw notHere();
    if (whose === "instance") return place;
    const named = await view(params.organisation ?? "");
    if (named === null) {
      throw notFound(
        "no-such-organisation",
        `There is no organisation ${JSON.stringify(params.organisation)}`,
      );
    }
    return { view: named, site: place.site };
  }
  return { endpoints, call };
}

/** For an endpoint that stands alone no organisation is looked up: there may be none that can be read. */
function nowhere({ isNamed }: ApiRequest) {
  if (isNamed) throw notHere();
  return {
    site: "",
    get view(): OrganisationView {
      throw new TypeError("Cannot tell whose call it is: this endpoint stands alone");
    },
  };
}

function notHere(): ApiError {
  return notFound("not-here", "This endpoint is the instance's: it is at the base address, without /o/");
}

function nothingSent({ takes }: Endpoint): never {
  throw wrongField("body", `Cannot read the body: a file is expected (${takes})`);
}

/**
 * Before anything is looked up: nobody is told more than that they may not, neither of other organisations nor of
 * what is there.
 */
async function admitted(
  request: ApiRequest,
  endpoint: Endpoint,
  params: Readonly<Record<string, string>>,
): Promise<Principal> {
  if (endpoint.scope === null) return NOBODY;
  const principal = await request.identify();
  if (principal === null) {
    throw new ApiError(401, "token-required", "This needs a token: send it as Authorization: Bearer", {
      challenge: true,
    });
  }
  if (endpoint.whose === "instance" && principal.organisation !== null) throw notYours("the whole instance");
  if (endpoint.whose === "parameter") mustOwn(principal, params.organisation ?? "");
  const scopes = [endpoint.scope, endpoint.orScope].filter((scope) => scope !== null);
  if (!scopes.some((scope) => holds(principal, scope))) {
    throw new ApiError(
      403,
      "scope-missing",
      `This needs the scope ${
        scopes.map((scope) => `"${scope}"`).join(" or ")
      }, which the token does not have`,
    );
  }
  return principal;
}

function mustOwn({ organisation }: Principal, asked: string): void {
  if (organisation !== null && organisation !== asked) throw notYours("another organisation");
}

function notYours(whose: string): ApiError {
  return new ApiError(403, "not-yours", `This token is not for ${whose}`);
}

const NOBODY: Principal = { id: "", user: "", organisation: "", scopes: new Set(), ecosystems: [] };

function read(schema: Endpoint["params"], where: "path" | "query" | "body", value: unknown): unknown {
  if (schema === null) {
    const names = where === "query" ? Object.keys(value as object) : [];
    if (names.length === 0) return undefined;
    throw new ApiError(400, "invalid-input", `Cannot read query.${names[0]}: nothing of this name is known`, {
      errors: names.map((name) => ({ field: `query.${name}`, message: "nothing of this name is known" })),
    });
  }
  const parsed = schema.safeParse(value, { error: expectedWords, reportInput: true });
  if (parsed.success) return parsed.data;
  throw invalid(where, parsed.error);
}

/** One value for each name; a name given twice is a list. */
function queryOf(query: URLSearchParams): Readonly<Record<string, string | readonly string[]>> {
  return Object.fromEntries([...new Set(query.keys())].map((name) => {
    const all = query.getAll(name);
    return [name, all.length === 1 ? all[0]! : all];
  }));
}

async function bodyOf(request: ApiRequest, endpoint: Endpoint): Promise<unknown> {
  const bytes = await request.body(endpoint.maxBytes);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return read(endpoint.body, "body", text.trim() === "" ? {} : JSON.parse(text));
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw wrongField("body", `Cannot read the body as JSON: ${why}`);
  }
}

/** What the schema of the answer does not name is left out here: nothing undocumented is ever sent. */
function send(endpoint: Endpoint, answer: Answer, isHead: boolean): Response {
  if ("text" in answer) return sendText(200, answer.contentType, answer.text, isHead);
  if ("bytes" in answer) {
    const headers = responseHeaders({ ...HEADERS, "content-type": answer.contentType });
    return respond({ status: 200, headers, body: isHead ? null : answer.bytes() });
  }
  if ("ndjson" in answer) {
    if (isHead) return sendText(200, "application/x-ndjson", "", true);
    const headers = responseHeaders({ ...HEADERS, "content-type": "application/x-ndjson" });
    return respond({ status: 200, headers, body: linesOf(answer.ndjson) });
  }
  if (answer.status === 204) return respond({ status: 204, headers: responseHeaders(HEADERS), body: null });
  const body = endpoint.answer === null ? answer.body : endpoint.answer.parse(answer.body);
  return sendText(answer.status ?? 200, "application/json", `${JSON.stringify(body, null, 2)}\n`, isHead);
}

function sendText(status: number, contentType: string, text: string, isHead: boolean): Response {
  const bytes = utf8(text);
  const headers = responseHeaders({ ...HEADERS, "content-type": contentType });
  if (isHead) putHeader(headers, "content-length", String(bytes.byteLength));
  return respond({ status, headers, body: isHead ? null : bytes });
}

function linesOf(values: AsyncIterable<unknown>): ReadableStream<Uint8Array> {
  const iterator = values[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(utf8(`${JSON.stringify(value)}\n`));
    },
    async cancel() {
      await iterator.return?.();
    },
  }, { highWaterMark: 0 });
}

/** RFC 9457; the members' names are the documented ones. */
export function sayApiError(error: ApiError): Response {
  const { status, code, message, options } = error;
  const headers = problemHeaders({
    // Whoever calls the API sends a token, and may have one of a form that Basic's password is not looked at for.
    ...(options.challenge === true ? { challenge: "bearer" } : {}),
    ...(options.allow === undefined ? {} : { allow: options.allow }),
    retryAfterSeconds: options.retryAfterSeconds ?? null,
  });
  putHeader(headers, "cache-control", "no-store");
  putHeader(headers, "content-type", "application/problem+json");
  const problem = {
    ...problemDetails(status, message),
    code,
    ...(options.errors === undefined ? {} : { errors: options.errors }),
    ...options.extra,
  };
  return respond({ status, headers, body: utf8(`${JSON.stringify(problem, null, 2)}\n`) });
}
