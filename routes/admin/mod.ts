/** Every admin page, in the order of the menu. */
import { AUDIT_ENTRY, AUDIT_TRAIL } from "./audit_trail.tsx";
import { CACHE } from "./cache.tsx";
import { INSTALLS, INSTALLS_EXPORT } from "./installs/explorer.tsx";
import { INSTALLS_WHO } from "./installs/who.tsx";
import { ORGANISATIONS } from "./organisations.tsx";
import { OVERVIEW } from "./overview.tsx";
import { PACKAGES } from "./packages/list.tsx";
import { PACKAGE } from "./packages/package.tsx";
import { MEMBERS } from "./members.tsx";
import type { AdminPage } from "./page.ts";
import { FLOOR_PAGES, POLICY_PAGES } from "./policy/mod.ts";
import { TOKENS } from "./tokens.tsx";
import { WAIVER_PAGES } from "./waivers/mod.tsx";
import { WEBHOOKS } from "./webhooks.tsx";

export const ADMIN_PAGES: readonly AdminPage[] = Object.freeze([
  OVERVIEW,
  ...POLICY_PAGES,
  PACKAGES,
  PACKAGE,
  ...WAIVER_PAGES,
  INSTALLS,
  INSTALLS_EXPORT,
  INSTALLS_WHO,
  CACHE,
  TOKENS,
  MEMBERS,
  WEBHOOKS,
  AUDIT_TRAIL,
  AUDIT_ENTRY,
  ...FLOOR_PAGES,
  ORGANISATIONS,
]);
