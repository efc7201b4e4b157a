/** `GET /-/api/v1/`: the OpenAPI document as a page, area by area; made of that document and nothing else. */
import { htmlPage, jsonPage, textPage } from "../page.tsx";
import { preferredForm } from "../text.ts";
import { areasOf, type Operation, operationsOf } from "./operations_of.ts";
import { isJson, type Json, type Piece, schemaText } from "./schema_text.ts";

export interface ApiPage {
  /** As openapi.ts makes it. */
  readonly document: Json;
  /** The base address's own path, no trailing slash. */
  readonly prefix: string;
  /** What precedes `/-/…`. */
  readonly site: string;
}

const LEAD =
  "What Sluice can be asked and told. A token goes along as Authorization: Bearer TOKEN; what is wrong is told as problem details (RFC 9457), with the field's name.";

/** HTML for a browser, the document itself where JSON is asked for, a list for everybody else. */
export async function apiPage(accept: string | null, page: ApiPage): Promise<Response> {
  const operations = operationsOf(page.document);
  switch (preferredForm(accept)) {
    case "json":
      return jsonPage(page.document);
    case "html":
      return await htmlOf(operations, page);
    case "text":
      return textPage(textOf(operations, page.site));
  }
}

function textOf(operations: readonly Operation[], site: string): string {
  const width = Math.max(...operations.map(({ path }) => path.length));
  const sections = areasOf(operations).map(([area, own]) =>
    [
      area,
      ...own.map(({ method, path, scope, summary }) =>
        `  ${method.padEnd(6)} ${path.padEnd(width)}  ${(scope ?? "(open)").padEnd(8)} ${summary}`
      ),
      "",
    ].join("\n")
  );
  return [`${site}/-/api/v1`, LEAD, "", ...sections, `Schemas: curl ${site}/-/api/v1/openapi.json`].join(
    "\n",
  );
}

async function htmlOf(
  operations: readonly Operation[],
  { document, prefix, site }: ApiPage,
): Promise<Response> {
  const components = isJson(document.components) ? document.components : {};
  const schemas = isJson(components.schemas) ? components.schemas : {};
  const shared = Object.entries(schemas).filter(([name]) => !name.includes(".") && !/^schema\d+$/.test(name));
  const areas = areasOf(operations);
  return await htmlPage({
    title: "Sluice: API",
    prefix,
    children: (
      <>
        <h1>API</h1>
        <p class="lead">{LEAD}</p>
        <p>
          <code>{`${site}/-/api/v1`}</code>, also as{" "}
          <a href={`${site}/-/api/v1/openapi.json`}>OpenAPI 3.1</a>.
        </p>
        <nav>
          {areas.map(areaLink)}
          <a href="#schemas">Schemas</a>
        </nav>
        {areas.map(([area, own]) => (
          <section>
            <h2 id={anchor(area)}>{area}</h2>
            <div class="list">{own.map((each) => operationPart(each, schemas))}</div>
          </section>
        ))}
        <h2 id="schemas">Schemas</h2>
        {shared.map(([name, schema]) => (
          <section>
            <h3 id={`schema-${name}`}>{name}</h3>
            <SchemaPart schema={isJson(schema) ? schema : {}} schemas={schemas} />
          </section>
        ))}
        <footer>
          <a href={`${site}/`}>Sluice</a>
        </footer>
      </>
    ),
  });
}

function areaLink([area]: readonly [string, unknown]) {
  return <a href={`#${anchor(area)}`}>{area}</a>;
}

function operationPart(operation: Operation, schemas: Json) {
  const { id, method, path, summary, needs, scope, parameters, body, answers } = operation;
  return (
    <details id={id}>
      <summary>
        <code>
          <b>{method}</b> {path}
        </code>
        <span class="mark">{scope ?? "open"}</span>
        <span class="quiet">{summary}</span>
      </summary>
      <p>{needs.replaceAll("`", "")}</p>
      {parameters.length === 0 ? null : <ParameterPart parameters={parameters} schemas={schemas} />}
      {body === null ? null : (
        <>
          <h4>Body</h4>
          <SchemaPart schema={body} schemas={schemas} />
        </>
      )}
      <h4>Answer</h4>
      {answers.length === 0 ? <p>204, without a body.</p> : answers.map(([type, schema]) => (
        <>
          <p class="quiet">{type}</p>
          {Object.keys(schema).length === 0 ? null : <SchemaPart schema={schema} schemas={schemas} />}
        </>
      ))}
    </details>
  );
}

function ParameterPart(
  { parameters, schemas }: { readonly parameters: readonly Json[]; readonly schemas: Json },
) {
  return (
    <>
      <h4>Parameters</h4>
      <dl>
        {parameters.map(({ name, in: where, required, description, schema }) => (
          <div>
            <dt>
              <code>{String(name)}</code> in the {String(where)}
              {required === true ? "" : ", optional"}
            </dt>
            <dd>
              <Pieces pieces={schemaText(isJson(schema) ? schema : {}, schemas)} />
              {typeof description === "string" ? <span class="quiet">{` ${description}`}</span> : null}
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function SchemaPart({ schema, schemas }: { readonly schema: Json; readonly schemas: Json }) {
  return (
    <pre tabindex={0}>
      <Pieces pieces={schemaText(schema, schemas)} />
    </pre>
  );
}

function Pieces({ pieces }: { readonly pieces: readonly Piece[] }) {
  return (
    <code>
      {pieces.map(pieceText)}
    </code>
  );
}

function pieceText(piece: Piece) {
  if (typeof piece === "string") return piece;
  return <a href={`#schema-${piece.ref}`}>{piece.ref}</a>;
}

function anchor(area: string): string {
  return `area-${area.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
}
