/** The lists of a document: looked through, and changed entry by entry; of the policy and of the floor. */
import { entriesOf } from "../../../policy/entries.ts";
import type { AdminPage, PageContext, View } from "../page.ts";
import { Notice } from "../ui.tsx";
import { isView, tryDraft } from "./draft.ts";
import { DraftButtons, DraftForm, Problem, READ_ONLY, Tabs } from "./frame.tsx";
import { baseOf, current, type DocumentKind } from "./kinds.ts";
import type { Drawn } from "./lists_drawn.ts";
import { emptyRow, filtered, filterFrom, keyOf, listsFromForm, readListsForm, rowOf } from "./lists_form.ts";
import { RowFields } from "./lists_row.tsx";
import { Found, Search } from "./lists_table.tsx";
import { PreviewShown } from "./preview_shown.tsx";

export function listsPage(kind: DocumentKind, words: {
  readonly path: string;
  readonly isInMenu?: boolean;
}): AdminPage {
  const { path } = words;
  return {
    path,
    title: kind.title,
    ...(kind.kind === "floor" ? { scope: "policy", isForInstance: true } : { scope: "audit" }),
    ...(words.isInMenu === true ? { isInMenu: true } : {}),
    notices: { saved: "Saved. It is in force within a second." },
    async show(context) {
      const base = await current(context, kind);
      const entries = entriesOf(base.document);
      const asked = new Set(context.query.getAll("edit"));
      const opened = entries.filter(({ place }) => asked.has(keyOf(place))).map(rowOf);
      const rows = !context.can("policy")
        ? []
        : entries.length === 0 || context.query.has("add")
        ? [...opened, emptyRow([], context.member.user)]
        : opened;
      return page({
        ...{ context, kind, path, base, entries },
        ...placeIn(context.query),
        form: { rows, removed: new Set() },
        message: "",
        tried: null,
        places: new Map(),
      });
    },
    actions: { edit: { scope: "policy", run: (context, form) => edited(context, { kind, path }, form) } },
  };
}

async function edited(
  context: PageContext,
  { kind, path }: { readonly kind: DocumentKind; readonly path: string },
  sent: URLSearchParams,
): Promise<View> {
  const base = await baseOf(context, kind, sent);
  const entries = entriesOf(base.document);
  const read = readListsForm(sent, new Map(entries.map((entry) => [keyOf(entry.place), entry])));
  const isAdding = sent.get("do") === "add";
  const form = isAdding ? { ...read, rows: [...read.rows, emptyRow(read.rows, context.member.user)] } : read;
  const { document, places } = listsFromForm(base.document, form, kind.kind);
  const tried = await tryDraft(context, { kind, base, document, form: sent, after: path });
  if (isView(tried)) return tried;
  const message = sent.get("message") ?? "";
  return page({ context, kind, path, base, entries, ...placeIn(sent), form, message, tried, places });
}

/** Which part of the lists is looked at. */
function placeIn(given: URLSearchParams): Pick<Drawn, "filter" | "from"> {
  const from = /^\d{1,6}$/.test(given.get("from") ?? "") ? Number(given.get("from")) : 0;
  return { filter: filterFrom(given), from };
}

function page(drawn: Drawn): View {
  const { context, kind, path, base, filter, form, tried, entries, from } = drawn;
  const found = filtered(entries, filter, context.now);
  const problem = tried?.problem ?? null;
  const body = (
    <>
      <Tabs context={context} kind={kind} path={path} />
      <p class="lead">{LEADS[kind.kind]}</p>
      <Problem problem={problem} shown={(field) => isShown(drawn, field)} />
      {tried?.word === "same" ? <Notice kind="note">Nothing was changed.</Notice> : null}
      {tried?.word === "checked" ? <Notice kind="good">There is no mistake in it.</Notice> : null}
      {tried?.preview ? <PreviewShown context={context} preview={tried.preview} /> : null}
      {entries.length === 0 ? null : <Search drawn={drawn} />}
      {context.can("policy") ? null : (
        <>
          <p>{READ_ONLY}</p>
          <Found drawn={drawn} found={found} />
        </>
      )}
      {!context.can("policy")
        ? null
        : (
          <DraftForm context={context} revision={base.revision} label="Entries" isWide>
            <input type="hidden" name="q" value={filter.q} />
            <input type="hidden" name="which" value={filter.which} />
            <input type="hidden" name="from" value={String(from)} />
            <Found drawn={drawn} found={found} />
            {form.rows.map((row) => <RowFields drawn={drawn} row={row} />)}
            <div class="buttons">
              <button class="quiet" type="submit" name="do" value="add">Add an entry</button>
            </div>
            <DraftButtons kind={kind} message={drawn.message} />
          </DraftForm>
        )}
    </>
  );
  return { kind: "page", status: problem?.status ?? 200, body };
}

const LEADS = {
  policy:
    "Allows and denials, the most specific first; on a tie the denial wins. Each may say why, whose it is " +
    "and when it ends.",
  floor:
    "Denials that hold for every organisation of this instance: nothing lifts them, nor observes them away.",
} as const;

function isShown({ places }: Drawn, field: string): boolean {
  return [...places.values()].some((place) => place !== "" && field.startsWith(`body.document.${place}`));
}
