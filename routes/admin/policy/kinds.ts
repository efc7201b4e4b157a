/** The two documents that these pages edit, an organisation's policy and the instance's floor, behind the same verbs. */
import type { PageContext } from "../page.ts";

/** A document as the API shows it: secrets are `(set)`. */
export interface Revisioned {
  readonly revision: number;
  readonly at: string | null;
  readonly author: string;
  readonly message: string;
  readonly document: unknown;
}

export type RevisionRow = Omit<Revisioned, "document">;

export interface DocumentKind {
  readonly kind: "policy" | "floor";
  /** Its first page, below the organisation's. */
  readonly path: string;
  readonly title: string;
  readonly tabs: readonly { readonly path: string; readonly title: string }[];
  /** The API's endpoints. */
  readonly ids: {
    readonly get: string;
    readonly put: string;
    readonly validate: string;
    readonly history: string;
    readonly restore: string;
  };
}

export const POLICY: DocumentKind = {
  kind: "policy",
  path: "policy",
  title: "Policy",
  tabs: [
    { path: "policy", title: "Settings" },
    { path: "policy/lists", title: "Lists" },
    { path: "policy/freezes", title: "Freezes" },
    { path: "policy/json", title: "Raw JSON" },
    { path: "policy/history", title: "History" },
  ],
  ids: idsOf("Policy"),
};

export const FLOOR: DocumentKind = {
  kind: "floor",
  path: "floor",
  title: "Floor",
  tabs: [
    { path: "floor", title: "Denials" },
    { path: "floor/json", title: "Raw JSON" },
    { path: "floor/history", title: "History" },
  ],
  ids: idsOf("Floor"),
};

function idsOf(name: "Policy" | "Floor"): DocumentKind["ids"] {
  return {
    get: `get${name}`,
    put: `put${name}`,
    validate: `validate${name}`,
    history: `list${name}Revisions`,
    restore: `restore${name}`,
  };
}

/** What the endpoints of this document need in their path. */
export function paramsOf(context: PageContext, { kind }: DocumentKind): Readonly<Record<string, string>> {
  return kind === "policy" ? { organisation: context.organisation.id } : {};
}

export async function current(context: PageContext, kind: DocumentKind): Promise<Revisioned> {
  return await context.must<Revisioned>(kind.ids.get, { params: paramsOf(context, kind) });
}

/** What a form says that it was made upon. Throws PageProblem where there is no such revision any more. */
export async function baseOf(
  context: PageContext,
  kind: DocumentKind,
  form: URLSearchParams,
): Promise<Revisioned> {
  const written = form.get("revision") ?? "";
  const revision = /^\d{1,9}$/.test(written) ? Number(written) : 0;
  return await revisionOf(context, kind, revision);
}

/** 0: what there was before anything was written. */
export async function revisionOf(
  context: PageContext,
  kind: DocumentKind,
  revision: number,
): Promise<Revisioned> {
  if (revision === 0) return { revision: 0, at: null, author: "", message: "", document: {} };
  const params = paramsOf(context, kind);
  return await context.must<Revisioned>(kind.ids.get, { params, query: { revision } });
}

export async function historyOf(context: PageContext, kind: DocumentKind): Promise<readonly RevisionRow[]> {
  const { revisions } = await context.must<{ readonly revisions: readonly RevisionRow[] }>(kind.ids.history, {
    params: paramsOf(context, kind),
  });
  return revisions;
}

export function pathOf(
  context: PageContext,
  path: string,
  query?: Readonly<Record<string, string | null>>,
): string {
  return context.path(path.split("/"), query);
}
