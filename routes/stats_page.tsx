/** `GET /stats`: what is cached and what was installed, for whoever may read an index. Nothing about people. */
import type * as z from "zod";
import type { statsShape } from "./api/stats.ts";
import type { EpochMs } from "../policy/types.ts";
import { Table, Time } from "./admin/ui.tsx";
import { htmlPage, jsonPage, textPage } from "./page.tsx";
import { sizeText } from "../storage/cache/size_text.ts";
import { count, preferredForm } from "./text.ts";

/** As the API has it, without what only some may see. */
export type ShownStats = z.input<typeof statsShape>;

interface StatsPage {
  readonly stats: ShownStats;
  /** The organisation's own address, no trailing slash. */
  readonly site: string;
  /** The base address's own path, no trailing slash. */
  readonly prefix: string;
}

/** HTML for a browser, JSON where asked for, text for everybody else. */
export async function statsPage(accept: string | null, page: StatsPage): Promise<Response> {
  switch (preferredForm(accept)) {
    case "json":
      return jsonPage(page.stats);
    case "html":
      return await statsHtml(page);
    case "text":
      return textPage(statsText(page));
  }
}

type EcosystemRow = ShownStats["ecosystems"][number];

const COLUMNS: readonly { readonly title: string; readonly of: (row: EcosystemRow) => string }[] = [
  { title: "packages", of: ({ packages }) => count(packages) },
  { title: "files", of: ({ artifacts }) => count(artifacts) },
  { title: "size", of: ({ bytes }) => sizeText(bytes) },
  { title: "installs", of: ({ installs }) => count(installs) },
  { title: "refusals", of: ({ refusals }) => count(refusals) },
  { title: "hits", of: hitRate },
];

function hitRate({ hits, misses }: EcosystemRow): string {
  return hits + misses === 0 ? "-" : `${Math.round(100 * hits / (hits + misses))} %`;
}

/** What to do where there is nothing yet. */
function emptySentence(site: string): string {
  return `Nothing was installed yet. ${site}/ has the line that points each client here.`;
}

function sinceSentence({ since }: ShownStats): string {
  return `Since ${since.slice(0, 10)}; what is cached is what is there now, of all organisations.`;
}

function statsText({ stats, site }: StatsPage): string {
  const rows = [
    ["ecosystem", ...COLUMNS.map(({ title }) => title)],
    ...stats.ecosystems.map((row) => [row.ecosystem, ...COLUMNS.map(({ of }) => of(row))]),
  ];
  const popular = stats.popular.map((row) =>
    `  ${count(row.installs).padStart(8)}  ${row.ecosystem} ${row.package}`
  );
  const recent = stats.recent.map((row) =>
    `  ${row.at.slice(0, 16).replace("T", " ")}  ${row.ecosystem} ${row.package} ${row.version}`
  );
  return [
    "Sluice: statistics",
    sinceSentence(stats),
    "",
    ...aligned(rows),
    "",
    ...(popular.length === 0
      ? [emptySentence(site)]
      : ["Most installed", ...popular, "", "Installed last", ...recent]),
  ].join("\n");
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)).join(
      "  ",
    )
  );
}

async function statsHtml({ stats, site, prefix }: StatsPage): Promise<Response> {
  return await htmlPage({
    title: "Sluice: statistics",
    prefix,
    children: (
      <div class="admin">
        <h1>Statistics</h1>
        <p class="lead">{sinceSentence(stats)}</p>
        <Table
          caption="By ecosystem"
          rows={stats.ecosystems}
          weight={4}
          columns={[
            { title: "ecosystem", cell: ({ ecosystem }) => ecosystem },
            ...COLUMNS.map(({ title, of }) => ({ title, cell: of, isNumber: true })),
          ]}
        />
        {stats.popular.length === 0
          ? (
            <p>
              Nothing was installed yet. <a href={`${site}/`}>The line that points each client here</a>{" "}
              comes first.
            </p>
          )
          : <Installed stats={stats} />}
        <footer>
          <a href={`${site}/`}>Sluice</a>
          <a href={`${site}/-/health`}>Health</a>
        </footer>
      </div>
    ),
  });
}

function Installed({ stats }: { readonly stats: ShownStats }) {
  return (
    <>
      <h2>Most installed</h2>
      <Table
        caption="Most installed"
        rows={stats.popular}
        columns={[
          { title: "package", cell: (row) => row.package },
          { title: "ecosystem", cell: ({ ecosystem }) => ecosystem },
          { title: "installs", cell: ({ installs }) => count(installs), isNumber: true },
        ]}
      />
      <h2>Installed last</h2>
      <Table
        caption="Installed last"
        rows={stats.recent}
        columns={[
          { title: "release", cell: (row) => `${row.package} ${row.version}` },
          { title: "ecosystem", cell: ({ ecosystem }) => ecosystem },
          { title: "when", cell: ({ at }) => <Time at={at} now={Date.parse(stats.asOf) as EpochMs} /> },
        ]}
      />
    </>
  );
}
