/** Answers of an upstream that are made to fill a memory, and requests that are. */
import { brotliCompressSync, constants, deflateSync, gzipSync } from "node:zlib";
import type { Answer } from "../fakes/upstream.ts";

const MB = 1_000_000;
const JSON_TYPE = { "content-type": "application/json" };
const OLD = new Date(Date.now() - 100 * 86_400_000).toISOString();

/** An answer to the packument of `name`, and what a client may be told: statuses, and words where they matter. */
export interface Bomb {
  readonly name: string;
  readonly answer: (registry: string) => Answer;
  readonly statuses: readonly number[];
  readonly says?: RegExp;
}

function packument(registry: string, name: string, versions: number, extra = ""): string {
  const entries = Array.from({ length: versions }, (_, n) => {
    const version = `1.0.${n}`;
    const tarball = `${registry}${name}/-/${name}-${version}.tgz`;
    return `"${version}":{"name":"${name}","version":"${version}",${extra}"dist":{"tarball":"${tarball}","shasum":"${
      n.toString(16).padStart(40, "0")
    }"}}`;
  });
  const times = Array.from({ length: versions }, (_, n) => `"1.0.${n}":"${OLD}"`);
  return `{"name":"${name}","dist-tags":{"latest":"1.0.0"},"versions":{${entries.join(",")}},"time":{${
    times.join(",")
  }}}`;
}

/** With `value` as a field that nobody knows. */
function padded(registry: string, name: string, value: string): string {
  return packument(registry, name, 1).replace(/}$/, `,"odd":${value}}`);
}

/** Honest JSON in pieces, without ever being held whole here. */
async function* filler(registry: string, name: string, sizeBytes: number): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  yield encoder.encode(packument(registry, name, 1).replace(/}$/, ',"odd":"'));
  const piece = encoder.encode("x".repeat(MB));
  for (let sent = 0; sent < sizeBytes; sent += piece.byteLength) yield piece;
  yield encoder.encode('"}');
}

function streamed(registry: string, name: string, sizeBytes: number): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => filler(registry, name, sizeBytes) };
}

const encoded = (body: Uint8Array, encoding: string): Answer => ({
  body,
  headers: { ...JSON_TYPE, "content-encoding": encoding },
});

/** 300 MB of blanks before a packument: valid JSON, to whoever holds it. */
const blanks = (registry: string, name: string) =>
  new TextEncoder().encode(" ".repeat(300 * MB) + packument(registry, name, 1));

export const BOMBS: readonly Bomb[] = [
  {
    name: "gzip",
    answer: (registry) => encoded(gzipSync(blanks(registry, "gzip"), { level: 9 }), "gzip"),
    statuses: [502],
  },
  {
    name: "brotli",
    answer: (registry) =>
      encoded(
        brotliCompressSync(blanks(registry, "brotli"), { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } }),
        "br",
      ),
    statuses: [502],
  },
  {
    name: "deflate",
    answer: (registry) => encoded(deflateSync(blanks(registry, "deflate")), "deflate"),
    statuses: [502],
  },
  {
    name: "nested",
    answer: (registry) => encoded(gzipSync(gzipSync(blanks(registry, "nested"))), "gzip, gzip"),
    statuses: [502],
  },
  {
    name: "nested-in-secret",
    answer: (registry) => encoded(gzipSync(gzipSync(blanks(registry, "nested-in-secret"))), "gzip"),
    statuses: [502],
  },
  {
    name: "zip",
    answer: () => encoded(gzipSync(new Uint8Array(45 * MB)), "gzip"),
    statuses: [502],
  },
  {
    name: "large",
    answer: (registry) => ({ stream: streamed(registry, "large", 100 * MB), headers: JSON_TYPE }),
    statuses: [502],
    says:
      /larger than 48000000 bytes, more than this Sluice holds: whoever runs it can raise largestDocument/,
  },
  {
    name: "large-and-stated",
    answer: (registry) => ({
      stream: streamed(registry, "large-and-stated", 100 * MB),
      headers: { ...JSON_TYPE, "content-length": String(100 * MB) },
    }),
    statuses: [502],
  },
  {
    name: "as-large-as-may-be",
    answer: (registry) => ({ stream: streamed(registry, "as-large-as-may-be", 45 * MB), headers: JSON_TYPE }),
    statuses: [200],
  },
  {
    name: "ten-thousand",
    answer: (registry) => ({ body: packument(registry, "ten-thousand", 10_000), headers: JSON_TYPE }),
    statuses: [200],
  },
  {
    name: "forty-thousand",
    answer: (registry) => ({ body: packument(registry, "forty-thousand", 40_000), headers: JSON_TYPE }),
    statuses: [200],
  },
  {
    name: "deep",
    answer: (registry) => ({
      body: padded(registry, "deep", "[".repeat(5 * MB) + "]".repeat(5 * MB)),
      headers: JSON_TYPE,
    }),
    statuses: [200, 502],
  },
  {
    name: "deep-objects",
    answer: (registry) => ({
      body: padded(registry, "deep-objects", '{"a":'.repeat(2 * MB) + "1" + "}".repeat(2 * MB)),
      headers: JSON_TYPE,
    }),
    statuses: [200, 502],
  },
  {
    name: "wide-keys",
    answer: (registry) => ({
      body: padded(
        registry,
        "wide-keys",
        `{${Array.from({ length: MB }, (_, n) => `"k${n}":0`).join(",")}}`,
      ),
      headers: JSON_TYPE,
    }),
    statuses: [200, 502],
  },
  {
    name: "long-version",
    answer: (registry) => ({
      body: packument(registry, "long-version", 3).replaceAll("1.0.2", `1.0.0-${"a".repeat(5 * MB)}`),
      headers: JSON_TYPE,
    }),
    statuses: [200, 502],
  },
  {
    name: "long-texts",
    answer: (registry) => ({
      body: packument(registry, "long-texts", 40, `"deprecated":"${"x".repeat(MB)}",`),
      headers: JSON_TYPE,
    }),
    statuses: [200, 502],
  },
];
