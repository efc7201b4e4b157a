/** The fields of one section of the settings, each with its words and what is wrong with it. */
import { type CallProblem, errorOf } from "../page.ts";
import { Field, Select, TextField } from "../ui.tsx";
import { RuleName } from "../words.tsx";
import { observedOf, OWN_RULES, type Section, settingsOf, writtenOf } from "./settings_form.ts";
import { type Drawing, type Drawn, Help, labelOf, wordOf } from "./settings_words.tsx";

export function EcosystemFields({ drawn, section }: { readonly drawn: Drawn; readonly section: Section }) {
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

export function Fields({ drawn, section }: { readonly drawn: Drawn; readonly section: Section }) {
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
    ? `default (${wordOf(field, field.fallback)})`
    : "as the organisation has it";
  const choices = field.options.map(({ value }) => ({ value, label: wordOf(field, value) }));
  return <Select {...common} options={[{ value: "", label: inherited }, ...choices]} />;
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
      {field.options.map(({ value }) => (
        <label class="choice">
          <input type="checkbox" name={name} value={value} checked={chosen.includes(value)} />
          <RuleName rule={value} />
        </label>
      ))}
    </Field>
  );
}
