/** The pages about an organisation's policy and about the instance's floor. */
import type { AdminPage } from "../page.ts";
import { POLICY_FREEZES } from "./freezes.tsx";
import { historyPages } from "./history.tsx";
import { jsonPage } from "./json.tsx";
import { FLOOR, POLICY } from "./kinds.ts";
import { listsPage } from "./lists.tsx";
import { POLICY_SETTINGS } from "./settings.tsx";

export const POLICY_PAGES: readonly AdminPage[] = Object.freeze([
  POLICY_SETTINGS,
  listsPage(POLICY, { path: "policy/lists" }),
  POLICY_FREEZES,
  jsonPage(POLICY),
  ...historyPages(POLICY),
]);

export const FLOOR_PAGES: readonly AdminPage[] = Object.freeze([
  listsPage(FLOOR, { path: FLOOR.path, isInMenu: true }),
  jsonPage(FLOOR),
  ...historyPages(FLOOR),
]);
