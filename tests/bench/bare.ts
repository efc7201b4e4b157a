/** The yardstick: Deno alone, answering each path with a clone of one Response. Serves the folder in its argument. */

const [folder = "."] = Deno.args;
const kept = new Map<string, { readonly response: Response; readonly etag: string }>();
for (const entry of Deno.readDirSync(folder)) {
  const body = Deno.readFileSync(`${folder}/${entry.name}`);
  const etag = `"${entry.name}-${body.length}"`;
  const headers = {
    "content-type": "application/octet-stream",
    "cache-control": "private, no-transform",
    etag,
    ...(entry.name.endsWith(".gz") ? { "content-encoding": "gzip" } : {}),
  };
  kept.set(`/${entry.name}`, { response: new Response(body, { headers }), etag });
}

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
  const { url } = request;
  const found = kept.get(url.slice(url.indexOf("/", 8)));
  if (found === undefined) return new Response(null, { status: 404 });
  if (request.headers.get("if-none-match") === found.etag) {
    return new Response(null, { status: 304, headers: { etag: found.etag } });
  }
  return found.response.clone();
});
console.log(`http://127.0.0.1:${server.addr.port}`);
