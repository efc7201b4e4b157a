/**
 * The registry of the installs, as a process of its own: what it sends was compressed before it listened. npm gets the
 * abbreviated form, as the public registry gives it, and whoever wants all of it the full one. Takes the number of
 * packages, and prints its address.
 */
import { createInstallPackages, type InstallPackage } from "./install_packages.ts";

const JSON_GZIP = { "content-encoding": "gzip", "cache-control": "public, max-age=300, no-transform" };
const ABBREVIATED = "application/vnd.npm.install-v1+json";
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const { port } = listener.addr;
listener.close();
const packages = new Map<string, InstallPackage>(
  createInstallPackages(`http://127.0.0.1:${port}/`, Number(Deno.args[0])).map((each) => [each.name, each]),
);

Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
  if (request.method === "POST") {
    await request.body?.cancel();
    return Response.json({});
  }
  const [name = "", dash] = new URL(request.url).pathname.slice(1).split("/");
  const found = packages.get(name);
  if (found === undefined) return new Response(null, { status: 404 });
  if (dash === "-") {
    return new Response(found.tarball, { headers: { "content-type": "application/octet-stream" } });
  }
  const isShort = request.headers.get("accept")?.includes(ABBREVIATED) ?? false;
  const body = isShort ? found.abbreviated : found.full;
  const etag = `"${name}-${isShort ? "short" : "full"}"`;
  const headers = { ...JSON_GZIP, etag, "content-type": isShort ? ABBREVIATED : "application/json" };
  if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers });
  return new Response(body, { headers: { ...headers, "content-length": String(body.byteLength) } });
});
console.log(`http://127.0.0.1:${port}`);
