/** What the pages of a document have in common: tabs above, changes in lines, buttons below. */
import type { Child } from "hono/jsx";
import { describeChanges } from "../../../policy/changes.ts";
import { ChangeLines } from "../change_lines.tsx";
import type { CallProblem, PageContext } from "../page.ts";
import { Notice, TextField } from "../ui.tsx";
import { type DocumentKind, pathOf } from "./kinds.ts";

export function Tabs({ context, kind, path }: {
  readonly context: PageContext;
  readonly kind: DocumentKind;
  /** Of the page that is shown. */
  readonly path: string;
}) {
  return (
    <nav class="tabs" aria-label={`Parts of the ${kind.title.toLowerCase()}`}>
      {kind.tabs.map((tab) => (
        <a href={pathOf(context, tab.path)} aria-current={tab.path === path ? "page" : undefined}>
          {tab.title}
        </a>
      ))}
    </nav>
  );
}

export function Changes({ before, after, none }: {
  readonly before: unknown;
  readonly after: unknown;
  /** Said where there is no line. */
  readonly none: string;
}) {
  const lines = describeChanges(before, after);
  if (lines.length === 0) return <p class="quiet">{none}</p>;
  return <ChangeLines lines={lines} />;
}

/** The one form of a page that holds a draft; a button elsewhere on the page names it. */
export const DRAFT = "draft";

/** Said to whoever may see a document and not change it. */
export const READ_ONLY = "You may read it; whoever has the role editor changes it.";

/**
 * A form whose buttons say (as `do`) whether it is saved, previewed or only shown again; for whoever may not change it,
 * its fields alone.
 */
export function DraftForm({ context, to = context.here, revision, label, isWide = false, children }: {
  readonly context: PageContext;
  /** Another page's address; default: this one's. */
  readonly to?: string;
  /** What the draft is made upon. */
  readonly revision: number;
  readonly label: string;
  readonly isWide?: boolean;
  readonly children?: Child;
}) {
  const look = isWide ? "stack wide" : "stack";
  if (!context.can("policy")) return <fieldset class={`${look} reading`} disabled>{children}</fieldset>;
  return (
    <form id={DRAFT} method="post" action={to} class={look} aria-label={label}>
      <input type="hidden" name="token" value={context.member.formToken} />
      <input type="hidden" name="action" value="edit" />
      <input type="hidden" name="revision" value={String(revision)} />
      <EnterKey />
      {children}
    </form>
  );
}

/** A browser takes a form's first button for the Enter key, and the first that is seen may take a row away. */
function EnterKey() {
  return (
    <button class="unseen" type="submit" name="do" value="preview" tabindex={-1} aria-hidden="true">
      Preview
    </button>
  );
}

/** What it was changed for, and the buttons. */
export function DraftButtons({ kind, message }: { readonly kind: DocumentKind; readonly message: string }) {
  return (
    <>
      <TextField
        name="message"
        label="What it is for"
        help="Kept in the history, with your name."
        value={message}
      />
      <div class="buttons">
        <button type="submit" name="do" value="preview">
          {kind.kind === "policy" ? "Preview" : "Check"}
        </button>
        <button class="quiet" type="submit" name="do" value="save">Save</button>
      </div>
    </>
  );
}

/** What could not be done, with what has no field of its own. */
export function Problem({ problem, shown = () => false }: {
  readonly problem: CallProblem | null;
  /** Whether a mistake stands beside its field. */
  readonly shown?: (field: string) => boolean;
}) {
  if (problem === null) return null;
  const rest = problem.errors.filter(({ field }) => !shown(field));
  return (
    <Notice kind="bad">
      <p>{problem.title}. Nothing was saved, and nothing of what you wrote is lost.</p>
      {rest.length === 0 ? null : (
        <ul>
          {rest.map(({ field, message }) => (
            <li>
              <code>{field.replace(/^body\.(document\.?)?/, "")}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
