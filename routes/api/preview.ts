/** What another policy would have done, and what holds in each ecosystem: before anything is saved. */
import * as z from "zod";
import type { MakePreview, Preview } from "../../ecosystems/pipeline.ts";
import { formatPurl } from "../../ecosystems/_shared/purl.ts";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { keepSecrets, type Parsed, type PolicyDocument } from "../../policy/config.ts";
import { consequencesOf } from "../../policy/difference.ts";
import { formatDuration } from "../../policy/duration.ts";
import { settingsFor } from "../../policy/resolve.ts";
import type { EpochMs } from "../../policy/types.ts";
import type { InstallQueries } from "../../storage/installs/query_types.ts";
import { OrganisationError } from "../../storage/kv/organisation_error.ts";
import type { Organisations } from "../../storage/kv/organisation_types.ts";
import { holds } from "../../storage/tokens.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { ApiError } from "./error.ts";
import { instant, instantText } from "./schemas.ts";
import { told } from "./told.ts";

export interface PreviewApiDeps {
  readonly organisations: Pick<Organisations, "get">;
  readonly parsePolicy: (source: unknown) => Parsed<PolicyDocument>;
  readonly ecosystems: readonly Ecosystem[];
  readonly preview: MakePreview;
  readonly queries: Pick<InstallQueries, "count">;
}

const AREA = "Organisations";
const MAX_POLICY_BYTES = 8_000_000;

const named = z.object({ organisation: z.string() });
const release = {
  purl: z.string(),
  ecosystem: z.string(),
  package: z.string(),
  version: z.string(),
  rule: z.string(),
  reason: z.string(),
};
const previewed = z.object({
  ...release,
  times: z.number().int().meta({ description: "Installs, or of what is allowed newly: refusals" }),
  userCount: z.number().int(),
  users: z.array(z.object({ user: z.string().nullable(), times: z.number().int() })).nullable().meta({
    description: "20 at most, null among them: callers without a name; null: this needs the scope audit too",
  }),
  last: instant,
});
const list = z.object({
  times: z.number().int(),
  userCount: z.number().int(),
  releaseCount: z.number().int(),
  releases: z.array(previewed).meta({ description: "The most often asked for first, 100 at most" }),
});
const preview = z.object({
  since: instant,
  until: instant,
  packages: z.object({
    looked: z.number().int(),
    of: z.number().int(),
    uncached: z.number().int(),
    more: z.boolean().meta({
      description: "Others were asked for too, by their index alone: more than are remembered",
    }),
  }).meta({
    description:
      "How many packages were looked at, the last asked for first, of how many (by their index or a " +
      "file); and of how many of those nothing is cached any more",
  }),
  refused: list.meta({ description: "Installs that were let through and would have been refused" }),
  allowed: list.meta({ description: "What was refused and would have been let through" }),
  letGo: z.object({
    releaseCount: z.number().int(),
    releases: z.array(z.object({ ...release, heldUntil: instant.nullable() })),
  }).meta({ description: "Releases of these packages that are held now and would not be" }),
  consequences: z.array(z.string()),
}).meta({ id: "PolicyPreview" });
const severity = z.string();
const effective = z.object({
  ecosystem: z.string(),
  purlType: z.string(),
  settings: z.object({
    enforcement: z.string(),
    observe: z.array(z.string()),
    minimumAge: z.string(),
    unknownAge: z.string(),
    yanked: severity,
    deprecated: severity,
    publisherDowngrade: z.object({ verdict: severity, window: z.string() }),
    auditFixes: z.object({ enabled: z.boolean(), minimumAge: z.string() }),
    artifacts: z.string(),
  }),
});

export function previewEndpoints(deps: PreviewApiDeps): readonly Endpoint[] {
  const { organisations, parsePolicy, ecosystems } = deps;
  const common = { scope: "policy", whose: "parameter", area: AREA, params: named } as const;
  return [
    endpoint({
      ...common,
      scope: "audit",
      orScope: "policy",
      id: "effectivePolicy",
      method: "GET",
      path: "/organisations/{organisation}/policy/effective",
      summary: "What holds in each ecosystem, with every default filled in.",
      answer: z.object({ ecosystems: z.array(effective) }),
      handle: ({ organisation }) => ({
        body: { ecosystems: ecosystems.map((each) => effectiveIn(organisation.policy, each)) },
      }),
    }),
    endpoint({
      ...common,
      id: "previewPolicy",
      method: "POST",
      path: "/organisations/{organisation}/policy/preview",
      summary: "What this policy would have made of the last 30 days' installs, beside the one in force; " +
        "decided on what is cached, to the day. Changes nothing.",
      isAudited: false,
      maxBytes: MAX_POLICY_BYTES,
      body: z.strictObject({ document: z.json() }),
      answer: preview,
      handle: async ({ organisation, body, principal }) => {
        const current = await organisations.get(organisation.id);
        const draft = await told(() =>
          Promise.resolve(usable(parsePolicy(keepSecrets(body.document, current?.source))))
        );
        const found = await deps.preview({ organisation, draft });
        if (found === null) {
          throw new ApiError(429, "too-many-previews", "Several previews are being made: ask again soon", {
            retryAfterSeconds: 15,
          });
        }
        const shown = shownPreview(found, ecosystems, holds(principal, "audit"));
        const nameless = await namelessInstalls(deps, organisation.id, found.since);
        return { body: { ...shown, consequences: consequencesOf(organisation.policy, draft, nameless) } };
      },
    }),
  ];
}

async function namelessInstalls(
  { queries }: PreviewApiDeps,
  organisation: string,
  since: EpochMs,
): Promise<number> {
  const rows = await queries.count({ organisation, since }, "user");
  return rows.find(({ user }) => user === null)?.installs ?? 0;
}

/** Throws OrganisationError with every mistake. */
function usable(parsed: Parsed<PolicyDocument>): PolicyDocument {
  if (parsed.ok) return parsed.document;
  const { errors } = parsed;
  const many = errors.length === 1 ? "there is a mistake" : `there are ${errors.length} mistakes`;
  throw new OrganisationError(`Cannot preview this policy: ${many} in it`, "invalid-policy", errors);
}

function effectiveIn(policy: PolicyDocument, ecosystem: Ecosystem) {
  const settings = settingsFor(policy, ecosystem);
  const { publisherDowngrade, auditFixes } = settings;
  return {
    ecosystem: ecosystem.id,
    purlType: ecosystem.purlType,
    settings: {
      ...settings,
      minimumAge: formatDuration(settings.minimumAge),
      publisherDowngrade: { ...publisherDowngrade, window: formatDuration(publisherDowngrade.window) },
      auditFixes: { ...auditFixes, minimumAge: formatDuration(auditFixes.minimumAge) },
    },
  };
}

function shownPreview(found: Preview, ecosystems: readonly Ecosystem[], withUsers: boolean) {
  const typeOf = (ecosystem: string) => ecosystems.find(({ id }) => id === ecosystem)?.purlType ?? ecosystem;
  const purlOf = (of: { readonly ecosystem: string; readonly package: string; readonly version: string }) =>
    formatPurl({ type: typeOf(of.ecosystem), name: of.package, version: of.version });
  const shown = (list: Preview["refused"]) => ({
    ...list,
    releases: list.releases.map((each) => ({
      ...each,
      purl: purlOf(each),
      users: withUsers ? each.users : null,
      last: instantText(each.last),
    })),
  });
  return {
    since: instantText(found.since),
    until: instantText(found.until),
    packages: found.packages,
    refused: shown(found.refused),
    allowed: shown(found.allowed),
    letGo: {
      ...found.letGo,
      releases: found.letGo.releases.map((each) => ({
        ...each,
        purl: purlOf(each),
        heldUntil: instantText(each.heldUntil),
      })),
    },
  };
}
