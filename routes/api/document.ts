/** The API's own description, and nothing else that is open to anybody. */
import { type Endpoint, endpoint } from "./endpoint.ts";
import { openApiOf } from "./openapi.ts";

/** `endpoints` are described; this one describes itself too. */
export function documentEndpoints(endpoints: readonly Endpoint[], version: string): readonly Endpoint[] {
  const document: Endpoint = endpoint({
    id: "openApi",
    method: "GET",
    path: "/openapi.json",
    scope: null,
    whose: "address",
    area: "Description",
    summary: "This API as OpenAPI 3.1.",
    contentTypes: ["application/json"],
    handle: ({ site }) => ({ body: openApiOf([...endpoints, document], { site, version }) }),
  });
  return [document];
}
