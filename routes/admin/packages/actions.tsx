/** What can be done with one package, by those whose role it is. */
import { errorOf, type PageContext } from "../page.ts";
import { Form, Select, TextField } from "../ui.tsx";
import type { Came, Frozen, Package } from "./shapes.ts";

export function Actions({ context, found, came }: {
  readonly context: PageContext;
  readonly found: Package;
  readonly came: Came | null;
}) {
  const { can, principal } = context;
  if (!can("policy") && !can("operate")) return null;
  const sent = (action: string) => came?.form.get("action") === action ? came : null;
  return (
    <>
      <h2>What can be done</h2>
      <div class="grid">
        {can("policy") ? <Override context={context} found={found} came={sent("override")} /> : null}
        {can("policy") ? <Freezing context={context} frozen={found.frozen} came={sent("freeze")} /> : null}
        {can("operate") && principal.organisation === null && found.checkedAt !== null
          ? <Purging context={context} />
          : null}
      </div>
    </>
  );
}

function Override({ context, found, came }: {
  readonly context: PageContext;
  readonly found: Package;
  readonly came: Came | null;
}) {
  const value = (name: string) => came?.form.get(name) ?? "";
  const error = (name: string) =>
    came?.problem.errors.find(({ field }) =>
      field.startsWith("body.document.overrides") && field.endsWith(name)
    )
      ?.message ?? null;
  return (
    <section class="card" aria-label="Block or allow">
      <h3>Block or allow</h3>
      <Form context={context} action="override" label="Block or allow">
        <Select
          name="effect"
          label="What to do"
          options={[{ value: "deny", label: "Block it" }, { value: "allow", label: "Allow it" }]}
          value={value("effect") || "deny"}
        />
        {found.releases.length === 0
          ? (
            <TextField
              name="version"
              label="Which version"
              help="Empty: every version."
              value={value("version")}
              error={error("purl")}
            />
          )
          : (
            <Select
              name="version"
              label="Which"
              options={[
                { value: "", label: "every version" },
                ...found.releases.slice(0, 50).map(({ version }) => ({ value: version, label: version })),
              ]}
              value={value("version")}
              error={error("purl")}
            />
          )}
        <TextField name="reason" label="Why" value={value("reason")} error={error("reason")} />
        <TextField
          name="until"
          type="date"
          label="Until"
          help="Empty: until somebody takes it back."
          value={value("until")}
          error={error("until")}
        />
        <div class="buttons">
          <button type="submit">Write it into the policy</button>
        </div>
      </Form>
    </section>
  );
}

function Freezing({ context, frozen, came }: {
  readonly context: PageContext;
  readonly frozen: Frozen | null;
  readonly came: Came | null;
}) {
  return (
    <section class="card" aria-label="Freeze">
      <h3>{frozen === null ? "Freeze" : "Frozen"}</h3>
      {frozen === null
        ? (
          <Form context={context} action="freeze" label="Freeze">
            <TextField
              name="reason"
              id="freeze-reason"
              label="Why"
              help="Whatever is published from now on is withheld, with this reason."
              value={came?.form.get("reason") ?? ""}
              error={errorOf(came?.problem ?? null, "reason")}
            />
            <div class="buttons">
              <button type="submit">Freeze it as it is</button>
            </div>
          </Form>
        )
        : (
          <Form context={context} action="unfreeze" label="Unfreeze">
            <p>Newer releases are withheld.</p>
            <div class="buttons">
              <button type="submit">Let newer releases through again</button>
            </div>
          </Form>
        )}
    </section>
  );
}

function Purging({ context }: { readonly context: PageContext }) {
  return (
    <section class="card" aria-label="Purge">
      <h3>Purge</h3>
      <p>
        Takes away what is cached of it, for every organisation. It is fetched anew when somebody asks for it.
      </p>
      <details>
        <summary>Purge it</summary>
        <Form context={context} action="purge" label="Purge">
          <div class="buttons">
            <button class="danger" type="submit">Yes, purge it</button>
          </div>
        </Form>
      </details>
    </section>
  );
}
