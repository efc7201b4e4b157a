/** Two people at once: what the other one changed, what this one did, and both together, to be saved after a look. */
import { rebase } from "../../../policy/rebase.ts";
import type { PageContext, View } from "../page.ts";
import { Notice, TextField, Time } from "../ui.tsx";
import type { Draft } from "./draft.ts";
import { Changes, DraftForm, Tabs } from "./frame.tsx";
import { current, historyOf, pathOf, type RevisionRow } from "./kinds.ts";

/** Nothing was saved; nothing of the draft is lost. */
export async function conflictView(context: PageContext, draft: Draft): Promise<View> {
  const { kind, base, document, form } = draft;
  const [now, history] = await Promise.all([current(context, kind), historyOf(context, kind)]);
  const since = history.filter(({ revision }) => revision > base.revision && revision <= now.revision);
  const joined = rebase({ base: base.document, mine: document, theirs: now.document });
  const body = (
    <>
      <Tabs context={context} kind={kind} path="" />
      <Notice kind="bad">
        It was changed while you were at it: you began upon revision {base.revision}, and revision{" "}
        {now.revision} is there. Nothing of yours was saved, and nothing is lost.
      </Notice>
      <h2>What changed meanwhile</h2>
      {since.map((row) => <Who context={context} row={row} />)}
      <Changes before={base.document} after={now.document} none="The document says what it said before." />
      <h2>What you changed</h2>
      <Changes before={base.document} after={document} none="Nothing." />
      <h2>What would be saved</h2>
      <p>Your changes, made upon revision {now.revision}:</p>
      {joined.both.length === 0 ? null : (
        <Notice kind="note">
          Both of you changed <code>{joined.both.join(", ")}</code>: what you wrote would hold.
        </Notice>
      )}
      <Changes
        before={now.document}
        after={joined.document}
        none="Nothing: the other change did it already."
      />
      <DraftForm
        context={context}
        to={pathOf(context, `${kind.path}/json`)}
        revision={now.revision}
        label="Save both"
      >
        <input type="hidden" name="text" value={JSON.stringify(joined.document, null, 2)} />
        <TextField name="message" label="What it is for" value={form.get("message") ?? ""} />
        <div class="buttons">
          <button type="submit" name="do" value="save">Save upon revision {now.revision}</button>
          {kind.kind === "policy"
            ? <button class="quiet" type="submit" name="do" value="preview">Preview</button>
            : null}
          <button class="quiet" type="submit" name="do" value="look">Edit it first</button>
          <a href={pathOf(context, kind.path)}>Leave mine</a>
        </div>
      </DraftForm>
    </>
  );
  return { kind: "page", title: `${kind.title}: changed meanwhile`, status: 409, body };
}

function Who({ context, row }: { readonly context: PageContext; readonly row: RevisionRow }) {
  return (
    <p>
      Revision {row.revision} by <b>{row.author}</b>, <Time at={row.at} now={context.now} />
      {row.message === "" ? "" : `: ${row.message}`}
    </p>
  );
}
