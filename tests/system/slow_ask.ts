/** One request whose answer is taken byte by byte. */

const SINGLE_BYTES = 500;
const PIECE_BYTES = 4_096;

export interface SlowAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/**
 * Reads a few hundred bytes one at a time, then nothing until `before` has resolved, then the rest. By HTTP/1.0, so
 * that the body is what comes after the head, up to the end of the connection.
 */
export async function slowAsk(
  address: string,
  options: { readonly user: string; readonly before: Promise<unknown> },
): Promise<SlowAnswer> {
  const url = new URL(address);
  using socket = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
  const head = [
    `GET ${url.pathname} HTTP/1.0`,
    `Host: ${url.host}`,
    "Accept: application/json",
    `Authorization: Basic ${btoa(`${options.user}:`)}`,
    "\r\n",
  ].join("\r\n");
  await socket.write(new TextEncoder().encode(head));
  const pieces: Uint8Array[] = [];
  const take = async (size: number) => {
    const piece = new Uint8Array(size);
    const count = await socket.read(piece);
    if (count !== null) pieces.push(piece.subarray(0, count));
    return count !== null;
  };
  for (let n = 0; n < SINGLE_BYTES; n++) await take(1);
  await options.before;
  while (await take(PIECE_BYTES));
  const all = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  const text = new TextDecoder("latin1").decode(all.subarray(0, 4_096));
  return { status: Number(text.split(" ")[1]), bytes: all.subarray(text.indexOf("\r\n\r\n") + 4) };
}
