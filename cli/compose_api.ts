/** The API over the parts of a Sluice: every area's endpoints, in the order in which they are documented. */
import { type Api, createApi } from "../routes/api/api.ts";
import { documentEndpoints } from "../routes/api/document.ts";
import type { Endpoint } from "../routes/api/endpoint.ts";
import { tokenEndpoints } from "../routes/api/tokens.ts";
import type { Parts } from "./parts.ts";
import { VERSION } from "./version.ts";

export function composeApi(parts: Parts): Api {
  const { tokens, views, services } = parts;
  const ecosystemIds = services.ecosystems.map(({ id }) => id);
  const hasOrganisation = async (id: string) => await views.view(id) !== null;
  const areas: readonly Endpoint[] = [
    ...tokenEndpoints({ tokens, ecosystemIds, hasOrganisation }),
  ];
  const endpoints = [...areas, ...documentEndpoints(areas, VERSION)];
  return createApi({ endpoints, view: views.view });
}
