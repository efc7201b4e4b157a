/** What is said of a setting: meaning, default, and what holds where. */
import type { PageContext } from "../page.ts";
import type { Tried } from "./draft.ts";
import type { Revisioned } from "./kinds.ts";
import type { SettingField } from "./settings_fields.ts";
import { observedOf, type Section, sectionsOf, settingsOf, writtenOf } from "./settings_form.ts";

/** What holds in one ecosystem, as the API has it. */
export interface Effective {
  readonly ecosystem: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Everything that the form is drawn from. */
export interface Drawn {
  readonly context: PageContext;
  readonly base: Revisioned;
  readonly document: unknown;
  readonly form: URLSearchParams | null;
  readonly tried: Tried | null;
  readonly effective: readonly Effective[];
}

/** One field of one section. */
export interface Drawing {
  readonly drawn: Drawn;
  readonly section: Section;
  readonly field: SettingField;
}

/** A page has one field of a kind for the organisation, and one for each ecosystem. */
export function labelOf({ ecosystem }: Section, { label }: SettingField): string {
  return ecosystem === null ? label : `${label} (${ecosystem})`;
}

/** A choice in one word; what it does stands in the help, where it has room. */
export function wordOf({ options }: SettingField, chosen: string): string {
  return options.find(({ value }) => value === chosen)?.label.split(":")[0] ?? chosen;
}

/** Each choice with what it does; of a field without choices, nothing. */
function Choices({ options, kind }: SettingField) {
  if (kind !== "choice") return null;
  return options.map(({ label }) => {
    const colon = label.indexOf(":");
    return (
      <span class="does">
        <code>{label.slice(0, colon)}</code> {label.slice(colon + 1).trim()}
      </span>
    );
  });
}

/** Meaning and default; for the organisation also what holds where an ecosystem has its own. */
export function Help({ drawn, section, field }: Drawing) {
  if (section.ecosystem !== null) {
    return <>In force now: {inForce(drawn.effective, section.ecosystem, field)}.</>;
  }
  const own = drawn.effective.filter(({ ecosystem }) =>
    writtenInEcosystem(drawn.base.document, ecosystem, field)
  );
  return (
    <>
      {field.meaning} Default: <code>{wordOf(field, field.fallback)}</code>.
      {own.length === 0
        ? ""
        : ` Otherwise in ${
          own.map(({ ecosystem }) => `${ecosystem}: ${inForce(drawn.effective, ecosystem, field)}`).join(", ")
        }.`}
      <Choices {...field} />
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
  return wordOf(field, value);
}
