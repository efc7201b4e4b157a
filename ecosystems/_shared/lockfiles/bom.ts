/** CycloneDX (JSON, XML) and SPDX (2 as JSON or tag-value, 3 as JSON-LD): what their purls name, with all files. */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { parsePurl } from "../purl.ts";
import {
  type Findings,
  findings,
  isTable,
  optionalList,
  own,
  parseJson,
  quoted,
  type Table,
  tableAt,
} from "./shape.ts";
import type { LockfileReader } from "./types.ts";

/** Components may hold components; more than so deep is nobody's document. */
const DEEPEST = 100;

export const readCycloneDx: LockfileReader = (text) => {
  const document = tableAt(parseJson(text), "the document");
  if (own(document, "bomFormat") !== "CycloneDX") throw new SyntaxError('bomFormat: expected "CycloneDX"');
  const found = findings();
  readComponents(own(document, "components"), { found, path: "components", depth: 0 });
  return found;
};

function readComponents(
  value: unknown,
  at: { readonly found: Findings; readonly path: string; readonly depth: number },
): void {
  if (at.depth > DEEPEST) {
    throw new SyntaxError(`components: expected at most ${DEEPEST} inside of each other`);
  }
  for (const [index, each] of optionalList(value, at.path).entries()) {
    const where = `${at.path}[${index}]`;
    const component = tableAt(each, where);
    addPurl(at.found, own(component, "purl"), where);
    readComponents(own(component, "components"), { ...at, path: `${where}.components`, depth: at.depth + 1 });
  }
}

/** Elements below `components`, in any namespace prefix. */
export const readCycloneDxXml: LockfileReader = (text) => {
  // An entity that it defines may name another, and so on.
  if (/<!DOCTYPE/i.test(text)) throw new SyntaxError("expected XML without a document type (<!DOCTYPE …>)");
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw new SyntaxError(`line ${valid.err.line}: expected XML: ${valid.err.msg}`);
  const parser = new XMLParser({
    ignoreAttributes: true,
    removeNSPrefix: true,
    parseTagValue: false,
    isArray: (name) => name === "component",
  });
  const bom: unknown = parser.parse(text).bom;
  if (!isTable(bom)) throw new SyntaxError("expected <bom> as the outermost element");
  const found = findings();
  readElements(bom, { found, path: "components", depth: 0 });
  return found;
};

function readElements(
  parent: Table,
  at: { readonly found: Findings; readonly path: string; readonly depth: number },
): void {
  if (at.depth > DEEPEST) {
    throw new SyntaxError(`components: expected at most ${DEEPEST} inside of each other`);
  }
  const components = own(parent, "components");
  if (!isTable(components)) return;
  for (const [index, each] of optionalList(own(components, "component"), at.path).entries()) {
    if (!isTable(each)) continue;
    const where = `${at.path}[${index}]`;
    addPurl(at.found, own(each, "purl"), where);
    readElements(each, { ...at, path: `${where}.components`, depth: at.depth + 1 });
  }
}

export const readSpdx: LockfileReader = (text) => {
  const document = tableAt(parseJson(text), "the document");
  const found = findings();
  if (own(document, "@graph") !== undefined) {
    for (const [index, each] of optionalList(own(document, "@graph"), "@graph").entries()) {
      if (!isTable(each) || !String(own(each, "type")).toLowerCase().endsWith("package")) continue;
      const purl = own(each, "software_packageUrl") ?? own(each, "packageUrl");
      addPurl(found, purl, `@graph[${index}]`);
    }
    return found;
  }
  if (typeof own(document, "spdxVersion") !== "string") {
    throw new SyntaxError("spdxVersion: expected SPDX-2.3 or the like");
  }
  const packages = optionalList(own(document, "packages"), "packages");
  const described = describedBy(document);
  for (const [index, each] of packages.entries()) {
    const where = `packages[${index}]`;
    const entry = tableAt(each, where);
    if (packages.length > 1 && described.has(own(entry, "SPDXID"))) continue;
    const references = optionalList(own(entry, "externalRefs"), `${where}.externalRefs`);
    const purls = references.filter((reference): reference is Table =>
      isTable(reference) && own(reference, "referenceType") === "purl"
    );
    for (const reference of purls) addPurl(found, own(reference, "referenceLocator"), where);
  }
  return found;
};

/** The project itself, of which the others are parts. */
function describedBy(document: Table): ReadonlySet<unknown> {
  const relations = optionalList(own(document, "relationships"), "relationships").filter(isTable);
  return new Set([
    ...optionalList(own(document, "documentDescribes"), "documentDescribes"),
    ...relations.filter((each) => own(each, "relationshipType") === "DESCRIBES")
      .map((each) => own(each, "relatedSpdxElement")),
  ]);
}

/** SPDX 2, `ExternalRef: PACKAGE-MANAGER purl pkg:…` (clause 7.21). */
export const readSpdxTags: LockfileReader = (text) => {
  if (!/^SPDXVersion:\s*SPDX-/m.test(text)) {
    throw new SyntaxError("SPDXVersion: expected SPDX-2.3 or the like");
  }
  const found = findings();
  const described = new Set<string | undefined>(
    text.matchAll(/^Relationship: SPDXRef-DOCUMENT DESCRIBES (\S+)/gm).map(([, id]) => id),
  );
  let id: string | undefined;
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    id = /^SPDXID: (\S+)/.exec(line)?.[1] ?? id;
    if (described.has(id)) continue;
    const [, purl] = /^ExternalRef:\s*PACKAGE[-_]MANAGER\s+purl\s+(\S+)\s*$/.exec(line) ?? [];
    if (purl !== undefined) addPurl(found, purl, `line ${at + 1}`);
  }
  return found;
};

/** A component without one is no package of a registry. */
function addPurl({ packages, skipped }: Findings, purl: unknown, where: string): void {
  if (typeof purl !== "string" || purl === "") return;
  const read = parsePurl(purl);
  if (read === null) {
    throw new SyntaxError(`${where}: expected a purl such as pkg:npm/left-pad@1.3.0, found ${quoted(purl)}`);
  }
  if (read.version === null) return void skipped.push({ where, why: `${purl} has no version` });
  packages.push({ ...read, files: null, where });
}
