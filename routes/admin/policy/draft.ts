/** A draft on its way: previewed, or saved upon the revision that it was made upon, or met by somebody else's change. */
import type { CallProblem, PageContext, View } from "../page.ts";
import { conflictView } from "./conflict.tsx";
import { type DocumentKind, paramsOf, pathOf, type Revisioned } from "./kinds.ts";
import type { PolicyPreview } from "./preview_shown.tsx";

/** What is said of a draft that is shown again. */
export interface Tried {
  readonly problem: CallProblem | null;
  readonly preview: PolicyPreview | null;
  /** `checked`: there is no mistake in it; `same`: it says what is there already. */
  readonly word: "checked" | "same" | null;
}

export interface Draft {
  readonly kind: DocumentKind;
  readonly base: Revisioned;
  readonly document: unknown;
  readonly form: URLSearchParams;
  /** Where one is once it is saved. */
  readonly after: string;
}

const NOTHING: Tried = { problem: null, preview: null, word: null };

/** A View where the page is left; else what to say above the draft. */
export async function tryDraft(context: PageContext, draft: Draft): Promise<View | Tried> {
  switch (draft.form.get("do")) {
    case "preview":
      return await previewed(context, draft);
    case "save":
      return await saved(context, draft);
    default:
      return NOTHING;
  }
}

export function isView(given: View | Tried): given is View {
  return "kind" in given;
}

async function previewed(context: PageContext, { kind, document }: Draft): Promise<Tried> {
  const params = paramsOf(context, kind);
  const body = { document };
  if (kind.kind === "policy") {
    const called = await context.call<PolicyPreview>("previewPolicy", { params, body });
    return called.ok ? { ...NOTHING, preview: called.body } : { ...NOTHING, problem: called.problem };
  }
  const { mistakes } = await context.must<{ readonly mistakes: readonly Mistake[] }>(kind.ids.validate, {
    params,
    body,
  });
  return mistakes.length === 0
    ? { ...NOTHING, word: "checked" }
    : { ...NOTHING, problem: problemOf(mistakes) };
}

interface Mistake {
  readonly path: string;
  readonly value: string;
  readonly expected: string;
}

function problemOf(mistakes: readonly Mistake[]): CallProblem {
  return {
    status: 422,
    code: "invalid-policy",
    title: mistakes.length === 1 ? "There is a mistake" : `There are ${mistakes.length} mistakes`,
    errors: mistakes.map(({ path, value, expected }) => ({
      field: `body.document${path === "" ? "" : `.${path}`}`,
      message: `${value}: expected ${expected}`,
    })),
  };
}

async function saved(context: PageContext, draft: Draft): Promise<View | Tried> {
  const { kind, base, document, form, after } = draft;
  if (JSON.stringify(document) === JSON.stringify(base.document)) return { ...NOTHING, word: "same" };
  const message = form.get("message")?.trim() ?? "";
  const called = await context.call(kind.ids.put, {
    params: paramsOf(context, kind),
    body: { document, expectedRevision: base.revision, ...(message === "" ? {} : { message }) },
  });
  if (called.ok) return { kind: "redirect", to: pathOf(context, after, { done: "saved" }) };
  if (called.problem.code === "conflict") return await conflictView(context, draft);
  return { ...NOTHING, problem: called.problem };
}
