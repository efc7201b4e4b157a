/** Policy: every setting with its meaning, its default and its effect, for the organisation and for each ecosystem. */
import type { AdminPage, CallProblem, PageContext, View } from "../page.ts";
import { errorOf } from "../page.ts";
import { Field, Notice, Select, TextField } from "../ui.tsx";
import { isView, type Tried, tryDraft } from "./draft.ts";
import { DraftButtons, DraftForm, Problem, Tabs } from "./frame.tsx";
import { baseOf, current, pathOf, POLICY, type Revisioned } from "./kinds.ts";
import { PreviewShown } from "./preview_shown.tsx";
import type { SettingField } from "./settings_fields.ts";
import {
  observedOf,
  ORGANISATION,
  OWN_RULES,
  type Section,
  sectionsOf,
  settingsFromForm,
  settingsOf,
  writtenOf,
} from "./settings_form.ts";

/** What holds in one ecosystem, as the API has it. */
interface Effective {
  readonly ecosystem: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Everything that the form is drawn from. */
interface Drawn {
  readonly context: PageContext;
  readonly base: Revisioned;
  readonly document: unknown;
  readonly form: URLSearchParams | null;
  readonly tried: Tried | null;
  readonly effective: readonly Effective[];
}

export const POLICY_SETTINGS: AdminPage = {
  path: "policy",
  title: "Policy",
  scope: "policy",
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
  const body = (
    <>
      <Tabs context={context} kind={POLICY} path={POLICY.path} />
      <p class="lead">
        What this organisation lets through. Where nothing is written the default holds; what is saved is in
        force within a second. This is revision {base.revision}
        {base.author === "" ? "" : ` by ${base.author}`}.
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
          {webhookWords(document)} Their addresses are secrets and stay as they are:{" "}
          <a href={pathOf(context, "webhooks")}>add, test or take one away</a>.
        </p>
        <h2>Save</h2>
        <DraftButtons kind={POLICY} message={drawn.form?.get("message") ?? ""} />
      </DraftForm>
    </>
  );
  return { kind: "page", status: tried?.problem?.status ?? 200, body };
}

function hasField({ prefix, fields }: Section, field: string): boolean {
  return fields.some(({ key }) => field === `body.${prefix}${key}`);
}

function EcosystemFields({ drawn, section }: { readonly drawn: Drawn; readonly section: Section }) {
  const settings = settingsOf(drawn.document, section);
  const own = Object.keys(settings);
  const isWrong = drawn.tried?.problem?.errors.some(({ field }) =>
    field.startsWith(`body.${section.prefix}`)
  );
  return (
    <details class="card" open={own.length > 0 || isWrong === true}>
      <summary>
        <b>{section.ecosystem}</b>{" "}
        <span class="quiet">
          {own.length === 0 ? "as the organisation has it" : `with its own: ${own.join(", ")}`}
        </span>
      </summary>
      <Fields drawn={drawn} section={section} />
    </details>
  );
}

function Fields({ drawn, section }: { readonly drawn: Drawn; readonly section: Section }) {
  return (
    <div class="settings">
      {section.fields.map((field) =>
        field.kind === "rules"
          ? <Rules drawn={drawn} section={section} field={field} />
          : <Setting drawn={drawn} section={section} field={field} />
      )}
    </div>
  );
}

interface Drawing {
  readonly drawn: Drawn;
  readonly section: Section;
  readonly field: SettingField;
}

function Setting({ drawn, section, field }: Drawing) {
  const name = `${section.prefix}${field.key}`;
  const written = writtenOf(settingsOf(drawn.document, section), field.key);
  const value = drawn.form?.get(name) ?? written;
  const common = {
    name,
    label: labelOf(section, field),
    help: <Help drawn={drawn} section={section} field={field} />,
    error: errorOf(drawn.tried?.problem ?? null, name) ?? wholeError(drawn.tried?.problem ?? null, name),
    value,
  };
  if (field.kind === "duration") {
    return <TextField {...common} placeholder={section.ecosystem === null ? field.fallback : ""} />;
  }
  const inherited = section.ecosystem === null
    ? `default (${fallbackWord(field)})`
    : "as the organisation has it";
  return <Select {...common} options={[{ value: "", label: inherited }, ...field.options]} />;
}

/** Of a setting with two parts, what is wrong with all of it is said at the first. */
function wholeError(problem: CallProblem | null, name: string): string | null {
  const whole = /^(.*)\.(verdict|enabled)$/.exec(name)?.[1];
  return whole === undefined ? null : errorOf(problem, whole);
}

function Rules({ drawn, section, field }: Drawing) {
  const { form } = drawn;
  const isOrganisation = section.ecosystem === null;
  const written = observedOf(settingsOf(drawn.document, section));
  const marker = `${section.prefix}${OWN_RULES}`;
  const name = `${section.prefix}observe`;
  const isOwn = form === null ? written !== null : form.get(marker) === "own";
  const chosen = form === null ? written ?? [] : form.getAll(name);
  return (
    <Field
      name={name}
      label={labelOf(section, field)}
      help={<Help drawn={drawn} section={section} field={field} />}
      error={errorOf(drawn.tried?.problem ?? null, name)}
      isGroup
    >
      {isOrganisation
        ? <input type="hidden" name={marker} value="own" />
        : (
          <select name={marker} aria-label={`${labelOf(section, field)}: whose`}>
            <option value="">as the organisation has it</option>
            <option value="own" selected={isOwn}>those ticked here</option>
          </select>
        )}
      {field.options.map(({ value, label }) => (
        <label class="choice">
          <input type="checkbox" name={name} value={value} checked={chosen.includes(value)} />
          <code>{label}</code>
        </label>
      ))}
    </Field>
  );
}

/** A page has one field of a kind for the organisation, and one for each ecosystem. */
function labelOf({ ecosystem }: Section, { label }: SettingField): string {
  return ecosystem === null ? label : `${label} (${ecosystem})`;
}

function fallbackWord({ fallback, options }: SettingField): string {
  return options.find(({ value }) => value === fallback)?.label.split(":")[0] ?? fallback;
}

/** Meaning and default; for the organisation also what holds where an ecosystem has its own. */
function Help({ drawn, section, field }: Drawing) {
  if (section.ecosystem !== null) {
    return <>In force now: {inForce(drawn.effective, section.ecosystem, field)}.</>;
  }
  const own = drawn.effective.filter(({ ecosystem }) =>
    writtenInEcosystem(drawn.base.document, ecosystem, field)
  );
  return (
    <>
      {field.meaning} Default: <code>{fallbackWord(field)}</code>.
      {own.length === 0
        ? ""
        : ` Otherwise: ${
          own.map(({ ecosystem }) => `${ecosystem} ${inForce(drawn.effective, ecosystem, field)}`).join(", ")
        }.`}
    </>
  );
}

function writtenInEcosystem(document: unknown, ecosystem: string, { key, kind }: SettingField): boolean {
  const [section] = sectionsOf({}, [ecosystem]);
  if (section === undefined) return false;
  const settings = settingsOf(document, section);
  return kind === "rules" ? observedOf(settings) !== null : writtenOf(settings, key) !== "";
}

function inForce(effective: readonly Effective[], ecosystem: string, field: SettingField): string {
  const found = effective.find((each) => each.ecosystem === ecosystem);
  if (found === undefined) return "nothing: it is not served here";
  if (field.kind === "rules") return observedOf(found.settings)?.join(", ") || "none";
  const value = writtenOf(found.settings, field.key);
  return field.options.find((option) => option.value === value)?.label.split(":")[0] ?? value;
}

function webhookWords(document: unknown): string {
  const hooks = (document as { readonly webhooks?: unknown }).webhooks;
  const many = Array.isArray(hooks) ? hooks.length : 0;
  if (many === 0) return "There is none.";
  return many === 1 ? "There is one." : `There are ${many}.`;
}
