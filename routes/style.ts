/** The stylesheet of every page: one calm column, light and dark by the system's setting, whole at 320 px. */
export const STYLE = `:root {
  color-scheme: light dark;
  --paper: #fbfaf8;
  --raised: #ffffff;
  --ink: #1d2430;
  --quiet: #5a6472;
  --line: #dcd9d3;
  --accent: #1f5f8b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d;
    --raised: #1b2128;
    --ink: #e4e7eb;
    --quiet: #9aa5b1;
    --line: #303843;
    --accent: #86bfe8;
  }
}
* { box-sizing: border-box; }
html { font-size: 100%; -webkit-text-size-adjust: 100%; }
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { max-width: 46rem; margin: 0 auto; padding: clamp(1.5rem, 5vw, 4rem) clamp(1rem, 5vw, 2rem); }
h1 { margin: 0 0 .5rem; font-size: 1.75rem; line-height: 1.2; font-weight: 650; letter-spacing: -.01em; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.15rem; line-height: 1.3; font-weight: 650; }
p { margin: 0 0 1rem; max-width: 40rem; }
.lead { color: var(--quiet); }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible, pre:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
dl { margin: 0; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); overflow: hidden; }
dl > div { padding: .75rem 1rem; border-top: 1px solid var(--line); }
dl > div:first-child { border-top: 0; }
dt { color: var(--quiet); font-size: .875rem; }
dd { margin: .15rem 0 0; }
code, pre { font: .875rem/1.55 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
h3 { margin: 1.5rem 0 .5rem; font-size: 1rem; line-height: 1.3; font-weight: 650; }
h4 { margin: 1rem 0 .25rem; font-size: .875rem; font-weight: 650; color: var(--quiet); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
section > pre, details > pre { padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); }
details > pre { background: var(--paper); }
.list { border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); }
details { padding: 0 1rem; border-top: 1px solid var(--line); }
details:first-child { border-top: 0; }
details[open] { padding-bottom: 1rem; }
details dl { background: var(--paper); }
details p { margin: .25rem 0; }
summary { padding: .65rem 0; cursor: pointer; overflow-wrap: anywhere; }
summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
summary .quiet { display: block; }
.quiet { color: var(--quiet); font-size: .875rem; }
.mark { margin-left: .5rem; padding: .05rem .45rem; border: 1px solid var(--line); border-radius: 1rem; color: var(--quiet); font-size: .75rem; white-space: nowrap; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .75rem .45rem 0; border-top: 1px solid var(--line); text-align: right; }
td, thead th { white-space: nowrap; }
th:first-child { text-align: left; font-weight: 500; overflow-wrap: anywhere; }
thead th { border-top: 0; overflow-wrap: normal; color: var(--quiet); font-size: .875rem; font-weight: 400; }
.wide { overflow-x: auto; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: .875rem; }
footer a { margin-right: 1.25rem; }
`;
