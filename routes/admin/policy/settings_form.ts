/** Between the settings of a document as written and the fields of a form: what no field changed stays as it was written. */
import { ORGANISATION_FIELDS, RULE_FIELDS, type SettingField } from "./settings_fields.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A part of the form: the organisation's settings, or those of one ecosystem. */
export interface Section {
  /** Of its fields' names, which are the places that mistakes name: `document.ecosystems.npm.`. */
  readonly prefix: string;
  /** null: the organisation's. */
  readonly ecosystem: string | null;
  readonly fields: readonly SettingField[];
}

export const ORGANISATION: Section = {
  prefix: "document.",
  ecosystem: null,
  fields: [...RULE_FIELDS, ...ORGANISATION_FIELDS],
};

/** Those that are served, and those that have settings. */
export function sectionsOf(document: unknown, served: readonly string[]): readonly Section[] {
  const own = fieldsOf(fieldsOf(document).ecosystems);
  return [...new Set([...served, ...Object.keys(own)])].map((ecosystem) => ({
    prefix: `document.ecosystems.${ecosystem}.`,
    ecosystem,
    fields: RULE_FIELDS,
  }));
}

/** The settings of a section as they are written. */
export function settingsOf(document: unknown, { ecosystem }: Section): Fields {
  return ecosystem === null
    ? fieldsOf(document)
    : fieldsOf(own(fieldsOf(fieldsOf(document).ecosystems), ecosystem));
}

/** As a form shows it; "": nothing is written. */
export function writtenOf(settings: Fields, key: string): string {
  const [name = "", part] = key.split(".");
  const value = own(settings, name);
  if (part === undefined) return textOf(value);
  if (typeof value === "object" && value !== null) return textOf(own(value as Fields, part));
  // The short forms: a verdict alone, on or off.
  return part === "verdict" || part === "enabled" ? textOf(value) : "";
}

/** null: it is not set here. */
export function observedOf(settings: Fields): readonly string[] | null {
  const value = own(settings, "observe");
  return Array.isArray(value) ? value.map(String) : null;
}

/** The fields that set which rules observe in one ecosystem: its own, or the organisation's. */
export const OWN_RULES = "observe.own";

/** The document with what the form changed. A field that the form does not have changes nothing. */
export function settingsFromForm(
  document: unknown,
  form: URLSearchParams,
  sections: readonly Section[],
): Fields {
  return sections.reduce<Fields>((changed, section) => {
    const before = settingsOf(changed, section);
    const after = section.fields.reduce(
      (settings, field) => fieldFromForm(settings, field, form, section),
      before,
    );
    if (after === before) return changed;
    if (section.ecosystem === null) return after;
    const { [section.ecosystem]: _, ...others } = fieldsOf(changed.ecosystems);
    const ecosystems = Object.keys(after).length === 0 ? others : { ...others, [section.ecosystem]: after };
    const { ecosystems: _all, ...rest } = changed;
    return Object.keys(ecosystems).length === 0 ? rest : { ...changed, ecosystems };
  }, fieldsOf(document));
}

function fieldFromForm(
  settings: Fields,
  field: SettingField,
  form: URLSearchParams,
  section: Section,
): Fields {
  const name = `${section.prefix}${field.key}`;
  if (field.kind === "rules") return rulesFromForm(settings, form, section);
  const given = form.get(name)?.trim();
  return given === undefined || given === writtenOf(settings, field.key)
    ? settings
    : withWritten(settings, field.key, given);
}

function rulesFromForm(settings: Fields, form: URLSearchParams, { prefix, ecosystem }: Section): Fields {
  const marker = form.get(`${prefix}${OWN_RULES}`);
  if (marker === null) return settings;
  const before = observedOf(settings);
  const chosen = marker === "own" ? form.getAll(`${prefix}observe`) : null;
  // The organisation's list is empty where it is not written.
  const isSame = ecosystem === null
    ? sameRules(before ?? [], chosen ?? [])
    : (before === null) === (chosen === null) && sameRules(before ?? [], chosen ?? []);
  if (isSame) return settings;
  const { observe: _, ...rest } = settings;
  return chosen === null ? rest : { ...rest, observe: chosen };
}

function sameRules(a: readonly string[], b: readonly string[]): boolean {
  return a.toSorted().join() === b.toSorted().join();
}

/** "" takes it away. */
export function withWritten(settings: Fields, key: string, value: string): Fields {
  const [name = "", part] = key.split(".");
  if (part === undefined) return withField(settings, name, value === "" ? undefined : valueOf(key, value));
  const short = part === "verdict" || part === "enabled";
  const before = own(settings, name);
  const parts = typeof before === "object" && before !== null
    ? before as Fields
    : before === undefined
    ? {}
    : { [name === "auditFixes" ? "enabled" : "verdict"]: before };
  const after = withField(parts, part, value === "" ? undefined : valueOf(key, value));
  const names = Object.keys(after);
  if (names.length === 0) return withField(settings, name, undefined);
  // A verdict alone is written as it always was.
  const isShort = short && names.length === 1 && typeof before !== "object";
  return withField(settings, name, isShort ? after[part] : after);
}

function valueOf(key: string, text: string): unknown {
  if (key !== "closed" && key !== "auditFixes.enabled") return text;
  return text === "true" ? true : text === "false" ? false : text;
}

function withField(fields: Fields, name: string, value: unknown): Fields {
  if (value !== undefined) return { ...fields, [name]: value };
  const { [name]: _, ...rest } = fields;
  return rest;
}

function textOf(value: unknown): string {
  return value === undefined || typeof value === "object" ? "" : String(value);
}

function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Fields : {};
}
