import type { OrganisationView } from "../../storage/organisations.ts";
import type { Upstream } from "../../storage/upstream/upstream.ts";
import type { Ecosystem } from "../ecosystem.ts";
import type { Services } from "./services.ts";

/** Who asks for what: a request, or a question about one. */
interface Asking {
  readonly ecosystem: Ecosystem;
  readonly organisation: OrganisationView;
}

/** The upstream that holds a package's facts and files; null: none is configured for that name. */
export function upstreamOf(services: Services, asking: Asking, name: string): Upstream | null {
  return chooseUpstream(services, asking, { key: Object.keys(asking.ecosystem.upstreams)[0] ?? "", name });
}

/** `name` null: a catalogue or a forwarded request, which is nobody's. */
export function chooseUpstream(
  services: Services,
  asking: Asking,
  wanted: { readonly key: string; readonly name: string | null },
): Upstream | null {
  return services.upstreams.choose({
    ecosystem: asking.ecosystem.id,
    organisation: asking.organisation.id,
    ...wanted,
  });
}
