/** Responses as the layers pass them on: `url` is where the hop went, which `new Response()` cannot say. */

/** A response whose `url` is what was asked for. */
export function responseAt(
  url: string,
  body: ReadableStream<Uint8Array> | null,
  init: ResponseInit,
): Response {
  const response = new Response(body, init);
  Object.defineProperty(response, "url", { value: url });
  return response;
}

/** The same answer with another body. */
export function withBody(response: Response, body: ReadableStream<Uint8Array> | null): Response {
  return responseAt(response.url, body, { status: response.status, headers: response.headers });
}

/** Reads a body that nobody wants up to `maxBytes`, so that its connection can be used again; else gives both up. */
export async function discard(response: Response, maxBytes = 16_384): Promise<void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let left = maxBytes;
  try {
    while (left >= 0) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.byteLength;
    }
    await reader.cancel();
  } catch {
    // What fails while being thrown away was not wanted.
  }
}
