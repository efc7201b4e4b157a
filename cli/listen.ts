/** The listening socket, from before there is an app until the last transfer has ended. */
import { IntegrityError, TooLargeError, UpstreamError } from "../storage/errors.ts";
import type { Clock, Log, Timers } from "../storage/runtime.ts";
import type { ListenAddress } from "./config_schema.ts";
import { keepServing } from "./serving.ts";

/** Sluice cannot start; the message is one sentence for a person. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** A server that listens. */
export interface Server {
  /** With the port that was taken. */
  readonly address: ListenAddress;
  /** It listens on every interface. */
  readonly isWildcard: boolean;
  /** Requests that came in before wait for this. */
  answer(handler: Deno.ServeHandler): void;
  /** Takes no more connections, and resolves once all requests have ended, or after `withinMs`. */
  drain(withinMs: number): Promise<void>;
  /** For a server that was not drained: ends it at once. What a drain left running ends with the process. */
  cut(): Promise<void>;
}

/** Throws StartError where the address cannot be had; one that was had is taken again where it is lost. */
export function listen(wanted: ListenAddress, deps: {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}): Server {
  const { timers, log } = deps;
  const ready = Promise.withResolvers<Deno.ServeHandler>();
  let handler: Deno.ServeHandler = async (request, info) => await (await ready.promise)(request, info);
  const abort = new AbortController();
  const serving = keepServing(serve, deps);
  const { hostname, port } = serving.address;
  let draining = false;

  function serve(taken: number | null): Deno.HttpServer {
    try {
      return Deno.serve({
        hostname: wanted.hostname,
        port: taken ?? wanted.port,
        signal: abort.signal,
        onListen: () => {},
        onError: (error) => {
          // The app answers its own errors: what comes here broke in the server itself, or is a body that broke off.
          if (!isToldByFill(error)) log("error", "A request broke outside of the app", { error });
          return new Response("Internal error\n", {
            status: 500,
            headers: { "cache-control": "no-store", "cache-status": "sluice; detail=internal" },
          });
        },
      }, (request, info) => handler(request, info));
    } catch (cause) {
      throw new StartError(sentence(wanted, cause), { cause });
    }
  }

  return {
    address: { hostname, port },
    isWildcard: hostname === "0.0.0.0" || hostname === "::",
    answer(given) {
      handler = given;
      ready.resolve(given);
    },
    async drain(withinMs) {
      draining = true;
      const ended = new AbortController();
      const shutdown = serving.shutdown().finally(() => ended.abort());
      await Promise.race([shutdown, timers.sleep(withinMs, ended.signal).catch(() => {})]);
    },
    async cut() {
      // Aborting a server that was shut down throws where nobody can catch it, and ends no connection.
      if (draining) return;
      serving.leave();
      abort.abort();
      await serving.finished();
    },
  };
}

/** What ends a file on its way to a client is written down once, however many clients waited for it. */
function isToldByFill(error: unknown): boolean {
  return error instanceof UpstreamError || error instanceof IntegrityError || error instanceof TooLargeError;
}

function sentence({ hostname, port }: ListenAddress, cause: unknown): string {
  const address = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  if (cause instanceof Deno.errors.AddrInUse) {
    return `Cannot listen on ${address}: the port is taken. Choose another one: --listen ${
      address.replace(/\d+$/, "0")
    } takes any that is free`;
  }
  if (cause instanceof Deno.errors.AddrNotAvailable) {
    return `Cannot listen on ${address}: this machine has no such address`;
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return `Cannot listen on ${address}: permission denied. Ports below 1024 may need more rights`;
  }
  return `Cannot listen on ${address}: ${cause instanceof Error ? cause.message : cause}`;
}

/** What clients are told, and what is to be said about it. */
export function siteAddress(
  configured: string | null,
  { hostname, port }: ListenAddress,
): { readonly baseUrl: string; readonly warnings: readonly string[] } {
  if (configured !== null) return { baseUrl: configured, warnings: [] };
  const wildcard = hostname === "0.0.0.0" || hostname === "::";
  const host = wildcard ? "localhost" : hostname.includes(":") ? `[${hostname}]` : hostname;
  const baseUrl = new URL(`http://${host}:${port}`).origin;
  const warning =
    `Links in what is served begin with ${baseUrl}: set --base-url to the address that clients use.`;
  return { baseUrl, warnings: wildcard ? [warning] : [] };
}
