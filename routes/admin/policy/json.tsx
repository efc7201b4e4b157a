/** A whole document as JSON, with every mistake in its place in the text. */
import type { AdminPage, CallProblem, PageContext, View } from "../page.ts";
import { Notice, TextArea } from "../ui.tsx";
import { isView, type Tried, tryDraft } from "./draft.ts";
import { DraftButtons, DraftForm, READ_ONLY, Tabs } from "./frame.tsx";
import { locateMistakes, readJsonText, type TextMistake } from "./json_places.ts";
import { baseOf, current, type DocumentKind } from "./kinds.ts";
import { PreviewShown } from "./preview_shown.tsx";

interface Drawn {
  readonly context: PageContext;
  readonly kind: DocumentKind;
  readonly revision: number;
  readonly text: string;
  readonly message: string;
  readonly tried: Tried | null;
  readonly mistakes: readonly TextMistake[];
}

/** A form is 2 MiB at most, and takes three characters for each quotation mark. */
const MAX_TEXT = 700_000;
const MISTAKEN = 422;

export function jsonPage(kind: DocumentKind): AdminPage {
  const path = `${kind.path}/json`;
  return {
    path,
    title: kind.title,
    ...(kind.kind === "floor" ? { scope: "policy", isForInstance: true } : { scope: "audit" }),
    notices: { saved: "Saved. It is in force within a second." },
    async show(context) {
      const { revision, document } = await current(context, kind);
      const text = JSON.stringify(document, null, 2);
      return page({ context, kind, revision, text, message: "", tried: null, mistakes: [] });
    },
    actions: { edit: { scope: "policy", run: (context, form) => edited(context, kind, form) } },
  };
}

async function edited(context: PageContext, kind: DocumentKind, form: URLSearchParams): Promise<View> {
  const base = await baseOf(context, kind, form);
  // As a browser sends lines of a text.
  const text = (form.get("text") ?? "").replaceAll("\r\n", "\n");
  const drawn = { context, kind, revision: base.revision, text, message: form.get("message") ?? "" };
  const read = readJsonText(text);
  if (!read.ok) return page({ ...drawn, tried: null, mistakes: read.mistakes });
  const tried = await tryDraft(context, {
    kind,
    base,
    document: read.document,
    form,
    after: `${kind.path}/json`,
  });
  return isView(tried) ? tried : page({ ...drawn, tried, mistakes: mistakesOf(tried.problem, text) });
}

function mistakesOf(problem: CallProblem | null, text: string): readonly TextMistake[] {
  const errors = problem?.errors ?? [];
  return locateMistakes(
    text,
    errors.map(({ field, message }) => ({ place: field.replace(/^body\.document\.?/, ""), message })),
  );
}

function page(drawn: Drawn): View {
  const { context, kind, revision, text, tried, mistakes, message } = drawn;
  const status = tried?.problem?.status ?? (mistakes.length > 0 ? MISTAKEN : 200);
  const [first] = mistakes;
  const isTooLong = text.length > MAX_TEXT;
  const body = (
    <>
      <Tabs context={context} kind={kind} path={`${kind.path}/json`} />
      <p class="lead">
        All of it as it is written, revision {revision}; what is not there has its default.
        {kind.kind === "policy"
          ? (
            <>
              {" "}
              A webhook's address is shown as{" "}
              <code>(set)</code>, and stays what it is where that is left. The schema is at{" "}
              <a href={`${context.prefix}/-/schema/policy.json`}>/-/schema/policy.json</a>.
            </>
          )
          : null}
      </p>
      {tried?.problem && mistakes.length === 0 ? <Notice kind="bad">{tried.problem.title}</Notice> : null}
      {mistakes.length === 0 ? null : <Mistakes mistakes={mistakes} />}
      {tried?.word === "same" ? <Notice kind="note">This is what it says already.</Notice> : null}
      {tried?.word === "checked" ? <Notice kind="good">There is no mistake in it.</Notice> : null}
      {tried?.preview ? <PreviewShown context={context} preview={tried.preview} /> : null}
      {!context.can("policy")
        ? (
          <>
            <p>{READ_ONLY}</p>
            <pre class="mono code" tabindex={0}>{text}</pre>
          </>
        )
        : isTooLong
        ? (
          <Notice kind="note">
            This document is too long for a form. Change it by its lists, or with{" "}
            <code>deno task org edit</code>.
          </Notice>
        )
        : (
          <DraftForm context={context} revision={revision} label="The document" isWide>
            <TextArea
              name="text"
              label="The document as JSON"
              value={text}
              rows={Math.min(40, Math.max(12, text.split("\n").length + 2))}
              isCode
              error={first === undefined
                ? null
                : `Line ${first.line}, column ${first.column}: ${first.message}`}
            />
            <DraftButtons kind={kind} message={message} />
          </DraftForm>
        )}
    </>
  );
  return { kind: "page", status, body };
}

function Mistakes({ mistakes }: { readonly mistakes: readonly TextMistake[] }) {
  return (
    <Notice kind="bad">
      <p>
        {mistakes.length === 1 ? "There is a mistake in it." : `There are ${mistakes.length} mistakes in it.`}
        {" "}
        Nothing was saved, and nothing of what you wrote is lost.
      </p>
      <ol class="mistakes">
        {mistakes.map(({ line, column, message, excerpt, indent }) => (
          <li>
            <b>Line {line}, column {column}</b>: {message}
            <pre
              class="mono"
              tabindex={0}
            >{`${line} | ${excerpt}\n${" ".repeat(String(line).length + 3 + indent)}^`}</pre>
          </li>
        ))}
      </ol>
    </Notice>
  );
}
