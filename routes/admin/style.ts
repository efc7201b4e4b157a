import { DATA_STYLE } from "./style_data.ts";

const FRAME_STYLE = `
:root {
  --good: #1b6b3a; --warn: #8a5a00; --bad: #a4262c;
  --good-bg: #e7f4ec; --warn-bg: #fbf1dc; --bad-bg: #fbe9ea; --note-bg: #e8f0f7;
  --field: #ffffff; --field-line: #8b8f96; --shade: #1d243022;
}
@media (prefers-color-scheme: dark) {
  :root {
    --good: #7fd3a0; --warn: #e6b94f; --bad: #ff9ea2;
    --good-bg: #16301f; --warn-bg: #33290f; --bad-bg: #3a1a1c; --note-bg: #17293a;
    --field: #11151a; --field-line: #6b7582; --shade: #e4e7eb26;
  }
}
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: .5rem; padding: .25rem .75rem; background: var(--raised); z-index: 2; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.top { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; padding-block: .6rem; border-bottom: 1px solid var(--line); background: var(--raised); }
.top, .sides { padding-inline: max(clamp(1rem, 2vw, 2rem), (100% - 132rem) / 2); }
.top .brand { font-weight: 700; color: var(--ink); text-decoration: none; }
.top .org { overflow-wrap: anywhere; }
.me { margin-left: auto; display: flex; align-items: baseline; gap: .75rem; font-size: .875rem; }
.sides { display: flex; align-items: flex-start; gap: clamp(1rem, 2vw, 2.5rem); }
.admin main { container: page / inline-size; overflow-wrap: break-word; max-width: none; margin: 0; padding: 1.5rem 0 4rem; min-width: 0; flex: 1; }
.admin > main { width: min(50rem, 100%); margin: 0 auto; padding-inline: clamp(1rem, 3vw, 2rem); }
.admin main:focus { outline: none; }
.admin h1 { overflow-wrap: anywhere; margin-bottom: 1rem; }
.admin details { padding: 0; border: 0; }
.menu { padding: 1.5rem 0; min-width: 9rem; position: sticky; top: 0; margin-inline-start: -.75rem; }
.menu summary { display: none; }
.menu details::details-content { content-visibility: visible; block-size: auto; }
.menu .pages { display: flex; flex-direction: column; gap: .1rem; }
.menu a { padding: .3rem .75rem; border-radius: .4rem; color: var(--ink); text-decoration: none; }
.menu a:hover { text-decoration: underline; }
.menu a[aria-current] { background: var(--note-bg); font-weight: 600; }
@supports not selector(::details-content) { .menu summary { display: block; } }
@media (max-width: 52rem) {
  .sides { display: block; padding: 0; }
  .sides main { padding: 1.25rem clamp(1rem, 2vw, 2rem) 4rem; }
  .menu { display: block; position: static; margin: 0; padding: 0 clamp(1rem, 2vw, 2rem); border-bottom: 1px solid var(--line); }
  .menu summary { display: block; padding: .5rem 0; font-weight: 600; }
  .menu summary::after { content: "\\25be"; content: "\\25be" / ""; margin-inline-start: .4rem; color: var(--quiet); }
  .menu details::details-content { content-visibility: hidden; }
  .menu details[open]::details-content { content-visibility: visible; }
  .menu .pages { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); padding-bottom: .75rem; }
}
:is(a, button, input, select, textarea, summary, .scroll):focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.notice { margin: 0 0 1.25rem; padding: .65rem 1rem; border-left: .25rem solid var(--accent); border-radius: .25rem; background: var(--note-bg); max-width: 60rem; overflow-wrap: anywhere; }
.notice.good { border-color: var(--good); background: var(--good-bg); }
.notice.bad { border-color: var(--bad); background: var(--bad-bg); }
.notice > :last-child { margin-bottom: 0; }
.empty { margin: 0 0 1.25rem; padding: 1rem 1.25rem; border: 1px dashed var(--line); border-radius: .5rem; color: var(--quiet); max-width: 46rem; }
.empty > :last-child { margin-bottom: 0; }
.badge { display: inline-block; margin-inline-end: .3rem; padding: 0 .5rem; border-radius: 1rem; border: 1px solid currentColor; font-size: .8125rem; line-height: 1.5; white-space: nowrap; }
* + .badge { margin-inline-start: .3rem; }
.badge.good { color: var(--good); } .badge.warn { color: var(--warn); } .badge.bad { color: var(--bad); } .badge.plain { color: var(--quiet); }
.stack { display: grid; gap: 1rem; max-width: 42rem; margin: 0 0 1.5rem; }
.inline { display: inline-flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin: 0; }
.filters { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin: 0 0 1.5rem; }
.filters > .field { flex: 1 1 14rem; max-width: 18rem; }
.filters:has(> :nth-child(6)) { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); max-width: 96rem; }
.filters > .field:first-child:nth-last-child(2) { max-width: 32rem; }
.filters > button { justify-self: start; }
.filters > a { align-self: center; }
.filters:has(> :nth-child(6)) > .field { max-width: none; }
@container page (width >= 42rem) { .filters:has(> :nth-child(6)) { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
@container page (width >= 72rem) { .filters:has(> :nth-child(6)) { grid-template-columns: repeat(7, minmax(0, 1fr)) auto auto; } }
.field { min-width: 0; }
.field label, legend { display: block; font-weight: 600; font-size: .9375rem; }
.field .help { margin: 0 0 .25rem; color: var(--quiet); font-size: .875rem; }
.help .does { display: block; padding-inline-start: .75rem; border-inline-start: 2px solid var(--line); }
.help .does:first-of-type { margin-top: .35rem; } .help .does:last-child { margin-bottom: .35rem; }
.field .error { margin: .25rem 0 0; color: var(--bad); font-size: .875rem; font-weight: 600; }
.field.wrong :is(input, select, textarea) { border-color: var(--bad); }
fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }
input, select, textarea, button { font: inherit; color: inherit; }
input:not([type=checkbox], [type=radio], [type=hidden]), select, textarea { width: 100%; max-width: 100%; padding: .4rem .6rem; border: 1px solid var(--field-line); border-radius: .35rem; background: var(--field); }
input:not([type=checkbox], [type=radio], [type=hidden]), select { block-size: 2.375rem; }
input[type=date] { padding-inline: .4rem .25rem; }
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
.grid { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); margin: 0 0 1.5rem; }
.grid > * { min-width: 0; }
.grid > section > :last-child { margin-bottom: 0; }
.beside { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0 clamp(2rem, 3vw, 4rem); align-items: start; }
.beside > * { min-width: 0; }
@container page (width >= 68rem) { .beside { grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); } .beside > * > h2:first-child { margin-top: 1.5rem; } }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); }
@container page (38rem <= width < 57rem) { .charts > :first-child:nth-last-child(3) { grid-column: span 2; } }
.card { padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); min-width: 0; }
.card :is(h2, h3):first-child { margin-top: 0; }
.card > :last-child { margin-bottom: 0; }
.grid > section > h2 { margin-top: 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); margin: 0 0 1.5rem; }
.facts > div { min-width: 0; border: 0; box-shadow: 1px 1px 0 0 var(--line); }
.facts > div > * { overflow-wrap: anywhere; }
.news tbody th { width: 45%; }
.news { grid-template-columns: minmax(0, 1fr); gap: 2rem 1.25rem; }
@container page (width >= 60rem) { .news { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); } .news > :nth-child(3) { grid-column: 1 / -1; } }
@container page (width >= 96rem) { .news { grid-template-columns: minmax(0, 4fr) minmax(0, 6fr) minmax(0, 3fr); } .news > :nth-child(3) { grid-column: auto; } }
.pager { margin: 0 0 1.5rem; }
.mono { font: .875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.stack { grid-template-columns: minmax(0, 1fr); } .stack.wide { max-width: none; } .stack.wide > .field { max-width: 42rem; }
.tabs { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0 0 1.25rem; border-bottom: 1px solid var(--line); }
.tabs a { padding: .35rem 0; color: var(--ink); text-decoration: none; border-bottom: .2rem solid transparent; }
.tabs a:hover { border-color: var(--line); }
.tabs a[aria-current] { border-color: var(--accent); font-weight: 600; }
.settings { display: grid; gap: 1.1rem 2rem; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); align-items: start; margin: .75rem 0; }
.stack h2 { margin: .75rem 0 0; } .stack > p { margin: 0; }
.changes { margin: 0 0 1.25rem; } .changes li { padding: .1rem 0; white-space: pre-wrap; overflow-wrap: anywhere; } .admin .changes summary { white-space: normal; }
.mistakes { padding-left: 1.25rem; } .mistakes pre { margin: .25rem 0 .75rem; white-space: pre; overflow-x: auto; overflow-wrap: normal; }
.admin details.card { padding: .25rem 1.25rem; border: 1px solid var(--line); } .admin details.card[open] { padding-bottom: 1rem; }
.field > legend { padding: 0; } section.card { margin: 0 0 1.5rem; }
pre.code { padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); overflow-x: auto; }
.added { color: var(--good); } .removed { color: var(--bad); }
.written { white-space: pre-wrap; overflow-wrap: anywhere; } .admin .changes summary { white-space: normal; }
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
@media (prefers-reduced-motion: reduce) { * { scroll-behavior: auto; } }
@media print { .menu, .top, .pager, button { display: none; } }
`;

/** The stylesheet of the admin pages, on top of every page's. */
export const ADMIN_STYLE = FRAME_STYLE + DATA_STYLE;
