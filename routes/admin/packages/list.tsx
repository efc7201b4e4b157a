/** What is cached, by name or by words. */
import { formatPurl } from "../../../ecosystems/_shared/purl.ts";
import { readPackageText } from "../package_text.ts";
import type { AdminPage, PageContext } from "../page.ts";
import { Empty, Pager, Table, TextField } from "../ui.tsx";
import { packageAddress, type Row } from "./shapes.ts";

export const PACKAGES: AdminPage = {
  path: "packages",
  title: "Packages",
  scope: "read",
  isInMenu: true,
  async show(context) {
    const words = context.query.get("q")?.trim() ?? "";
    const named = namedBy(context, words);
    if (named !== null && "purl" in named) {
      return { kind: "redirect", to: packageAddress(context, named.purl) };
    }
    if (named !== null) {
      return {
        kind: "page",
        status: 400,
        body: <Search context={context} words={words} error={named.wrong} />,
      };
    }
    const found = await list(context, words);
    const body = (
      <>
        <Search context={context} words={words} error={null} />
        {found.packages.length === 0 ? <NoPackages context={context} words={words} /> : (
          <Table
            caption="Packages"
            rows={found.packages}
            columns={[
              {
                title: "Package",
                cell: (row) => <a href={packageAddress(context, row.purl)}>{row.package}</a>,
              },
              { title: "Ecosystem", cell: ({ ecosystem }) => ecosystem },
              { title: "Description", cell: ({ description }) => description ?? "" },
            ]}
          />
        )}
        <Pager context={context} cursor={found.next ?? null} />
      </>
    );
    return { kind: "page", body };
  },
};

/** A purl, or `npm/left-pad`: whoever writes that means the package; null: these are words. */
function namedBy(
  { ecosystems }: PageContext,
  words: string,
): { readonly purl: string } | { readonly wrong: string } | null {
  const read = readPackageText(words, ecosystems);
  if ("wrong" in read) return /^pkg:/i.test(words) ? read : null;
  const { ecosystem, name, version } = read;
  return ecosystem === null ? null : { purl: formatPurl({ type: ecosystem.purlType, name, version }) };
}

function Search({ context, words, error }: {
  readonly context: PageContext;
  readonly words: string;
  readonly error: string | null;
}) {
  return (
    <form method="get" action={context.here} class="filters" role="search" aria-label="Packages">
      <TextField name="q" label="Name, description or purl" type="search" value={words} error={error} />
      <button type="submit">Search</button>
    </form>
  );
}

interface Found {
  readonly packages: readonly Row[];
  readonly next?: string | null;
}

/** All of them by name, or those that the words find. */
function list(context: PageContext, words: string): Promise<Found> {
  if (words !== "") return context.must<Found>("search", { query: { q: words, limit: 100 } });
  return context.must<Found>("listPackages", { query: { limit: 100, cursor: context.query.get("cursor") } });
}

function NoPackages({ context, words }: { readonly context: PageContext; readonly words: string }) {
  return words === ""
    ? (
      <Empty>
        Nothing is cached yet. <a href={`${context.site}/-/setup`}>Point a client here</a>{" "}
        and install something: it will be listed.
      </Empty>
    )
    : (
      <Empty>
        Nothing that is cached is called so. A package is listed once somebody has asked for it; by its purl
        (<code>pkg:npm/left-pad</code>) it is found before that.{" "}
        <a href={context.path(["packages"])}>All packages</a>
      </Empty>
    );
}
