/** Package URLs for people and documents. Keys in storage are ecosystem and registry-exact name, never a purl. */
import { PackageURL } from "packageurl-js";
import type { Purl } from "../../policy/types.ts";

/** `name` is registry-exact: what stands before its last `/` is the namespace. */
export interface Coordinates {
  readonly type: string;
  readonly name: string;
  readonly version: string | null;
}

/** Keeps the name's case, which the library folds for npm although the registry tells `JSONStream` from `jsonstream`. */
export function formatPurl(coordinates: Coordinates): Purl {
  const slash = coordinates.name.lastIndexOf("/");
  const namespace = slash < 0 ? undefined : coordinates.name.slice(0, slash);
  const name = coordinates.name.slice(slash + 1);
  const purl = new PackageURL(coordinates.type, namespace, name, coordinates.version, undefined, undefined);
  purl.namespace = namespace;
  purl.name = name;
  return purl.toString() as Purl;
}

/** null where the text is no purl. Qualifiers and subpath are not looked at; the name's case is kept. */
export function parsePurl(text: string): Coordinates | null {
  try {
    const [type, namespace, name, version] = PackageURL.parseString(text);
    if (!type || !name) return null;
    return {
      type: type.toLowerCase(),
      name: namespace ? `${namespace}/${name}` : name,
      version: version ? version : null,
    };
  } catch {
    return null;
  }
}
