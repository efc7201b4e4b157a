/** The filters of the install log, as they stand in the address. */
import { type CallProblem, errorOf, type PageContext } from "../page.ts";
import { Select, TextField } from "../ui.tsx";

/** The filters, as they stand in the address. */
const FILTERS = ["package", "version", "user", "ecosystem", "outcome", "since", "until"] as const;

export const OUTCOMES = {
  served: { word: "served", tone: "good" },
  partial: { word: "broken off", tone: "plain" },
  refused: { word: "refused", tone: "bad" },
  observed: { word: "let through while observing", tone: "warn" },
} as const;

export function filtersOf({ query }: PageContext): Partial<Record<(typeof FILTERS)[number], string>> {
  return Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = query.get(name)?.trim();
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
}

export function Filters(
  { context, problem }: { readonly context: PageContext; readonly problem: CallProblem | null },
) {
  const filters = filtersOf(context);
  const field = (name: (typeof FILTERS)[number]) => ({
    name,
    value: filters[name] ?? "",
    error: errorOf(problem, name),
  });
  return (
    <form method="get" action={context.here} class="filters" role="search" aria-label="Filters">
      <TextField {...field("package")} label="Package" type="search" />
      <TextField {...field("version")} label="Version" />
      <TextField {...field("user")} label="User" />
      <TextField {...field("ecosystem")} label="Ecosystem" placeholder="npm" />
      <Select
        {...field("outcome")}
        label="Outcome"
        options={[
          { value: "", label: "any" },
          ...Object.entries(OUTCOMES).map(([value, { word }]) => ({ value, label: word })),
        ]}
      />
      <TextField {...field("since")} label="From" type="date" />
      <TextField {...field("until")} label="Until before" type="date" />
      <button type="submit">Look</button>
      {Object.keys(filters).length === 0 ? null : <a href={context.here}>All of them</a>}
    </form>
  );
}
