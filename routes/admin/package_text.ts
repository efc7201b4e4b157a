/** What a person writes for a package: `left-pad`, `npm/left-pad`, `pkg:npm/left-pad@1.3.1`. */
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { parsePurl } from "../../ecosystems/_shared/purl.ts";

/** What of an ecosystem the pages need to know. */
export type PageEcosystem = Pick<Ecosystem, "id" | "title" | "purlType" | "canonicalName" | "isName">;

/** `name` is canonical where the ecosystem is known; `version` null: none was written. */
export interface WrittenPackage<E extends PageEcosystem | null = PageEcosystem | null> {
  readonly ecosystem: E;
  readonly name: string;
  readonly version: string | null;
}

/** `wrong`: a sentence for beside the field. */
export type ReadPackage = WrittenPackage | { readonly wrong: string };

/** A version follows `@` or `==`. */
export function readPackageText(text: string, ecosystems: readonly PageEcosystem[]): ReadPackage {
  const written = text.trim();
  if (/^pkg:/i.test(written)) return readPurl(written, ecosystems);
  const slash = written.indexOf("/");
  const ecosystem = slash < 1 ? null : ecosystemNamed(written.slice(0, slash), ecosystems);
  const { name, version } = splitVersion(ecosystem === null ? written : written.slice(slash + 1));
  return ecosystem === null ? { ecosystem, name, version } : named({ ecosystem, name, version });
}

/** By id or purl type, in any case; null: there is none. */
export function ecosystemNamed(
  text: string,
  ecosystems: readonly PageEcosystem[],
): PageEcosystem | null {
  const lower = text.toLowerCase();
  return ecosystems.find(({ id, purlType }) => id === lower || purlType === lower) ?? null;
}

function readPurl(text: string, ecosystems: readonly PageEcosystem[]): ReadPackage {
  const read = parsePurl(text);
  if (read === null) return { wrong: `${JSON.stringify(text)} is no purl: write pkg:npm/left-pad` };
  const ecosystem = ecosystems.find(({ purlType }) => purlType === read.type);
  if (ecosystem !== undefined) return named({ ...read, ecosystem });
  const known = ecosystems.map(({ purlType }) => `pkg:${purlType}/`).join(", ");
  return { wrong: `${JSON.stringify(text)} is of no ecosystem here: ${known}` };
}

function named(given: WrittenPackage<PageEcosystem>): ReadPackage {
  const { ecosystem, name, version } = given;
  if (ecosystem.isName(name)) return { ecosystem, name: ecosystem.canonicalName?.(name) ?? name, version };
  return { wrong: `No package of ${ecosystem.title} can be called ${JSON.stringify(name)}` };
}

/** The `@` of a scope is not that of a version. */
function splitVersion(text: string): Pick<WrittenPackage, "name" | "version"> {
  const [, name = text, version = null] = /^(.+?)(?:==|@)([^/@]+)$/.exec(text) ?? [];
  return { name, version };
}
