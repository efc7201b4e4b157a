/** The API over the parts of a Sluice: every area's endpoints, in the order in which they are documented. */
import { lookUp } from "../ecosystems/pipeline.ts";
import { type Api, createApi } from "../routes/api/api.ts";
import { documentEndpoints } from "../routes/api/document.ts";
import type { Endpoint } from "../routes/api/endpoint.ts";
import { freezeEndpoints } from "../routes/api/freezes.ts";
import { installEndpoints } from "../routes/api/installs.ts";
import { organisationEndpoints } from "../routes/api/organisations.ts";
import { snapshotEndpoints } from "../routes/api/snapshots.ts";
import { tokenEndpoints } from "../routes/api/tokens.ts";
import { createParsers } from "../policy/usable.ts";
import { createInstallQueries } from "../storage/installs/queries.ts";
import { forgetUser } from "../storage/installs/retention.ts";
import type { Parts } from "./parts.ts";
import { VERSION } from "./version.ts";

export function composeApi(parts: Parts): Api {
  const { kv, journal, organisations, tokens, views, services } = parts;
  const { clock, log } = services;
  const ecosystemIds = services.ecosystems.map(({ id }) => id);
  const hasOrganisation = async (id: string) => await views.view(id) !== null;
  const areas: readonly Endpoint[] = [
    ...installEndpoints({
      queries: createInstallQueries({ kv, journal, clock }),
      forgetUser: (user) => forgetUser({ kv, journal, clock, log }, user),
    }),
    ...organisationEndpoints({ organisations, ...createParsers(services.ecosystems) }),
    ...freezeEndpoints({
      organisations,
      ecosystems: services.ecosystems,
      lookUp: (query) => lookUp(services, query),
      clock,
    }),
    ...snapshotEndpoints({ organisations, clock }),
    ...tokenEndpoints({ tokens, ecosystemIds, hasOrganisation }),
  ];
  const endpoints = [...areas, ...documentEndpoints(areas, VERSION)];
  return createApi({ endpoints, view: views.view, changed: views.lookAgain });
}
