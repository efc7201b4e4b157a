/** From what an address names to an organisation and the addresses that its links begin with. */
import type { OrganisationView, OrganisationViews } from "../storage/organisations.ts";
import type { Target } from "./target.ts";

/** Who answers where no organisation is named. */
export const DEFAULT_ORGANISATION = "default";

/** An organisation, and where it is for whoever asked. */
export interface Resolved {
  readonly view: OrganisationView;
  /** What precedes `/-/…` and `/{ecosystem}`, no trailing slash; from the configured base address, never from Host. */
  readonly site: string;
}

/** null: there is no such organisation. Throws StorageError where that cannot be known. */
export type Resolver = (target: Pick<Target, "organisation" | "by">) => Promise<Resolved | null>;

/** With `unknown: "default"` a name that nobody has is the default organisation, at the default's own address. */
export function createResolver(options: {
  readonly views: OrganisationViews;
  readonly base: URL;
  readonly unknown: "refuse" | "default";
}): Resolver {
  const { views, unknown } = options;
  const addresses = createAddresses(options.base);

  return async function resolve(target) {
    const view = await views.view(target.organisation ?? DEFAULT_ORGANISATION);
    if (view !== null) return { view, site: addresses(target) };
    if (unknown !== "default" || target.organisation === null) return null;
    const fallback = await views.view(DEFAULT_ORGANISATION);
    return fallback === null ? null : { view: fallback, site: addresses({ organisation: null, by: null }) };
  };
}

/** Builds an organisation's address in the form in which it was named: a label before the base's host, or `/o/`. */
function createAddresses(base: URL): (target: Pick<Target, "organisation" | "by">) => string {
  const path = base.pathname.replace(/\/+$/, "");
  const root = `${base.protocol}//${base.host}${path}`;
  return function address({ organisation, by }) {
    if (organisation === null || by === null) return root;
    return by === "label"
      ? `${base.protocol}//${organisation}.${base.host}${path}`
      : `${root}/o/${organisation}`;
  };
}
