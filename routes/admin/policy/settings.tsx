/** Policy: every setting with its meaning, its default and its effect, for the organisation and for each ecosystem. */
import type { AdminPage, PageContext, View } from "../page.ts";
import { Notice } from "../ui.tsx";
import { isView, tryDraft } from "./draft.ts";
import { DraftButtons, DraftForm, Problem, READ_ONLY, Tabs } from "./frame.tsx";
import { baseOf, current, pathOf, POLICY } from "./kinds.ts";
import { PreviewShown } from "./preview_shown.tsx";
import { ORGANISATION, type Section, sectionsOf, settingsFromForm } from "./settings_form.ts";
import { EcosystemFields, Fields } from "./settings_row.tsx";
import type { Drawn, Effective } from "./settings_words.tsx";

export const POLICY_SETTINGS: AdminPage = {
  path: "policy",
  title: "Policy",
  scope: "audit",
  isInMenu: true,
  notices: { saved: "Saved. It is in force within a second." },
  async show(context) {
    const base = await current(context, POLICY);
    const effective = await effectiveOf(context);
    return page({ context, base, document: base.document, form: null, tried: null, effective });
  },
  actions: {
    edit: {
      scope: "policy",
      async run(context, form) {
        const [base, effective] = await Promise.all([baseOf(context, POLICY, form), effectiveOf(context)]);
        const sections = [
          ORGANISATION,
          ...sectionsOf(base.document, effective.map((each) => each.ecosystem)),
        ];
        const document = settingsFromForm(base.document, form, sections);
        const tried = await tryDraft(context, { kind: POLICY, base, document, form, after: POLICY.path });
        return isView(tried) ? tried : page({ context, base, document, form, tried, effective });
      },
    },
  },
};

async function effectiveOf(context: PageContext): Promise<readonly Effective[]> {
  const params = { organisation: context.organisation.id };
  return (await context.must<{ readonly ecosystems: readonly Effective[] }>("effectivePolicy", { params }))
    .ecosystems;
}

function page(drawn: Drawn): View {
  const { context, base, tried, effective, document } = drawn;
  const sections = sectionsOf(document, effective.map(({ ecosystem }) => ecosystem));
  const all = [ORGANISATION, ...sections];
  const mayEdit = context.can("policy");
  const body = (
    <>
      <Tabs context={context} kind={POLICY} path={POLICY.path} />
      <p class="lead">
        What this organisation lets through. Where nothing is written the default holds; what is saved is in
        force within a second. This is revision {base.revision}
        {base.author === "" ? "" : ` by ${base.author}`}. {mayEdit ? null : READ_ONLY}
      </p>
      <Problem
        problem={tried?.problem ?? null}
        shown={(field) => all.some((section) => hasField(section, field))}
      />
      {tried?.word === "same" ? <Notice kind="note">This is what it says already.</Notice> : null}
      {tried?.preview ? <PreviewShown context={context} preview={tried.preview} /> : null}
      <DraftForm context={context} revision={base.revision} label="Settings" isWide>
        <Fields drawn={drawn} section={ORGANISATION} />
        <h2>For one ecosystem</h2>
        <p>What is set here holds there instead; all else is as the organisation has it.</p>
        {sections.map((section) => <EcosystemFields drawn={drawn} section={section} />)}
        <h2>Webhooks</h2>
        <p>
          {webhookWords(document)} {mayEdit
            ? (
              <>
                Their addresses are secrets and stay as they are:{" "}
                <a href={pathOf(context, "webhooks")}>add, test or take one away</a>.
              </>
            )
            : null}
        </p>
        {mayEdit
          ? (
            <>
              <h2>Save</h2>
              <DraftButtons kind={POLICY} message={drawn.form?.get("message") ?? ""} />
            </>
          )
          : null}
      </DraftForm>
    </>
  );
  return { kind: "page", status: tried?.problem?.status ?? 200, body };
}

function hasField({ prefix, fields }: Section, field: string): boolean {
  return fields.some(({ key }) => field === `body.${prefix}${key}`);
}

function webhookWords(document: unknown): string {
  const hooks = (document as { readonly webhooks?: unknown }).webhooks;
  const many = Array.isArray(hooks) ? hooks.length : 0;
  if (many === 0) return "There is none.";
  return many === 1 ? "There is one." : `There are ${many}.`;
}
