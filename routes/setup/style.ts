/** What the set-up page has of its own. */
export const SETUP_STYLE = `
.copy { user-select: all; cursor: copy; }
.setup .filters { align-items: flex-start; margin-top: 1.5rem; }
.setup .filters .field { flex: 1 1 10rem; }
.setup .filters :is(select, input, button) { height: 2.5rem; }
.setup .filters button { margin-top: 1.5rem; }
.setup .lead { overflow-wrap: anywhere; }
.after { margin-top: 1rem; }
.setup p.quiet { margin: .5rem 0 0; overflow-wrap: anywhere; }
.setup h3 { scroll-margin-top: 1rem; }
`;
