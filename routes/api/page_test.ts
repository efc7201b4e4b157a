import assert from "node:assert/strict";
import * as z from "zod";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { openApiOf } from "./openapi.ts";
import { run } from "../testing.ts";
import { apiPage } from "./page.tsx";
import { schemaText } from "./schema_text.ts";

const thing = z.object({ id: z.string(), tags: z.array(z.enum(["a", "b"])), at: z.iso.datetime().nullable() })
  .meta({ id: "Thing" });

const ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    id: "listThings",
    method: "GET",
    path: "/things",
    scope: "audit",
    whose: "address",
    area: "Things & <more>",
    summary: "Every <thing>.",
    query: z.strictObject({ limit: z.string().default("9").meta({ description: "Rows at most" }) }),
    answer: z.object({ things: z.array(thing) }),
    handle: () => ({ body: { things: [] } }),
  }),
  endpoint({
    id: "putThing",
    method: "PUT",
    path: "/things/{id...}",
    scope: "operate",
    whose: "instance",
    area: "Things & <more>",
    summary: "Replaces it.",
    params: z.object({ id: z.string() }),
    body: z.strictObject({ name: z.string(), more: z.record(z.string(), z.number()).optional() }),
    handle: () => ({ status: 204 }),
  }),
];

function page(accept: string) {
  const document = openApiOf(ENDPOINTS, { site: "http://s.example", version: "1" });
  return apiPage(accept, { document, prefix: "", site: "http://s.example" });
}

Deno.test("apiPage: HTML has each endpoint with area, scope, parameters and schemas, escaped, without script", async () => {
  const response = await page("text/html");
  const text = await response.text();
  for (
    const part of [
      "Things &amp; &lt;more&gt;",
      "Every &lt;thing&gt;.",
      "<b>GET</b> /things",
      "/things/{id}",
      "audit",
      "on the instance",
      "Rows at most",
      'href="#schema-Thing"',
      'id="schema-Thing"',
      "name: string;",
      "204, without a body.",
    ]
  ) assert.ok(text.includes(part), part);
  assert.doesNotMatch(text, /<script|style=|onclick|undefined|\[object/);
  assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  // Every link within the page leads somewhere.
  for (const [, id] of text.matchAll(/href="#([^"]+)"/g)) assert.ok(text.includes(`id="${id}"`), id);
});

Deno.test("openApiOf: what changes something answers with any 2xx, what is read with 200", () => {
  const made = endpoint({
    id: "makeThing",
    method: "POST",
    path: "/made",
    scope: "operate",
    whose: "address",
    area: "Things",
    summary: "Makes one.",
    answer: thing,
    handle: () => ({ status: 201, body: {} }),
  });
  const { paths } = openApiOf([...ENDPOINTS, made], { site: "", version: "1" }) as {
    paths: Record<string, Record<string, { responses: object }>>;
  };
  const codes = (path: string, method: string) => Object.keys(paths[path]![method]!.responses);
  assert.deepEqual(codes("/things", "get"), ["200", "default"]);
  assert.deepEqual(codes("/made", "post"), ["2XX", "default"]);
  assert.deepEqual(codes("/things/{id}", "put"), ["204", "default"]);
});

Deno.test("apiPage: text is a list, JSON the document itself", async () => {
  const text = await (await page("*/*")).text();
  assert.match(text, /GET +\/things +audit +Every <thing>\./);
  assert.match(text, /PUT +\/things\/\{id\} +operate/);
  assert.equal((await (await page("application/json")).json()).openapi, "3.1.0");
});

Deno.test("schemaText: choices, lists, records, defaults and descriptions as a person writes them", () => {
  const schemas = { Named: { type: "string" }, "x.body": { type: "object", properties: {} } };
  const rows = [
    [{ type: ["string", "null"] }, "string | null"],
    [{ type: "array", items: { enum: ["a", 1] } }, '("a" | 1)[]'],
    [{ type: "array", items: { $ref: "#/components/schemas/Named" } }, "<Named>[]"],
    [{ $ref: "#/components/schemas/x.body" }, "{}"],
    [{ $ref: "#/components/schemas/schema0" }, "any JSON"],
    [{ const: null }, "null"],
    [{}, "any JSON"],
    [{ type: "object", additionalProperties: { type: "integer" } }, "{\n  [name]: integer;\n}"],
    [
      {
        type: "object",
        required: ["a"],
        properties: { a: { type: "boolean", description: "Why" }, b: { default: 1 } },
      },
      "{\n  a: boolean;  // Why\n  b?: any JSON;  // default: 1\n}",
    ],
  ] as const;
  for (const [schema, shown] of rows) {
    const text = schemaText(schema, schemas).map((piece) =>
      typeof piece === "string" ? piece : `<${piece.ref}>`
    );
    assert.equal(text.join(""), shown);
  }
});

Deno.test("GET /-/api/v1/: a page for browsers, linked from the welcome page, read only; below it is the API", async () => {
  await using running = run();
  const html = { accept: "text/html" };
  const welcome = await running.ask("/", { headers: html });
  const link = /href="([^"]*\/-\/api\/v1\/)"/.exec(welcome.text)?.[1];
  assert.ok(link, welcome.text);
  for (const path of [new URL(link).pathname, "/-/api/v1"]) {
    const page = await running.ask(path, { headers: html });
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type") ?? "", /text\/html/);
    assert.equal((await running.ask(path, { method: "HEAD", headers: html })).body.length, 0);
    assert.equal((await running.ask(path, { method: "POST" })).status, 405);
  }
  const missing = await running.ask("/-/api/v1/nothing", { headers: html });
  assert.equal(missing.status, 404);
  assert.match(missing.headers.get("content-type") ?? "", /problem\+json/);
  assert.equal((await running.ask("/-/api/v2", { headers: html })).status, 404);
});
