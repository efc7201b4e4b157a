/** `s3://BUCKET/PREFIX?endpoint=…&region=…&pathStyle=…`, read into where a blob's URL lies. */

/** A bucket, or a part of one. */
export interface S3Place {
  readonly bucket: string;
  /** Before every key: empty, or ending with a slash. */
  readonly prefix: string;
  /** The origin that is asked, the bucket's own label before the host where the style is not by path. */
  readonly origin: string;
  readonly region: string;
  readonly pathStyle: boolean;
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const REGION = /^[a-z0-9][a-z0-9-]{0,62}$/;
const SETTINGS = ["endpoint", "region", "pathStyle"];

/** What an address of this kind looks like, for messages. */
export const S3_FORM = "s3://BUCKET/PREFIX?endpoint=URL&region=NAME&pathStyle=true|false";

/**
 * Without `endpoint`, Amazon's own of the region; with one, path style and the region `us-east-1` unless stated.
 * Throws RangeError, which quotes the address up to its `?`: what follows may hold a secret put there by mistake.
 */
export function parseS3Address(address: string): S3Place {
  const fail = (expected: string): never => {
    const shown = JSON.stringify(address.split("?")[0]?.replace(/\/\/[^/]*@/, "//***@"));
    throw new RangeError(`Cannot keep artifacts in ${shown}: expected ${expected}`);
  };
  const match = /^s3:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(address);
  if (match === null) return fail(S3_FORM);
  const [, bucket = "", path = "", search = ""] = match;
  if (!BUCKET.test(bucket)) return fail("the name of a bucket after s3://");
  const settings = readSettings(search);
  if (settings === null) return fail(`each of ${SETTINGS.join(", ")} at most once after the ?`);
  const prefix = readPrefix(path);
  if (prefix === null) return fail("a prefix of printable characters, without empty segments, . and ..");

  const given = settings.get("endpoint");
  const endpoint = given === undefined ? null : readEndpoint(given);
  if (given !== undefined && endpoint === null) {
    return fail("endpoint= to be an http or https address without userinfo, path or query");
  }
  const region = settings.get("region") ?? "us-east-1";
  if (!REGION.test(region)) return fail("region= to be a region's name, such as eu-central-1 or auto");
  const style = settings.get("pathStyle") ?? String(endpoint !== null || bucket.includes("."));
  if (style !== "true" && style !== "false") return fail("pathStyle= to be true or false");
  const pathStyle = style === "true";
  const base = endpoint ?? new URL(`https://s3.${region}.amazonaws.com`);
  const origin = pathStyle ? base.origin : `${base.protocol}//${bucket}.${base.host}`;
  return { bucket, prefix, origin, region, pathStyle };
}

/** null where a setting is unknown, empty or there twice. */
function readSettings(search: string): ReadonlyMap<string, string> | null {
  const settings = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    if (!SETTINGS.includes(name) || settings.has(name) || value === "") return null;
    settings.set(name, value);
  }
  return settings;
}

function readPrefix(path: string): string | null {
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "") return "";
  if (trimmed.length > 512 || !trimmed.isWellFormed() || /\p{Cc}/u.test(trimmed)) return null;
  const plain = trimmed.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
  return plain ? `${trimmed}/` : null;
}

function readEndpoint(given: string): URL | null {
  if (!/^https?:\/\//.test(given) || !URL.canParse(given)) return null;
  const url = new URL(given);
  const plain = url.username === "" && url.password === "" && url.pathname === "/" && !/[?#]/.test(given);
  return plain ? url : null;
}

/** The URL of an object, or of the bucket itself where `key` is empty; every odd character of a key is escaped. */
export function s3Url(place: S3Place, key: string, query: Readonly<Record<string, string>> = {}): URL {
  const bucket = place.pathStyle ? `/${place.bucket}` : "";
  const url = new URL(`${place.origin}${bucket}/${escapeKey(key)}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** As it stands in a path: everything but slashes and what RFC 3986 calls unreserved is escaped. */
export function escapeKey(key: string): string {
  return encodeURIComponent(key).replaceAll("%2F", "/").replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
