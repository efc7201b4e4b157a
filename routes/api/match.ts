/** From a method and decoded segments to a row of a table: the API's, or the pages'. */

/** What a row must say to be found. */
export interface Row {
  readonly method: string;
  readonly path: string;
}

export type Match<T extends Row> =
  | {
    readonly kind: "found";
    readonly endpoint: T;
    readonly params: Readonly<Record<string, string>>;
  }
  /** There is something at this path, for these methods. */
  | { readonly kind: "method"; readonly allow: string }
  | { readonly kind: "none" };

type Part =
  | { readonly kind: "exact"; readonly text: string }
  | { readonly kind: "one" | "rest"; readonly name: string };

export type Matcher<T extends Row> = (method: string, segments: readonly string[]) => Match<T>;

/** The first row that fits wins; `segments` are below the table's own root. Throws TypeError for two rows of one shape. */
export function createMatcher<T extends Row>(endpoints: readonly T[]): Matcher<T> {
  const rows = endpoints.map((endpoint) => ({ endpoint, parts: partsOf(endpoint.path) }));
  const shapes = new Set<string>();
  for (const { endpoint: { method }, parts } of rows) {
    const shape = `${method} ${
      parts.map((part) => part.kind === "exact" ? part.text : `{${part.kind}}`).join("/")
    }`;
    if (shapes.has(shape)) throw new TypeError(`Cannot mount two endpoints at ${shape}`);
    shapes.add(shape);
  }

  return function match(method, segments) {
    const fitting = rows.flatMap(({ endpoint, parts }) => {
      const params = paramsOf(parts, segments);
      return params === null ? [] : [{ endpoint, params }];
    });
    // HEAD is GET without its body, here as everywhere.
    const found = fitting.find(({ endpoint }) => endpoint.method === (method === "HEAD" ? "GET" : method));
    if (found !== undefined) return { kind: "found", ...found };
    if (fitting.length === 0) return { kind: "none" };
    return { kind: "method", allow: fitting.map(({ endpoint }) => endpoint.method).join(", ") };
  };
}

function partsOf(path: string): readonly Part[] {
  return path.slice(1).split("/").map((text) => {
    const name = /^\{([A-Za-z]+)(\.\.\.)?\}$/.exec(text);
    if (name === null) return { kind: "exact", text };
    return { kind: name[2] === undefined ? "one" : "rest", name: name[1]! };
  });
}

/** null: it does not fit. What is left for a `rest` keeps its slashes, encoded ones too. */
function paramsOf(parts: readonly Part[], segments: readonly string[]): Record<string, string> | null {
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const segment = segments[index];
    if (segment === undefined || segment === "") return null;
    if (part.kind === "rest") return { ...params, [part.name]: segments.slice(index).join("/") };
    if (part.kind === "exact" && part.text !== segment) return null;
    if (part.kind === "one") params[part.name] = segment;
  }
  return segments.length === parts.length ? params : null;
}
