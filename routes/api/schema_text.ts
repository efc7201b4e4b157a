/** A JSON Schema as a person reads it: `{ user: string; scopes?: ("read" | "publish")[] }`, with comments. */

export type Json = Readonly<Record<string, unknown>>;

/** A piece of text, or the name of a schema that stands elsewhere on the page. */
export type Piece = string | { readonly ref: string };

const INDENT = "  ";
const REF = "#/components/schemas/";
/** What zod calls a schema that refers to itself: here, only any JSON value does. */
const ANONYMOUS = /^schema\d+$/;

/** In order, to be written one after the other; `schemas` are the document's own, of which inputs and answers stand in place. */
export function schemaText(schema: Json, schemas: Json): readonly Piece[] {
  return typeText(schema, schemas, "");
}

function typeText(schema: Json, schemas: Json, indent: string): readonly Piece[] {
  if (typeof schema.$ref === "string") return referenceText(schema.$ref.slice(REF.length), schemas, indent);
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return choiceText(choices, schemas, indent);
  if (Array.isArray(schema.enum)) return [schema.enum.map((each) => JSON.stringify(each)).join(" | ")];
  if ("const" in schema) return [JSON.stringify(schema.const)];
  if (Array.isArray(schema.type)) {
    return choiceText(schema.type.map((type) => ({ ...schema, type })), schemas, indent);
  }
  switch (schema.type) {
    case "object":
      return objectText(schema, schemas, indent);
    case "array":
      return arrayText(schema.items, schemas, indent);
    case "string":
      return [schema.format === "date-time" ? "instant" : `string${examplesText(schema.examples)}`];
    case undefined:
      return ["any JSON"];
    default:
      return [String(schema.type)];
  }
}

/** Those of one endpoint have a dot in their name, and stand nowhere else. */
function referenceText(name: string, schemas: Json, indent: string): readonly Piece[] {
  if (ANONYMOUS.test(name)) return ["any JSON"];
  const own = schemas[name];
  return name.includes(".") && isJson(own) ? typeText(own, schemas, indent) : [{ ref: name }];
}

function choiceText(choices: readonly unknown[], schemas: Json, indent: string): readonly Piece[] {
  return choices.flatMap((choice, index) => [
    ...(index === 0 ? [] : [" | "]),
    ...typeText(isJson(choice) ? choice : {}, schemas, indent),
  ]);
}

function arrayText(items: unknown, schemas: Json, indent: string): readonly Piece[] {
  const inner = typeText(isJson(items) ? items : {}, schemas, indent);
  const isChoice = inner.some((piece) => typeof piece === "string" && piece.includes(" | "));
  return isChoice ? ["(", ...inner, ")[]"] : [...inner, "[]"];
}

function objectText(schema: Json, schemas: Json, indent: string): readonly Piece[] {
  const properties = Object.entries(isJson(schema.properties) ? schema.properties : {});
  const inner = indent + INDENT;
  const rest = isJson(schema.additionalProperties) ? schema.additionalProperties : null;
  const lines = properties.map(([name, value]) => {
    const isRequired = Array.isArray(schema.required) && schema.required.includes(name);
    const property = isJson(value) ? value : {};
    return line(`${name}${isRequired ? "" : "?"}`, property, typeText(property, schemas, inner), inner);
  });
  if (rest !== null) lines.push(line("[name]", rest, typeText(rest, schemas, inner), inner));
  return lines.length === 0 ? ["{}"] : ["{\n", ...lines.flat(), `${indent}}`];
}

function line(name: string, property: Json, type: readonly Piece[], indent: string): readonly Piece[] {
  const notes = [
    ...descriptionsOf(property),
    ...("default" in property ? [`default: ${JSON.stringify(property.default)}`] : []),
  ];
  const comment = notes.length === 0 ? "" : `  // ${notes.join("; ")}`;
  return [`${indent}${name}: `, ...type, `;${comment}\n`];
}

function examplesText(examples: unknown): string {
  return Array.isArray(examples) ? ` (${examples.join(" or ")})` : "";
}

/** Its own, or that of what it is where it is not null. */
function descriptionsOf({ description, anyOf }: Json): readonly string[] {
  if (typeof description === "string") return [description];
  return Array.isArray(anyOf) ? anyOf.filter(isJson).flatMap(descriptionsOf).slice(0, 1) : [];
}

/** True for what may have members. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
