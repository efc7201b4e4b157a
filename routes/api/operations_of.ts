/** The OpenAPI document read back as what a page shows of it. */
import { isJson, type Json } from "./schema_text.ts";

/** One operation of the document. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly area: string;
  readonly summary: string;
  readonly needs: string;
  readonly scope: string | null;
  readonly parameters: readonly Json[];
  readonly body: Json | null;
  /** By content type; empty: 204. */
  readonly answers: readonly (readonly [contentType: string, schema: Json])[];
}

/** In the order of the document; what has another form than openapi.ts gives it is left out. */
export function operationsOf({ paths }: Json): readonly Operation[] {
  return Object.entries(isJson(paths) ? paths : {}).flatMap(([path, methods]) =>
    Object.entries(isJson(methods) ? methods : {}).map(([method, operation]) =>
      operationOf(method.toUpperCase(), path, isJson(operation) ? operation : {})
    )
  );
}

function operationOf(method: string, path: string, operation: Json): Operation {
  const [area = ""] = Array.isArray(operation.tags) ? operation.tags : [];
  const responses = isJson(operation.responses) ? operation.responses : {};
  const body = contentOf(operation.requestBody)[0]?.[1] ?? null;
  return {
    id: String(operation.operationId),
    method,
    path,
    area: String(area),
    summary: String(operation.summary),
    needs: String(operation.description),
    scope: typeof operation["x-sluice-scope"] === "string" ? operation["x-sluice-scope"] : null,
    parameters: Array.isArray(operation.parameters) ? operation.parameters.filter(isJson) : [],
    body,
    answers: contentOf(responses["200"] ?? responses["2XX"]),
  };
}

function contentOf(holder: unknown): readonly (readonly [string, Json])[] {
  const content = isJson(holder) && isJson(holder.content) ? holder.content : {};
  return Object.entries(content).map(([type, media]) => [
    type,
    isJson(media) && isJson(media.schema) ? media.schema : {},
  ]);
}

/** In the order of the document. */
export function areasOf(
  operations: readonly Operation[],
): readonly (readonly [string, readonly Operation[]])[] {
  return [...Map.groupBy(operations, ({ area }) => area)];
}
