/** One entry as fields, new or changed, each mistake beside its own. */
import { LIFTABLE } from "../../../policy/documents.ts";
import { type CallProblem, errorOf } from "../page.ts";
import { Field, Select, TextField } from "../ui.tsx";
import type { Drawn } from "./lists_drawn.ts";
import { keyOf, type Row } from "./lists_form.ts";

interface OfRow {
  readonly drawn: Drawn;
  readonly row: Row;
}

export function RowFields({ drawn, row }: OfRow) {
  const { prefix, place, entry } = row;
  const problem = drawn.tried?.problem ?? null;
  const there = place === null
    ? null
    : drawn.entries.find((each) => keyOf(each.place) === keyOf(place)) ?? null;
  const title = there === null ? "A new entry" : `Change ${there.purl}`;
  const whole = rowError(drawn, row, "");
  const field = (name: "purl" | "range" | "reason" | "owner" | "until" | "id") => ({
    name: `${prefix}${name}`,
    value: entry[name],
    error: rowError(drawn, row, name),
  });
  return (
    <fieldset class="card">
      <legend>{title}</legend>
      {place === null ? null : <input type="hidden" name={`${prefix}place`} value={keyOf(place)} />}
      {whole === null || problem === null ? null : <p class="error" role="alert">{whole}</p>}
      <div class="settings">
        {drawn.kind.kind === "floor" || (there !== null && there.list !== "overrides") ? null : (
          <Select
            name={`${prefix}effect`}
            label="Effect"
            value={entry.effect}
            options={[{ value: "deny", label: "deny" }, { value: "allow", label: "allow" }]}
          />
        )}
        <TextField
          {...field("purl")}
          label="Package"
          help={
            <>
              <code>npm/axios</code>, <code>npm/axios==0.30.4</code>, <code>npm/@evil/*</code> or a purl
            </>
          }
        />
        <TextField
          {...field("range")}
          label="Range of versions"
          help={
            <>
              Instead of a version: <code>{"vers:npm/>=4.0.0|<4.17.21"}</code>
            </>
          }
        />
        <TextField {...field("reason")} label="Reason" help="Shown to whoever meets it." />
        <TextField {...field("owner")} label="Owner" help="Whom to ask." />
        <TextField
          {...field("until")}
          label="Ends"
          help="2026-12-24 or 2026-12-24T12:00:00Z; empty: it stays."
        />
      </div>
      {drawn.kind.kind === "floor"
        ? null
        : <More row={row} error={rowError(drawn, row, "lifts")} field={field("id")} />}
      <div class="buttons">
        <button class="quiet" type="submit" name="do" value={`drop:${prefix}`}>
          {place === null ? "Take this row away" : "Leave it as it was"}
        </button>
      </div>
    </fieldset>
  );
}

/** What few entries need. */
function More({ row: { prefix, entry }, error, field }: {
  readonly row: Row;
  readonly error: string | null;
  readonly field: { readonly name: string; readonly value: string; readonly error: string | null };
}) {
  return (
    <details open={entry.lifts.length > 0 || entry.id !== "" || error !== null || field.error !== null}>
      <summary>What an allow lifts, and a name</summary>
      <Field
        name={`${prefix}lifts`}
        label="Lifts"
        help="None ticked: holds, yanked, deprecated and publisherDowngrade. Only an allow lifts."
        error={error}
        isGroup
      >
        {LIFTABLE.map((name) => (
          <label class="choice">
            <input
              type="checkbox"
              name={`${prefix}lifts`}
              value={name}
              checked={entry.lifts.includes(name)}
            />
            <code>{name}</code>
          </label>
        ))}
      </Field>
      <TextField {...field} label="Name of the entry" help="As explanations call it; made up if empty." />
    </details>
  );
}

/** "": of the whole entry. */
function rowError({ tried, places }: Drawn, { prefix }: Row, field: string): string | null {
  const place = places.get(prefix);
  if (place === undefined || place === "") return null;
  const problem: CallProblem | null = tried?.problem ?? null;
  return errorOf(problem, `document.${place}${field === "" ? "" : `.${field}`}`);
}
