/** A purl in a field of the API: which package of which ecosystem it names. */
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { formatPurl, parsePurl } from "../../ecosystems/_shared/purl.ts";
import { wrongField } from "./error.ts";

export interface NamedPackage {
  readonly ecosystem: Ecosystem;
  /** Registry-exact. */
  readonly name: string;
  /** null: no release is named. */
  readonly version: string | null;
}

/** Throws ApiError, which names the field and quotes the value. */
export function namedPackage(
  ecosystems: readonly Ecosystem[],
  text: string,
  field: string,
): NamedPackage {
  const purl = parsePurl(text);
  const ecosystem = ecosystems.find(({ purlType }) => purlType === purl?.type);
  if (purl === null || ecosystem === undefined) {
    const types = ecosystems.map(({ purlType }) => `pkg:${purlType}/…`).join(", ");
    throw wrongField(field, `Cannot read the purl ${JSON.stringify(text)}: expected ${types}`);
  }
  return { ecosystem, name: ecosystem.canonicalName?.(purl.name) ?? purl.name, version: purl.version };
}

/** As people write it. */
export function purlOf({ ecosystem, name, version }: NamedPackage): string {
  return formatPurl({ type: ecosystem.purlType, name, version });
}
