/** What pages are made of: the same table, the same field, the same time everywhere. */
import type { Child } from "hono/jsx";
import type { EpochMs } from "../../policy/types.ts";
import type { PageContext } from "./page.ts";
import { relative } from "./relative.ts";

/** `bad` is an alert to those who hear the page read. */
export function Notice({ kind, children }: {
  readonly kind: "good" | "bad" | "note";
  readonly children?: Child;
}) {
  return <div class={`notice ${kind}`} role={kind === "bad" ? "alert" : "status"}>{children}</div>;
}

/** What is shown where there is nothing yet: one sentence, and what to do next. */
export function Empty({ children }: { readonly children?: Child }) {
  return <div class="empty">{children}</div>;
}

/** A short word with a meaning of its own; never by colour alone. */
export function Badge({ tone, children }: {
  readonly tone: "good" | "warn" | "bad" | "plain";
  readonly children?: Child;
}) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => Child;
  /** Numbers stand at the right, their digits below each other. */
  readonly isNumber?: boolean;
}

/**
 * The first column names the row. Where its place is too narrow for the columns (the stylesheet says when, by how
 * many they are), each row becomes a block whose cells bear their column's title; the roles keep it a table then.
 */
export function Table<T>({ caption, columns, rows, weight = columns.length }: {
  /** Read aloud; not shown. */
  readonly caption: string;
  /** As how many columns of words it counts where room is looked for; default: as many as it has. */
  readonly weight?: number;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
}) {
  const kindOf = ({ isNumber }: Column<T>) => isNumber === true ? "number" : undefined;
  return (
    <div
      class={`scroll columns-${Math.max(2, Math.min(weight, 7))}`}
      role="region"
      aria-label={caption}
      tabindex={0}
    >
      <table role="table">
        <caption class="unseen">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th role="columnheader" scope="col" class={kindOf(column)}>{column.title}</th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr role="row">
              {columns.map((column, index) =>
                index === 0
                  ? <th role="rowheader" scope="row">{column.cell(row)}</th>
                  : (
                    <td role="cell" class={kindOf(column)} data-label={column.title}>
                      {column.cell(row)}
                    </td>
                  )
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A few numbers that say it all, each under its name; `of`: whose they are or how far they reach back. */
export function FigureList({ figures }: {
  readonly figures: readonly (readonly [name: string, value: string, of?: string])[];
}) {
  return (
    <dl class="figures">
      {figures.map(([name, value, of]) => (
        <div>
          <dt>{name}</dt>
          <dd>
            {value}
            {of === undefined ? null : <span class="of">{of}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Posts to the page itself; `action` names what is to be done there. */
export function Form({ context, action, label, isInline, children }: {
  readonly context: Pick<PageContext, "here" | "member">;
  readonly action: string;
  /** For those who hear the page, where no heading says it. */
  readonly label?: string;
  readonly isInline?: boolean;
  readonly children?: Child;
}) {
  return (
    <form
      method="post"
      action={context.here}
      class={isInline === true ? "inline" : "stack"}
      aria-label={label}
    >
      <input type="hidden" name="token" value={context.member.formToken} />
      <input type="hidden" name="action" value={action} />
      {children}
    </form>
  );
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  /** Where a page has two fields of one name; default: the name. */
  readonly id?: string;
  /** One sentence below the label. */
  readonly help?: Child;
  /** Shown beside the field, and said of it; null: nothing is wrong. */
  readonly error?: string | null;
}

/** Label, help and error around one control, or (`isGroup`) around several that belong together. */
export function Field(
  { name, label, help, error = null, id = name, isGroup = false, children }: FieldProps & {
    readonly isGroup?: boolean;
    readonly children?: Child;
  },
) {
  const about = help === undefined ? null : <p class="help" id={`h-${id}`}>{help}</p>;
  const wrong = error === null ? null : <p class="error" id={`e-${id}`}>{error}</p>;
  const kind = error === null ? "field" : "field wrong";
  if (isGroup) {
    return (
      <fieldset class={kind}>
        <legend>{label}</legend>
        {about}
        {children}
        {wrong}
      </fieldset>
    );
  }
  return (
    <div class={kind}>
      <label for={`f-${id}`}>{label}</label>
      {about}
      {children}
      {wrong}
    </div>
  );
}

/** Of a field's control: its id, and what describes it. */
export function controlOf({ name, help, error = null, id = name }: Omit<FieldProps, "label">) {
  const described = [help === undefined ? "" : `h-${id}`, error === null ? "" : `e-${id}`].join(" ").trim();
  return {
    id: `f-${id}`,
    name,
    ...(described === "" ? {} : { "aria-describedby": described }),
    ...(error === null ? {} : { "aria-invalid": "true" as const }),
  };
}

export function TextField(
  props: FieldProps & {
    readonly value?: string;
    readonly placeholder?: string;
    readonly type?: "text" | "search" | "url" | "date" | "number";
    readonly isRequired?: boolean;
  },
) {
  const { value = "", type = "text", placeholder, isRequired = false } = props;
  return (
    <Field {...props}>
      <input
        {...controlOf(props)}
        type={type}
        value={value}
        placeholder={placeholder}
        required={isRequired}
      />
    </Field>
  );
}

export function TextArea(
  props: FieldProps & {
    readonly value?: string;
    readonly rows?: number;
    /** Code: as wide as the page, every character as wide as the next. */
    readonly isCode?: boolean;
  },
) {
  const { value = "", rows = 4, isCode = false } = props;
  return (
    <Field {...props}>
      <textarea {...controlOf(props)} rows={rows} class={isCode ? "code" : undefined} spellcheck={!isCode}>
        {`\n${value}`}
      </textarea>
    </Field>
  );
}

export interface Option {
  readonly value: string;
  readonly label: string;
}

export function Select(props: FieldProps & { readonly value?: string; readonly options: readonly Option[] }) {
  const { value = "", options } = props;
  return (
    <Field {...props}>
      <select {...controlOf(props)}>
        {options.map((option) => (
          <option value={option.value} selected={option.value === value}>{option.label}</option>
        ))}
      </select>
    </Field>
  );
}

/** `3 hours ago`, `in 4 days`; the exact instant in UTC on hover and for programs. */
export function Time({ at, now }: { readonly at: EpochMs | string | null; readonly now: EpochMs }) {
  if (at === null) return <span class="quiet">never</span>;
  const date = new Date(at);
  const exact = date.toISOString();
  return (
    <time datetime={exact} title={exact.slice(0, 19).replace("T", " ") + " UTC"}>
      {relative(date.getTime() - now)}
    </time>
  );
}

/** The next page of what has a cursor; filters stay. */
export function Pager(
  { context, cursor }: { readonly context: PageContext; readonly cursor: string | null },
) {
  if (cursor === null && !context.query.has("cursor")) return null;
  const first = new URLSearchParams(context.query);
  first.delete("cursor");
  const next = new URLSearchParams(first);
  if (cursor !== null) next.set("cursor", cursor);
  return (
    <nav class="pager" aria-label="Further pages">
      {context.query.has("cursor") ? <a href={`${context.here}?${first}`}>First page</a> : null}
      {cursor === null ? null : <a href={`${context.here}?${next}`} rel="next">Next page</a>}
    </nav>
  );
}
