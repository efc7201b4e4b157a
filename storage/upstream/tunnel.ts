/**
 * Connections through an HTTP proxy's CONNECT (RFC 9110, 9.3.6). By hand, because undici's own proxy agent cannot
 * start TLS on the tunnel's socket on Deno 2.5.
 */
import { Buffer } from "node:buffer";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { buildConnector } from "undici";

const MAX_HEAD_BYTES = 16_384;

export interface TunnelOptions {
  /** An `http:` address; its userinfo is the proxy's credentials. */
  readonly proxy: URL;
  /** For the registry behind the tunnel. */
  readonly ca?: string[];
  /** For connecting, the proxy's answer and TLS together. */
  readonly timeoutMs: number;
}

/** Throws TypeError for what is no http address; the message does not show its userinfo. */
export function parseProxy(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol === "http:") return url;
  throw new TypeError("Cannot use the proxy: expected an address such as http://proxy.example:3128");
}

/** What the proxy wants to know of who asks; null: it was given no credentials. */
export function proxyAuthorization({ username, password }: URL): string | null {
  if (username === "" && password === "") return null;
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

/** A connector for undici's agents: every socket it makes is TLS to the registry, inside of a tunnel. */
export function tunnelConnector(options: TunnelOptions): buildConnector.connector {
  const { proxy, timeoutMs } = options;
  return (target, callback) => {
    let settled = false;
    const plain = connectPlain({
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: Number(proxy.port || 80),
    });
    const timer = setTimeout(() => settle(coded("UND_ERR_CONNECT_TIMEOUT")), timeoutMs);

    function settle(error: Error | null, socket: Socket = plain): void {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (error === null) return callback(null, socket);
      plain.destroy();
      callback(error, null);
    }

    function secure(): void {
      const servername = target.servername || target.hostname;
      const socket = connectTls({
        socket: plain,
        servername,
        ALPNProtocols: ["http/1.1"],
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      });
      socket.once("secureConnect", () => settle(null, socket));
      socket.on("error", settle);
    }

    plain.on("error", settle);
    plain.once("close", () => settle(coded("UND_ERR_PRX_CONN")));
    plain.once("connect", () => plain.write(connectHead(target, proxy)));
    readAnswer(plain, (error) => error === null ? secure() : settle(error));
  };
}

function connectHead({ hostname, port }: buildConnector.Options, proxy: URL): string {
  const authority = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port || 443}`;
  const authorization = proxyAuthorization(proxy);
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`];
  if (authorization !== null) lines.push(`Proxy-Authorization: ${authorization}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Nothing follows the head of a 2xx until TLS begins, and it is the client that begins. */
function readAnswer(socket: Socket, done: (error: Error | null) => void): void {
  let head = "";
  socket.on("data", onData);
  function onData(chunk: Buffer): void {
    head += chunk.toString("latin1");
    const end = head.indexOf("\r\n\r\n");
    if (end === -1 && head.length <= MAX_HEAD_BYTES) return;
    socket.off("data", onData);
    const opened = end !== -1 && /^HTTP\/1\.[01] 2\d\d[ \r]/.test(head);
    done(opened ? null : coded("UND_ERR_ABORTED"));
  }
}

function coded(code: string): Error {
  return Object.assign(new Error("The tunnel was not opened"), { code });
}
