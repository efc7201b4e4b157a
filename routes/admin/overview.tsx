/** The first page: what was installed and refused, what is held, whether all is well. */
import type { AdminPage } from "./page.ts";

export const OVERVIEW: AdminPage = {
  path: "overview",
  title: "Overview",
  scope: "audit",
  isInMenu: true,
  show: () => ({ kind: "page", body: <p class="lead">Nothing is shown here yet.</p> }),
};
