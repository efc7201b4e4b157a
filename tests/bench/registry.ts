/**
 * The fixture upstream as a process of its own, so that what it does holds up nobody who measures: packuments of
 * every shape under any number (`/big-0007`), gzip where it is accepted, and 3 kB files below them.
 */
import { gzipSync } from "node:zlib";
import { createShaped, fileBytes, type ShapeName, SHAPES } from "./shapes.ts";

const FILE = fileBytes();
const shaped = new Map<ShapeName, (name: string) => Uint8Array>();
/** A registry's own cache: what it compressed once it does not compress again. */
const compressed = new Map<string, Uint8Array<ArrayBuffer>>();

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
  const { pathname, origin } = new URL(request.url);
  if (pathname.includes("/-/")) return new Response(FILE);
  const name = pathname.slice(1);
  const shape = name.split("-")[0] as ShapeName;
  if (!Object.hasOwn(SHAPES, shape)) return new Response(null, { status: 404 });
  const headers = { "content-type": "application/json", etag: `"${name}"`, "cache-control": "no-transform" };
  if (request.headers.get("if-none-match") === headers.etag) {
    return new Response(null, { status: 304, headers });
  }
  let make = shaped.get(shape);
  if (make === undefined) shaped.set(shape, make = createShaped(shape, `${origin}/`));
  if (!request.headers.get("accept-encoding")?.includes("gzip")) {
    return new Response(make(name) as BodyInit, { headers });
  }
  let body = compressed.get(name);
  if (body === undefined) compressed.set(name, body = new Uint8Array(gzipSync(make(name), { level: 1 })));
  return new Response(body, {
    headers: { ...headers, "content-encoding": "gzip", "content-length": String(body.length) },
  });
});
console.log(`http://127.0.0.1:${server.addr.port}`);
