/** The form on `/-/setup`: for which client, and for whom. It is only read, so it is a GET. */
import type { SetupField, SetupQuery } from "./query.ts";

/** What was asked for and cannot be, as it was written. */
export interface Wrong {
  readonly field: SetupField;
  readonly message: string;
  readonly given: string;
}

interface FormOptions {
  readonly query: SetupQuery;
  readonly action: string;
  readonly wrong: Wrong | null;
}

export function SetupForm({ query, action, wrong }: FormOptions) {
  const { all, client, user } = query;
  const isWrong = (field: SetupField) => wrong?.field === field;
  return (
    <form class="filters" method="get" action={action}>
      <div class={isWrong("client") ? "field wrong" : "field"}>
        <label for="client">Client</label>
        <select id="client" name="client" {...described("client", wrong)}>
          <option value="" selected={client === null}>All of them</option>
          {all.map(({ id, client: title }) => <option value={id} selected={id === client}>{title}</option>)}
        </select>
        <Problem field="client" wrong={wrong} />
      </div>
      <div class={isWrong("user") ? "field wrong" : "field"}>
        <label for="user">Your name</label>
        <input
          id="user"
          name="user"
          value={isWrong("user") ? wrong?.given : user ?? ""}
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          maxlength={128}
          {...described("user", wrong)}
        />
        <Problem field="user" wrong={wrong} />
      </div>
      <div class={isWrong("by") ? "field wrong" : "field"}>
        <label for="by">Known by</label>
        <select id="by" name="by" {...described("by", wrong)}>
          <option value="">What is asked for</option>
          <option value="nobody" selected={isChosen(query, "nobody")}>Nothing</option>
          <option value="name" selected={isChosen(query, "name")}>A name</option>
          <option value="token" selected={isChosen(query, "token")}>A token</option>
        </select>
        <Problem field="by" wrong={wrong} />
      </div>
      <button type="submit">Show</button>
    </form>
  );
}

/** It was said, and is not what comes of itself. */
function isChosen({ caller, usual }: SetupQuery, by: SetupQuery["caller"]["by"]): boolean {
  return caller.by === by && caller.by !== usual;
}

function described(field: SetupField, wrong: Wrong | null) {
  return wrong?.field === field
    ? { "aria-invalid": "true", "aria-describedby": `${field}-error` } as const
    : {};
}

function Problem({ field, wrong }: { readonly field: SetupField; readonly wrong: Wrong | null }) {
  return wrong?.field === field ? <p class="error" id={`${field}-error`}>{wrong.message}</p> : null;
}
