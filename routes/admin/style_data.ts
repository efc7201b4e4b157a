/** The stylesheet of what pages show much of: tables, charts, figures. */

/** How wide a table's place has to be, in rem, for so many columns; narrower, each row is a block. */
const TABLE_NEEDS: readonly (readonly [columns: number, rem: number])[] = [
  [2, 20],
  [3, 26],
  [4, 35],
  [5, 42],
  [6, 50],
  [7, 60],
];

const TABLE_STYLE = `
.admin .scroll {
  container-type: inline-size; position: relative; overflow-x: auto; margin: 0 0 1.25rem;
  border: 1px solid var(--line); border-radius: .5rem; background-color: var(--raised);
  background-image:
    linear-gradient(to right, var(--raised) 30%, transparent), linear-gradient(to left, var(--raised) 30%, transparent),
    linear-gradient(to right, var(--shade), transparent), linear-gradient(to left, var(--shade), transparent);
  background-position: 0 0, 100% 0, 0 0, 100% 0;
  background-size: 2.5rem 100%, 2.5rem 100%, .75rem 100%, .75rem 100%;
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll;
}
.admin th, .admin td { padding: .45rem .75rem; text-align: left; vertical-align: top; white-space: normal; overflow-wrap: break-word; }
.admin thead th { white-space: nowrap; }
.admin tbody th { min-width: 8rem; max-width: 28rem; font-weight: 400; overflow-wrap: anywhere; }
.admin td { min-width: 7rem; max-width: 40rem; overflow-wrap: anywhere; }
.admin td.number { min-width: 0; }
.admin table button { white-space: nowrap; }
.admin td summary { padding: 0; white-space: nowrap; }
.admin td time, .admin th time { white-space: nowrap; }
.admin .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.admin tbody tr:first-child > * { border-top: 0; }
.admin thead th { border-bottom: 1px solid var(--line); }
`;

/** A row as a block: its name, then its cells, two beside each other where they are short; each under its title. */
const AS_BLOCKS = `
  .admin .scroll.COLUMNS :is(table, tbody, caption) { display: block; }
  .admin .scroll.COLUMNS thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .admin .scroll.COLUMNS tbody tr { display: flex; flex-wrap: wrap; gap: .5rem 1rem; padding: .75rem; border-top: 1px solid var(--line); }
  .admin .scroll.COLUMNS tbody tr:first-child { border-top: 0; }
  .admin .scroll.COLUMNS tbody :is(th, td) { flex: 1 1 auto; min-width: calc(50% - .5rem); max-width: 100%; padding: 0; border: 0; text-align: left; white-space: normal; overflow-wrap: anywhere; }
  .admin .scroll.COLUMNS tbody th { flex-basis: 100%; font-weight: 600; }
  .admin .scroll.COLUMNS tbody th :is(.quiet, .detail) { font-weight: 400; }
  .admin .scroll.COLUMNS tbody td:empty { display: none; }
  .admin .scroll.COLUMNS tbody td::before { content: attr(data-label); content: attr(data-label) / ""; display: block; color: var(--quiet); font-size: .8125rem; font-weight: 400; }
  .admin .scroll.COLUMNS tbody td:has(> form, > button)::before { display: none; }
`;

/** A block with room has three beside each other. */
const ROOM_REM = 34;
const IN_ROOM = ".admin .scroll.COLUMNS tbody :is(th, td) { min-width: calc(33.3% - .75rem); }";

const CHART_STYLE = `
figure.card { display: grid; align-content: start; margin: 0 0 1.5rem; }
figcaption { font-weight: 600; margin-bottom: .75rem; }
.legends { display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin: .15rem 0 0; padding: 0; list-style: none; font-weight: 400; font-size: .875rem; color: var(--quiet); }
.legends li { white-space: nowrap; }
.legend { display: inline-block; inline-size: .7rem; block-size: .7rem; margin-inline-end: .4rem; background: var(--accent); }
.legend.bad { background: var(--bad); }
.legend.plain { background: var(--field-line); }
.plot { min-width: 0; color: var(--quiet); font-size: .75rem; line-height: 1.5; font-variant-numeric: tabular-nums; }
.plot .ends { display: flex; justify-content: space-between; gap: 1rem; white-space: nowrap; }
.chart { display: block; width: 100%; height: 8rem; border-block: 1px solid var(--line); }
.chart .hover { fill: transparent; }
.chart g:hover .hover { fill: var(--shade); }
.chart .bar { fill: var(--accent); } .chart .bar.bad { fill: var(--bad); } .chart .bar.plain { fill: var(--field-line); }
.admin figure.card details { margin-top: .5rem; }
.admin figure .scroll { max-height: 20rem; overflow-y: auto; margin: .25rem 0 0; }
.charts > figure.card { grid-row: span 3; grid-template-rows: subgrid; row-gap: 0; margin: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(8.5rem, 100%), 1fr)); gap: 1.25rem 1rem; max-width: 76rem; margin: 0 0 1.5rem; border: 0; background: none; }
.figures > div { padding: 0; border: 0; }
.figures dd { margin: 0; font-size: 1.5rem; line-height: 1.35; font-weight: 650; font-variant-numeric: tabular-nums; }
.figures .of { display: block; font-size: .8125rem; font-weight: 400; color: var(--quiet); }
`;

/** Of tables, charts and figures, on top of the pages' own. */
export const DATA_STYLE = [
  TABLE_STYLE,
  ...TABLE_NEEDS.map(([columns, rem]) =>
    `@container (max-width: ${rem}rem) {${AS_BLOCKS.replaceAll("COLUMNS", `columns-${columns}`)}}\n`
  ),
  ...TABLE_NEEDS.filter(([, rem]) => rem > ROOM_REM).map(([columns, rem]) =>
    `@container (${ROOM_REM}rem <= width <= ${rem}rem) { ${
      IN_ROOM.replaceAll("COLUMNS", `columns-${columns}`)
    } }\n`
  ),
  CHART_STYLE,
].join("");
