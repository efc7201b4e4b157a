/** One way to ask a Sluice from the command line: the API of a running one, or the same API over the local data. */
import { readFileSync } from "node:fs";
import { ECOSYSTEMS } from "../ecosystems/mod.ts";
import type { Api, ApiRequest } from "../routes/api/api.ts";
import { StorageError } from "../storage/errors.ts";
import { realTimers } from "../storage/timers.ts";
import { type Principal, SCOPES } from "../storage/tokens.ts";
import { ApiFailure, failureOf } from "./api_failure.ts";
import { createClosers } from "./closers.ts";
import { composeApi } from "./compose_api.ts";
import { composeWaivers } from "./compose_waivers.ts";
import { createInsight } from "./insight.ts";
import type { Io } from "./io.ts";
import { openParts } from "./parts.ts";
import { commandConfig, commandLog, type LocationFlags, mustExist, UsageError } from "./storage.ts";

export interface ApiCall {
  /** Whose address is asked; default: what `--org` names. */
  readonly organisation?: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Instead of a body. */
  readonly file?: { readonly bytes: ReadableStream<Uint8Array>; readonly contentType: string };
}

/** Both throw ApiFailure for a problem that was answered, StorageError where nothing answers. */
export interface ApiClient extends AsyncDisposable {
  /** `path` is below `/-/api/v1`, each segment encoded. null for 204. */
  call<T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, options?: ApiCall): Promise<T>;
  /** Of an endpoint that answers a file; ends with an error where it is not whole. */
  bytes(path: string, options?: Pick<ApiCall, "query">): Promise<ReadableStream<Uint8Array>>;
  /** To an endpoint that takes a file, which is read to its end or cancelled. */
  send<T>(
    path: string,
    file: ReadableStream<Uint8Array>,
    options: Pick<ApiCall, "query"> & { readonly contentType: string },
  ): Promise<T>;
  /** Of an endpoint that answers one JSON value a line; GET if no method is given. */
  lines<T>(
    path: string,
    options?: Pick<ApiCall, "query" | "body"> & { readonly method?: "GET" | "POST" },
  ): AsyncIterable<T>;
}

export interface PlaceFlags extends LocationFlags {
  readonly server?: string | undefined;
  readonly org?: string | undefined;
}

const ENCODER = new TextEncoder();
const DRAINED_WITHIN_MS = 5_000;

/** Whoever can write the data folder can do everything; the log says who it was. */
function localPrincipal(io: Io): Principal {
  return {
    id: "local",
    user: io.user || "unknown",
    organisation: null,
    scopes: new Set(SCOPES),
    ecosystems: null,
  };
}

/** Throws UsageError for flags that contradict each other. The caller disposes of it. */
export async function openApi(flags: PlaceFlags, io: Io): Promise<ApiClient> {
  if (flags.server === undefined) return await openLocal(flags, io);
  const given = (["data", "kv"] as const).find((name) => flags[name] !== undefined);
  if (given !== undefined) throw new UsageError(`Use --server or --${given}, not both.`);
  return openRemote(flags.server, flags.org, io);
}

type Send = (method: string, path: string, options: ApiCall) => Promise<Response>;

async function openLocal(flags: PlaceFlags, io: Io): Promise<ApiClient> {
  const config = commandConfig(flags, io);
  await mustExist(config);
  const log = commandLog(io);
  const closers = createClosers(log);
  try {
    const deps = { ecosystems: ECOSYSTEMS, clock: io.clock, timers: realTimers, log };
    const parts = await openParts(config, deps, closers);
    const site = config.baseUrl ?? "http://localhost";
    const waivers = composeWaivers(parts, { root: site });
    const api = composeApi(parts, createInsight(parts, { config, live: null }), waivers);
    const send = sendLocally(api, {
      principal: localPrincipal(io),
      address: async (organisation = flags.org ?? "default") => {
        const view = await parts.views.view(organisation);
        return view === null ? null : { view, site };
      },
    });
    return client(send, "The local Sluice", async () => {
      // What webhooks are told of is written down behind the answer.
      await parts.services.background.drain(DRAINED_WITHIN_MS);
      await closers.closeAll();
    });
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

function sendLocally(
  api: Api,
  caller: {
    readonly principal: Principal;
    readonly address: (organisation?: string) => ReturnType<ApiRequest["address"]>;
  },
): Send {
  return async (method, path, { query = {}, body, file, organisation }) =>
    await api.call({
      method,
      segments: path.slice(1).split("/").map(decodeURIComponent),
      query: searchOf(query),
      body: () =>
        Promise.resolve(body === undefined ? new Uint8Array() : ENCODER.encode(JSON.stringify(body))),
      bytes: () => file?.bytes ?? null,
      identify: () => Promise.resolve(caller.principal),
      address: () => caller.address(organisation),
      // An endpoint of the whole instance may be asked with any --org.
      isNamed: false,
      from: "",
    });
}

function openRemote(server: string, org: string | undefined, io: Io): ApiClient {
  if (!/^https?:\/\//.test(server) || !URL.canParse(server)) {
    throw new UsageError(`--server "${server}" is not an http or https address.`);
  }
  const token = tokenOf(io);
  const root = server.replace(/\/+$/, "");
  return client(
    async (method, path, { query = {}, body, file, organisation = org }) => {
      const base = organisation === undefined ? root : `${root}/o/${encodeURIComponent(organisation)}`;
      const search = searchOf(query).toString();
      const address = `${base}/-/api/v1${path}${search === "" ? "" : `?${search}`}`;
      try {
        return await fetch(address, {
          method,
          redirect: "error",
          headers: {
            authorization: `Bearer ${token}`,
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...(file === undefined ? {} : { "content-type": file.contentType }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          ...(file === undefined ? {} : { body: file.bytes }),
        });
      } catch (cause) {
        throw new StorageError(`Cannot reach ${server}: ${cause instanceof Error ? cause.message : cause}`, {
          cause,
        });
      }
    },
    server,
    () => Promise.resolve(),
  );
}

function tokenOf({ env }: Io): string {
  const file = env.SLUICE_TOKEN_FILE;
  const token = env.SLUICE_TOKEN ?? (file === undefined ? undefined : readFileSync(file, "utf8"));
  if (token !== undefined && token.trim() !== "") return token.trim();
  throw new UsageError("--server needs a token: set SLUICE_TOKEN (or SLUICE_TOKEN_FILE).");
}

function searchOf(query: NonNullable<ApiCall["query"]>): URLSearchParams {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
}

/** Throws StorageError where it breaks off. */
async function* whole(texts: AsyncIterable<string>, server: string): AsyncGenerator<string> {
  try {
    yield* texts;
  } catch (cause) {
    throw new StorageError(
      `${server} broke off its answer: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
      },
    );
  }
}

function client(send: Send, server: string, close: () => Promise<void>): ApiClient {
  async function answered(method: string, path: string, options: ApiCall): Promise<Response> {
    const response = await send(method, path, options);
    if (response.ok) return response;
    throw failureOf(response.status, await response.text(), server);
  }

  async function call<T>(method: string, path: string, options: ApiCall = {}): Promise<T> {
    const response = await answered(method, path, options);
    const text = await response.text();
    if (text === "") return null as T;
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new ApiFailure(response.status, "no-api", `${server} does not answer as a Sluice does`);
    }
  }

  return {
    call,
    send: <T>(
      path: string,
      bytes: ReadableStream<Uint8Array>,
      { query = {}, contentType }: { readonly query?: ApiCall["query"]; readonly contentType: string },
    ) => call<T>("POST", path, { query, file: { bytes, contentType } }),
    async bytes(path, options = {}) {
      return (await answered("GET", path, options)).body!;
    },
    async *lines<T>(
      path: string,
      { method = "GET", ...options }: Pick<ApiCall, "query" | "body"> & { readonly method?: string } = {},
    ) {
      const response = await answered(method, path, options);
      let rest = "";
      for await (const text of whole(response.body!.pipeThrough(new TextDecoderStream()), server)) {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        for (const line of lines) yield JSON.parse(line) as T;
      }
    },
    [Symbol.asyncDispose]: close,
  };
}
