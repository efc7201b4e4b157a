/** Every admin page, in the order of the menu. */
import type { AdminPage } from "./page.ts";
import { OVERVIEW } from "./overview.tsx";

export const ADMIN_PAGES: readonly AdminPage[] = Object.freeze([OVERVIEW]);
