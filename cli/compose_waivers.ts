/** The desk where exceptions are asked for and answered, over the parts of a Sluice. */
import { lookUp, outlook } from "../ecosystems/pipeline.ts";
import { formatPurl } from "../ecosystems/_shared/purl.ts";
import type { OutlookQuery, WaiverOutlook } from "../ecosystems/why.ts";
import { createWaiverDesk } from "../routes/waivers/desk.ts";
import type { WaiverDesk } from "../routes/waivers/types.ts";
import { createWaiverRequests } from "../storage/kv/waiver_requests.ts";
import type { WaiverRequests } from "../storage/waivers.ts";
import type { Parts } from "./parts.ts";

/** What the API and the why page share: one desk, so that there is one bound on what is asked for. */
export interface WaiverParts {
  readonly desk: WaiverDesk;
  readonly requests: WaiverRequests;
  readonly outlook: (query: OutlookQuery) => Promise<WaiverOutlook | null>;
}

/** `root`: what precedes `/-/admin`, absolute, no trailing slash. */
export function composeWaivers(parts: Parts, { root }: { readonly root: string }): WaiverParts {
  const { kv, organisations, services, webhooks } = parts;
  const { clock, ecosystems } = services;
  const requests = createWaiverRequests(kv, { clock, organisations });
  const outlookOf = (query: OutlookQuery) => outlook(services, query);
  const desk = createWaiverDesk({
    organisations,
    requests,
    outlook: outlookOf,
    lookUp: (query) => lookUp(services, query),
    tell: webhooks.waiver,
    purlOf: ({ ecosystem, name, version }) =>
      formatPurl({
        type: ecosystems.find(({ id }) => id === ecosystem)?.purlType ?? ecosystem,
        name,
        version,
      }),
    newId: services.newRecordId,
    root,
    clock,
  });
  return { desk, requests, outlook: outlookOf };
}
