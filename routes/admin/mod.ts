/** Every admin page, in the order of the menu. */
import type { AdminPage } from "./page.ts";
import { AUDIT_TRAIL } from "./audit_trail.tsx";
import { CACHE } from "./cache.tsx";
import { OVERVIEW } from "./overview.tsx";
import { TOKENS } from "./tokens.tsx";
import { WEBHOOKS } from "./webhooks.tsx";

export const ADMIN_PAGES: readonly AdminPage[] = Object.freeze([
  OVERVIEW,
  CACHE,
  TOKENS,
  WEBHOOKS,
  AUDIT_TRAIL,
]);
