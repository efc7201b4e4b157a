/** OpenAPI 3.1 of the API, from the table and the schemas that validate. */
import * as z from "zod";
import { type Scope, SCOPE_MEANINGS } from "../../storage/tokens.ts";
import type { Endpoint } from "./endpoint.ts";

const PROBLEM = {
  type: "object",
  description: "RFC 9457",
  required: ["type", "title", "status", "detail", "code"],
  properties: {
    type: { type: "string" },
    title: { type: "string", description: "The status's phrase" },
    status: { type: "integer" },
    detail: { type: "string", description: "What is wrong, in a sentence that quotes the value" },
    code: { type: "string", description: "Stable, for programs" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["field", "message"],
        properties: {
          field: { type: "string", description: "Where: body.expiresAt, query.limit, path.id" },
          message: { type: "string", description: "What was expected, and what was there" },
        },
      },
    },
  },
} as const;

type Json = Readonly<Record<string, unknown>>;

/** `site` precedes `/-/api/v1`. */
export function openApiOf(all: readonly Endpoint[], about: { site: string; version: string }): Json {
  const endpoints = all.filter(({ isForPages }) => !isForPages);
  const { inputs, outputs } = schemasOf(endpoints);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace("...}", "}");
    (paths[path] ??= {})[endpoint.method.toLowerCase()] = operationOf(endpoint, inputs);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice",
      version: about.version,
      description: "What Sluice can be asked and told. Errors are problem details (RFC 9457).",
    },
    servers: [{ url: `${about.site}/-/api/v1` }],
    security: [{ token: [] }],
    tags: [...new Set(endpoints.map(({ area }) => area))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "A token: deno task token create" },
      },
      schemas: { ...outputs, ...inputs, Problem: PROBLEM },
    },
  };
}

const COMPONENTS = { uri: (id: string) => `#/components/schemas/${id}`, unrepresentable: "any" } as const;

function schemasOf(endpoints: readonly Endpoint[]): { inputs: Json; outputs: Json } {
  const inputs = z.registry<{ id: string }>();
  const outputs = z.registry<{ id: string }>();
  for (const { id, params, query, body, answer, line } of endpoints) {
    if (params !== null) inputs.add(params, { id: `${id}.path` });
    if (query !== null) inputs.add(query, { id: `${id}.query` });
    if (body !== null) inputs.add(body, { id: `${id}.body` });
    if (answer !== null) outputs.add(answer, { id: `${id}.answer` });
    // What is a component of its own already is named by that.
    if (line !== null && nameOf(line) === null) outputs.add(line, { id: `${id}.line` });
  }
  return {
    inputs: cleaned(z.toJSONSchema(inputs, { ...COMPONENTS, io: "input" }).schemas),
    outputs: cleaned(z.toJSONSchema(outputs, { ...COMPONENTS, io: "output" }).schemas),
  };
}

/** Where zod puts what several schemas name; here each is a component like the others. */
const SHARED = "__shared";

/** Without what is said once for the whole document. */
function cleaned(schemas: Readonly<Record<string, unknown>>): Json {
  const { [SHARED]: shared, ...own } = schemas as Readonly<Record<string, { readonly $defs?: Json }>>;
  const text = JSON.stringify({ ...shared?.$defs, ...own });
  const all: Json = JSON.parse(text.replaceAll(`/${SHARED}#/$defs/`, "/"));
  return Object.fromEntries(
    Object.entries(all).map(([id, schema]) => {
      const { $schema: _schema, $id: _id, ...rest } = schema as Record<string, unknown>;
      return [id, rest];
    }),
  );
}

function scopeWords(scope: Scope): string {
  return `\`${scope}\` (${SCOPE_MEANINGS[scope]})`;
}

function operationOf(endpoint: Endpoint, inputs: Json): Json {
  const { id, summary, area, scope, orScope, whose, body, takes } = endpoint;
  const needs = scope === null
    ? "Open to anybody."
    : `Needs the scope ${scopeWords(scope)}${orScope === null ? "" : ` or ${scopeWords(orScope)}`} ${
      whose === "instance" ? "on the instance" : "in the organisation"
    }.`;
  return {
    operationId: id,
    summary,
    description: needs,
    tags: [area],
    ...(scope === null ? { security: [] } : {}),
    "x-sluice-scope": scope,
    ...(orScope === null ? {} : { "x-sluice-or-scope": orScope }),
    "x-sluice-whose": whose,
    parameters: [
      ...parametersOf("path", inputs[`${id}.path`] as Json | undefined),
      ...parametersOf("query", inputs[`${id}.query`] as Json | undefined),
    ],
    ...(body === null ? {} : {
      requestBody: {
        required: true,
        content: { "application/json": { schema: { $ref: `#/components/schemas/${id}.body` } } },
      },
    }),
    ...(takes === null
      ? {}
      : { requestBody: { required: true, content: { [takes]: { schema: textOf(takes) } } } }),
    responses: {
      ...(endpoint.contentTypes.length === 0 ? { 204: { description: "Done" } } : {
        // What was made or begun is 201 or 202.
        [endpoint.method === "GET" ? "200" : "2XX"]: { description: "Done", content: contentOf(endpoint) },
      }),
      default: {
        description: "What is wrong",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

const LINES = "application/x-ndjson";

function contentOf(endpoint: Endpoint): Json {
  return Object.fromEntries(
    endpoint.contentTypes.map((type) => [type, { schema: schemaOf(endpoint, type) }]),
  );
}

/** Of one line where there are many. What is no JSON is text, or bytes where its type does not say so. */
function schemaOf({ id, answer, line }: Endpoint, type: string): Json {
  if (answer !== null) return { $ref: `#/components/schemas/${id}.answer` };
  if (type === LINES && line !== null) {
    return { $ref: `#/components/schemas/${nameOf(line) ?? `${id}.line`}` };
  }
  if (type === "application/json") return { type: "object" };
  return textOf(type);
}

function textOf(type: string): Json {
  return type.startsWith("text/") ? { type: "string" } : { type: "string", contentMediaType: type };
}

/** As the schema itself says; null: it does not. */
function nameOf(schema: z.ZodType): string | null {
  const id = z.globalRegistry.get(schema)?.id;
  return typeof id === "string" ? id : null;
}

function parametersOf(where: "path" | "query", schema: Json | undefined): readonly Json[] {
  if (schema === undefined) return [];
  const required = new Set((schema.required ?? []) as readonly string[]);
  return Object.entries((schema.properties ?? {}) as Readonly<Record<string, Json>>).map(([name, each]) => ({
    name,
    in: where,
    required: where === "path" || required.has(name),
    ...(typeof each.description === "string" ? { description: each.description } : {}),
    schema: each,
  }));
}
