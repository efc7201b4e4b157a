/** Rendered once for all instants that are alike: each address's own instant is put in when it is answered. */
import { Buffer } from "node:buffer";
import { createByteWriter } from "../_shared/byte_writer.ts";
import type { AsOf, Entity, RegistryRequest } from "../outcome.ts";
import { compressed, createEntity } from "./entity.ts";
import type { MemoEntry } from "./memo.ts";
import type { Services } from "./services.ts";
import type { WithheldNote } from "./withheld.ts";

/** The same request with the placeholder where its addresses name the instant; itself where it names none. */
export function withPlaceholder(services: Services, request: RegistryRequest): RegistryRequest {
  const { at, site, mount } = request;
  if (at === undefined) return request;
  const neutral = site.slice(0, site.length - at.text.length) + services.instants.placeholder;
  return { ...request, site: neutral, mount: neutral + mount.slice(site.length) };
}

/** What was rendered, for the address that was asked. The last one of each entry is kept. */
export async function finished(
  services: Services,
  entry: MemoEntry,
  at: AsOf | undefined,
): Promise<{ readonly entity: Entity } & WithheldNote> {
  if (at === undefined) return entry;
  const { placeholder, finished } = services.instants;
  const kept = finished.get(entry);
  const entity = kept?.text === at.text ? kept.entity : filledIn(services, entry.entity, at.text);
  if (kept?.entity !== entity) finished.set(entry, { text: at.text, entity });
  const whyLink = entry.whyLink?.replaceAll(placeholder, at.text) ?? null;
  return { entity: await entity, decisionId: entry.decisionId, whyLink };
}

async function filledIn(services: Services, entity: Entity, text: string): Promise<Entity> {
  const { placeholder } = services.instants;
  const { status, contentType, identity } = entity;
  const headers = Object.fromEntries(
    Object.entries(entity.headers).map(([name, value]) => [name, value.replaceAll(placeholder, text)]),
  );
  const isTouched = Object.entries(headers).some(([name, value]) => entity.headers[name] !== value) ||
    bytesOf(identity).includes(placeholder);
  if (!isTouched) return { ...entity, gzip: await compressed(identity, contentType, services.timers) };
  const body = replaced(identity, placeholder, text);
  const rendered = { status, contentType, headers, body, withheld: () => 0 };
  return await createEntity(rendered, services.timers, identity.byteLength);
}

function* replaced(bytes: Uint8Array, placeholder: string, text: string): Generator<Uint8Array> {
  const source = bytesOf(bytes);
  const writer = createByteWriter();
  let at = 0;
  for (let found = source.indexOf(placeholder); found !== -1; found = source.indexOf(placeholder, at)) {
    writer.bytes(bytes, at, found);
    writer.text(text);
    at = found + placeholder.length;
    yield* writer.pieces();
  }
  writer.bytes(bytes, at, bytes.byteLength);
  yield* writer.end();
}

/** Looked through by bytes; nothing is copied. */
function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
