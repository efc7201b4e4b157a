/** The filters of the install log, as they stand in the address. */
import { ecosystemNamed, readPackageText } from "../package_text.ts";
import { type CallProblem, errorOf, type PageContext } from "../page.ts";
import { Select, TextField } from "../ui.tsx";

const FILTERS = ["package", "version", "user", "ecosystem", "outcome", "since", "until"] as const;

export const OUTCOMES = {
  served: { word: "served", tone: "good" },
  partial: { word: "broken off", tone: "plain" },
  refused: { word: "refused", tone: "bad" },
  observed: { word: "let through while observing", tone: "warn" },
} as const;

/** By their names in the address; what is empty is not there. */
export type InstallFilters = Partial<Record<(typeof FILTERS)[number], string>>;

export function filtersOf({ query }: PageContext): InstallFilters {
  return Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = query.get(name)?.trim();
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
}

/**
 * The filters as the log has them: a package that was written as a purl, or with its ecosystem and version, fills the
 * other filters. A problem: they contradict each other, or ask for what there is not.
 */
export function readFilters(
  context: PageContext,
  options: { readonly withPatterns: boolean },
): InstallFilters | { readonly problem: CallProblem } {
  const { ecosystems } = context;
  const given = filtersOf(context);
  const asked = given.ecosystem === undefined ? null : ecosystemNamed(given.ecosystem, ecosystems);
  if (given.ecosystem !== undefined && asked === null) {
    const known = ecosystems.map(({ id }) => id).join(", ");
    return wrong("ecosystem", `${JSON.stringify(given.ecosystem)} is no ecosystem here: ${known}`);
  }
  const own = asked === null ? {} : { ecosystem: asked.id };
  if (given.package === undefined) return { ...given, ...own };
  if (given.package.includes("%") && !/^pkg:/i.test(given.package)) {
    return options.withPatterns ? { ...given, ...own } : wrong("package", NO_PATTERN);
  }
  const read = readPackageText(given.package, ecosystems);
  if ("wrong" in read) return wrong("package", read.wrong);
  const { name, version } = read;
  if (asked !== null && read.ecosystem !== null && read.ecosystem !== asked) {
    return wrong("ecosystem", `The package is of ${read.ecosystem.id}: leave one of them away`);
  }
  if (given.version !== undefined && version !== null && given.version !== version) {
    return wrong("version", `The package says ${version}: leave one of them away`);
  }
  const ecosystem = read.ecosystem ?? asked;
  return {
    ...given,
    package: ecosystem?.canonicalName?.(name) ?? name,
    ...(ecosystem === null ? {} : { ecosystem: ecosystem.id }),
    ...(version === null ? {} : { version }),
  };
}

const NO_PATTERN = 'Here a name is exact: "%" stands for any text in "Who has it" alone';

function wrong(field: (typeof FILTERS)[number], message: string): { readonly problem: CallProblem } {
  return { problem: { status: 400, code: "invalid-input", title: message, errors: [{ field, message }] } };
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
          ...Object.entries(OUTCOMES).map(([value, { word }]) => ({
            value,
            label: value === "observed" ? value : word,
          })),
        ]}
      />
      <TextField {...field("since")} label="From" type="date" />
      <TextField {...field("until")} label="Until before" type="date" />
      <button type="submit">Look</button>
      {Object.keys(filters).length === 0 ? null : <a href={context.here}>All of them</a>}
    </form>
  );
}
