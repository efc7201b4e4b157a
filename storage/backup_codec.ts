/** KV's keys and values as JSON, losing nothing: what JSON has not is `{ "$": kind, "v": … }`. */
import { Buffer } from "node:buffer";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** No value in KV is deeper; a cycle is. */
const MAX_DEPTH = 100;

/** Throws TypeError for what has no form here (a class's object, a RegExp, a cycle). */
export function encodeValue(value: unknown, depth = 0): Json {
  if (depth > MAX_DEPTH) throw new TypeError("Cannot encode a value: it is nested too deeply");
  const inner = (each: unknown) => encodeValue(each, depth + 1);
  switch (typeof value) {
    case "undefined":
      return tagged("undefined", null);
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : tagged("number", Object.is(value, -0) ? "-0" : String(value));
    case "bigint":
      return tagged("bigint", String(value));
    case "object":
      return value === null ? null : encodeObject(value, inner);
    default:
      throw new TypeError(`Cannot encode a ${typeof value}`);
  }
}

function encodeObject(value: object, inner: (each: unknown) => Json): Json {
  if (Array.isArray(value)) return Array.from(value, inner);
  if (value instanceof Uint8Array) return tagged("bytes", Buffer.from(value).toString("base64"));
  if (value instanceof Deno.KvU64) return tagged("u64", String(value.value));
  if (value instanceof Date) return tagged("date", inner(value.getTime()));
  if (value instanceof Map) return tagged("map", [...value].map(([k, v]) => [inner(k), inner(v)]));
  if (value instanceof Set) return tagged("set", [...value].map(inner));
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    throw new TypeError(`Cannot encode a ${value.constructor?.name ?? "nameless object"}`);
  }
  const entries = Object.entries(value).map(([key, each]): [string, Json] => [key, inner(each)]);
  // An object that looks like a tag, or whose key would not survive being assigned.
  if (entries.some(([key]) => key === "$" || key === "__proto__")) return tagged("object", entries);
  return Object.fromEntries(entries);
}

function tagged(kind: string, v: Json): Json {
  return { "$": kind, v };
}

/** Throws SyntaxError for what `encodeValue` never wrote. */
export function decodeValue(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(decodeValue);
  if (typeof json !== "object" || json === null) return json;
  if (!Object.hasOwn(json, "$")) {
    return Object.fromEntries(Object.entries(json).map(([key, each]) => [key, decodeValue(each)]));
  }
  const { $: kind, v } = json as { readonly $: unknown; readonly v: unknown };
  switch (kind) {
    case "undefined":
      return undefined;
    case "number":
      return Number(text(v));
    case "bigint":
      return BigInt(text(v));
    case "bytes":
      return new Uint8Array(Buffer.from(text(v), "base64"));
    case "u64":
      return new Deno.KvU64(BigInt(text(v)));
    case "date":
      return new Date(decodeValue(v) as number);
    case "map":
      return new Map(pairs(v).map(([key, each]) => [decodeValue(key), decodeValue(each)]));
    case "set":
      return new Set(list(v).map(decodeValue));
    case "object":
      return objectOf(pairs(v));
    default:
      throw new SyntaxError(`Cannot decode a value of kind ${JSON.stringify(kind)}`);
  }
}

function objectOf(entries: readonly (readonly [unknown, unknown])[]): object {
  const object = {};
  for (const [key, each] of entries) {
    Object.defineProperty(object, text(key), {
      value: decodeValue(each),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return object;
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new SyntaxError(`Cannot decode ${JSON.stringify(value)}: it is no text`);
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new SyntaxError(`Cannot decode ${JSON.stringify(value)}: it is no list`);
}

function pairs(value: unknown): readonly (readonly [unknown, unknown])[] {
  return list(value).map((pair) => {
    const [key, each] = list(pair);
    return [key, each] as const;
  });
}

/** A key, by the same rules. */
export function encodeKey(key: Deno.KvKey): Json {
  return key.map((part) => encodeValue(part));
}

/** Throws SyntaxError for what is no key. */
export function decodeKey(json: unknown): Deno.KvKey {
  const parts = list(json).map(decodeValue);
  for (const part of parts) {
    const isPart = ["string", "number", "bigint", "boolean"].includes(typeof part) ||
      part instanceof Uint8Array;
    if (!isPart) throw new SyntaxError(`Cannot decode a key: ${JSON.stringify(json)?.slice(0, 100)} is none`);
  }
  if (parts.length === 0) throw new SyntaxError("Cannot decode a key: it is empty");
  return parts as Deno.KvKey;
}
