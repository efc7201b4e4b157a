/** The stylesheet of the admin pages, on top of every page's. */
export const ADMIN_STYLE = `
:root {
  --good: #1b6b3a; --warn: #8a5a00; --bad: #a4262c;
  --good-bg: #e7f4ec; --warn-bg: #fbf1dc; --bad-bg: #fbe9ea; --note-bg: #e8f0f7;
  --field: #ffffff; --field-line: #8b8f96;
}
@media (prefers-color-scheme: dark) {
  :root {
    --good: #7fd3a0; --warn: #e6b94f; --bad: #ff9ea2;
    --good-bg: #16301f; --warn-bg: #33290f; --bad-bg: #3a1a1c; --note-bg: #17293a;
    --field: #11151a; --field-line: #6b7582;
  }
}
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: .5rem; padding: .25rem .75rem; background: var(--raised); z-index: 2; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.top { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; padding: .6rem clamp(1rem, 3vw, 2rem); border-bottom: 1px solid var(--line); background: var(--raised); }
.top .brand { font-weight: 700; color: var(--ink); text-decoration: none; }
.top .org { overflow-wrap: anywhere; }
.me { margin-left: auto; display: flex; align-items: baseline; gap: .75rem; font-size: .875rem; }
.admin main { overflow-wrap: break-word; max-width: 74rem; margin: 0; padding: 1.5rem clamp(1rem, 3vw, 2rem) 4rem; min-width: 0; flex: 1; }
.admin main:focus { outline: none; }
.admin h1 { overflow-wrap: anywhere; margin-bottom: 1rem; }
.sides { display: flex; align-items: flex-start; }
.menu { display: flex; flex-direction: column; flex-wrap: nowrap; gap: .1rem; padding: 1.5rem 0 1.5rem clamp(.5rem, 2vw, 1.25rem); min-width: 10rem; position: sticky; top: 0; }
.menu a { padding: .3rem .75rem; border-radius: .4rem; color: var(--ink); text-decoration: none; }
.menu a:hover { text-decoration: underline; }
.menu a[aria-current] { background: var(--note-bg); font-weight: 600; }
@media (max-width: 52rem) {
  .sides { display: block; }
  .menu { position: static; flex-direction: row; overflow-x: auto; padding: .5rem clamp(.25rem, 2vw, 1.25rem); border-bottom: 1px solid var(--line); }
  .menu a { white-space: nowrap; }
}
:is(a, button, input, select, textarea, summary, .scroll):focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.notice { margin: 0 0 1.25rem; padding: .65rem 1rem; border-left: .25rem solid var(--accent); border-radius: .25rem; background: var(--note-bg); max-width: 60rem; overflow-wrap: anywhere; }
.notice.good { border-color: var(--good); background: var(--good-bg); }
.notice.bad { border-color: var(--bad); background: var(--bad-bg); }
.notice > :last-child { margin-bottom: 0; }
.empty { margin: 0 0 1.25rem; padding: 1rem 1.25rem; border: 1px dashed var(--line); border-radius: .5rem; color: var(--quiet); max-width: 46rem; }
.empty > :last-child { margin-bottom: 0; }
.badge { display: inline-block; padding: 0 .5rem; border-radius: 1rem; border: 1px solid currentColor; font-size: .8125rem; line-height: 1.5; white-space: nowrap; }
.badge.good { color: var(--good); } .badge.warn { color: var(--warn); } .badge.bad { color: var(--bad); } .badge.plain { color: var(--quiet); }
.admin .scroll { position: relative; overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); margin: 0 0 1.25rem; }
.admin th, .admin td { padding: .45rem .75rem; text-align: left; vertical-align: top; white-space: normal; overflow-wrap: break-word; }
.admin thead th { white-space: nowrap; }
.admin tbody th { min-width: 8rem; max-width: 28rem; font-weight: 400; overflow-wrap: anywhere; }
.admin td { max-width: 40rem; }
.admin td:has(.mono) { overflow-wrap: anywhere; }
.admin table button { white-space: nowrap; }
.admin details { padding: 0; border: 0; }
.admin td summary { padding: 0; }
.admin td time, .admin th time { white-space: nowrap; }
.admin .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.stack { display: grid; gap: 1rem; max-width: 42rem; margin: 0 0 1.5rem; }
.inline { display: inline-flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin: 0; }
.filters { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin: 0 0 1.25rem; }
.field { min-width: 0; }
.field label, legend { display: block; font-weight: 600; font-size: .9375rem; }
.field .help { margin: 0 0 .25rem; color: var(--quiet); font-size: .875rem; }
.field .error { margin: .25rem 0 0; color: var(--bad); font-size: .875rem; font-weight: 600; }
.field.wrong :is(input, select, textarea) { border-color: var(--bad); }
fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }
input, select, textarea, button { font: inherit; color: inherit; }
input:not([type=checkbox], [type=radio], [type=hidden]), select, textarea { width: 100%; max-width: 100%; padding: .4rem .6rem; border: 1px solid var(--field-line); border-radius: .35rem; background: var(--field); min-height: 2.25rem; }
textarea.code { font: .875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; white-space: pre; overflow: auto; }
button { padding: .4rem .9rem; min-height: 2.25rem; border: 1px solid var(--accent); border-radius: .35rem; background: var(--accent); color: var(--paper); cursor: pointer; font-weight: 600; }
button.quiet, button.plain { background: none; color: var(--accent); font-size: inherit; }
button.plain { border: 0; padding: .1rem .25rem; min-height: 1.5rem; font-weight: 400; text-decoration: underline; text-underline-offset: .15em; }
button.danger { background: none; border-color: var(--bad); color: var(--bad); }
.choice, .field .choice { display: flex; gap: .5rem; align-items: baseline; font-weight: 400; padding: .15rem 0; }
.choice input { inline-size: 1rem; block-size: 1rem; flex: none; }
meter { inline-size: min(30rem, 100%); block-size: 1rem; }
.button { display: inline-block; padding: .5rem 1.1rem; border-radius: .35rem; background: var(--accent); color: var(--paper); font-weight: 600; text-decoration: none; }
.button:hover { text-decoration: underline; }
.admin main.door { margin: 0 auto; max-width: 46rem; }
.door dl { margin-bottom: 1rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; }
ul.plain { padding: 0; margin: 0; list-style: none; }
.grid { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); margin: 0 0 1.5rem; }
.card { padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); min-width: 0; }
.card :is(h2, h3):first-child { margin-top: 0; }
.card > :last-child { margin-bottom: 0; }
.grid > section > h2 { margin-top: 0; }
.legend { display: inline-block; inline-size: .7rem; block-size: .7rem; margin: 0 .35rem 0 1rem; background: var(--accent); }
.legend.bad { background: var(--bad); }
.legend.plain { background: var(--field-line); }
.figures { display: flex; flex-wrap: wrap; gap: 1.25rem 2.5rem; margin: 0 0 1.5rem; border: 0; background: none; }
.figures > div { padding: 0; border: 0; }
.figures dd { margin: 0; font-size: 1.5rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.facts { margin: 0 0 1.5rem; max-width: 46rem; }
.pager { margin: 0 0 1.5rem; }
.mono { font: .875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
figure.card { margin: 0 0 1.5rem; }
figcaption { font-weight: 600; margin-bottom: .5rem; }
.chart .hover { fill: transparent; }
.chart { display: block; width: 100%; height: auto; }
.chart .bar { fill: var(--accent); } .chart .bar.bad { fill: var(--bad); } .chart .bar.plain { fill: var(--field-line); } .chart .grid-line { stroke: var(--line); } .chart text { fill: var(--quiet); font-size: .75rem; }
.stack { grid-template-columns: minmax(0, 1fr); } .stack.wide { max-width: none; }
.tabs { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0 0 1.25rem; border-bottom: 1px solid var(--line); }
.tabs a { padding: .35rem 0; color: var(--ink); text-decoration: none; border-bottom: .2rem solid transparent; }
.tabs a:hover { border-color: var(--line); }
.tabs a[aria-current] { border-color: var(--accent); font-weight: 600; }
.settings { display: grid; gap: 1.1rem 2rem; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); align-items: start; margin: .75rem 0; }
.stack h2 { margin: .75rem 0 0; } .stack > p { margin: 0; }
.changes { margin: 0 0 1.25rem; } .changes li { padding: .1rem 0; white-space: pre-wrap; }
.mistakes { padding-left: 1.25rem; } .mistakes pre { margin: .25rem 0 .75rem; white-space: pre; overflow-x: auto; overflow-wrap: normal; }
.admin details.card { padding: .25rem 1.25rem; border: 1px solid var(--line); } .admin details.card[open] { padding-bottom: 1rem; }
.field > legend { padding: 0; } section.card { margin: 0 0 1.5rem; }
pre.code { padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); overflow-x: auto; }
.added { color: var(--good); } .removed { color: var(--bad); }
.written { white-space: pre-wrap; overflow-wrap: anywhere; }
.why h1 { margin-bottom: .5rem; }
.why .sentence { font-size: 1.125rem; overflow-wrap: anywhere; }
.why dd, .why dt, .card dd { overflow-wrap: anywhere; }
.why dd > p, .card dd > p { margin: .25rem 0 0; }
.why section { margin-top: 2rem; }
.why code, .why footer span { overflow-wrap: anywhere; }
.why .more { padding: .25rem 0 0; border: 0; }
.then-now { display: grid; gap: .25rem 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr)); }
.then-now h4, .then-now p { margin: .25rem 0; }
.card dl + p { margin-top: .75rem; }
.admin td summary { white-space: nowrap; padding: 0; }
@media (prefers-reduced-motion: reduce) { * { scroll-behavior: auto; } }
@media print { .menu, .top, .pager, button { display: none; } }
`;
