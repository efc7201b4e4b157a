/** Freezes: packages held at what they were, so that newer releases are withheld. */
import * as z from "zod";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { notMirroredText } from "../../ecosystems/mirrors.ts";
import { formatPurl, parsePurl } from "../../ecosystems/_shared/purl.ts";
import { releasedAt } from "../../policy/timeline.ts";
import type { EpochMs, Freeze, PackageFacts } from "../../policy/types.ts";
import type { FirstSeenTimes } from "../../storage/kv/packages.ts";
import type { Organisations } from "../../storage/kv/organisation_types.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Clock } from "../../storage/runtime.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { notFound, wrongField } from "./error.ts";
import { givenInstant, instant, instantText } from "./schemas.ts";
import { told } from "./told.ts";

const AREA = "Freezes and snapshots";
const MAX_NAME = 512;

export interface FreezeApiDeps {
  readonly organisations: Organisations;
  readonly ecosystems: readonly Ecosystem[];
  /** From storage, else upstream; null: there is no such package. `not-mirrored`: this Sluice serves none of it. */
  readonly lookUp: (query: {
    readonly organisation: OrganisationView;
    readonly ecosystem: Ecosystem;
    readonly name: string;
    readonly asker: string;
  }) => Promise<
    { readonly facts: PackageFacts; readonly firstSeen: FirstSeenTimes | null } | "not-mirrored" | null
  >;
  readonly clock: Clock;
}

const freeze = z.object({
  purl: z.string(),
  ecosystem: z.string(),
  name: z.string(),
  at: instant.meta({ description: "What came later is withheld" }),
  reason: z.string().nullable(),
  owner: z.string().nullable(),
  until: instant.nullable().meta({ description: "null: until it is lifted" }),
}).meta({ id: "Freeze" });

const purl = z.string().max(1_024, "at most 1,024 characters").meta({
  description: "pkg:npm/left-pad; with a version, the freeze is at when that release was published",
});
const newFreeze = z.strictObject({
  purl,
  at: givenInstant.optional().meta({ description: "A past instant; default: now" }),
  reason: z.string().max(500, "at most 500 characters").optional(),
  until: givenInstant.optional().meta({ description: "When it ends by itself; default: never" }),
});

export function freezeEndpoints(deps: FreezeApiDeps): readonly Endpoint[] {
  const { organisations } = deps;
  const common = { scope: "policy", whose: "address", area: AREA } as const;
  return [
    endpoint({
      ...common,
      scope: "audit",
      orScope: "policy",
      id: "listFrozen",
      method: "GET",
      path: "/frozen",
      summary: "The organisation's freezes that have not ended, or one package's.",
      query: z.strictObject({ purl: purl.optional() }),
      answer: z.object({ frozen: z.array(freeze) }),
      handle: async ({ organisation, query }) => {
        const wanted = query.purl === undefined ? null : packageOf(deps, query.purl, "query.purl");
        const all = await told(() => organisations.freezes(organisation.id));
        const frozen = all.filter(({ id }) => wanted === null || id === idOf(wanted));
        return { body: { frozen: frozen.map((each) => shown(deps, each)) } };
      },
    }),
    endpoint({
      ...common,
      id: "freezePackage",
      method: "POST",
      path: "/freeze",
      summary:
        "Freezes a package at what it was, in force within a second; a freeze that it has is replaced.",
      body: newFreeze,
      answer: freeze,
      handle: async (call) => {
        const made = await freezeOf(deps, call);
        const before = await freezeNamed(deps, call.organisation, made.id);
        await told(() => organisations.addFreeze(call.organisation.id, made));
        call.note({ subject: shown(deps, made).purl, before: toldFreeze(before), after: toldFreeze(made) });
        return { status: 201, body: shown(deps, made) };
      },
    }),
    endpoint({
      ...common,
      id: "unfreezePackage",
      method: "POST",
      path: "/unfreeze",
      summary: "Lifts a package's freeze, within a second.",
      body: z.strictObject({ purl }),
      answer: z.object({ purl: z.string() }),
      handle: async ({ organisation, body, note }) => {
        const named = packageOf(deps, body.purl, "body.purl");
        const before = await freezeNamed(deps, organisation, idOf(named));
        note({ subject: purlOf(named), before: toldFreeze(before) });
        if (await told(() => organisations.removeFreeze(organisation.id, idOf(named)))) {
          return { body: { purl: purlOf(named) } };
        }
        throw notFound("not-frozen", `${purlOf(named)} is not frozen`);
      },
    }),
  ];
}

async function freezeNamed(
  { organisations }: FreezeApiDeps,
  organisation: OrganisationView,
  id: string,
): Promise<Freeze | null> {
  const all = await told(() => organisations.freezes(organisation.id));
  return all.find((each) => each.id === id) ?? null;
}

/** For the audit trail, where the package is the subject. */
function toldFreeze(freeze: Freeze | null) {
  if (freeze === null) return {};
  const { at, reason, until } = freeze;
  return { "as of": instantText(at), reason, until: instantText(until) };
}

interface Named {
  readonly ecosystem: Ecosystem;
  readonly name: string;
  readonly version: string | null;
}

/** Throws ApiError, which names the field. */
function packageOf({ ecosystems }: FreezeApiDeps, text: string, field: string): Named {
  const read = parsePurl(text);
  if (read === null || read.name.length > MAX_NAME) {
    throw wrongField(field, `${JSON.stringify(text)} is no purl: write pkg:npm/left-pad`);
  }
  const ecosystem = ecosystems.find(({ purlType }) => purlType === read.type);
  if (ecosystem === undefined) {
    const known = ecosystems.map(({ purlType }) => `pkg:${purlType}/`).join(", ");
    throw wrongField(field, `${JSON.stringify(text)} is of no ecosystem here: ${known}`);
  }
  return { ecosystem, name: ecosystem.canonicalName?.(read.name) ?? read.name, version: read.version };
}

async function freezeOf(
  deps: FreezeApiDeps,
  { organisation, principal, body }: Call<unknown, unknown, z.output<typeof newFreeze>>,
): Promise<Freeze> {
  const now = deps.clock();
  const named = packageOf(deps, body.purl, "body.purl");
  const { ecosystem, name, version } = named;
  if (version !== null && body.at !== undefined) {
    throw wrongField("body.at", "A purl with a version says the instant already: leave one of them away");
  }
  if (body.at !== undefined && body.at > now) throw wrongField("body.at", "This instant is in the future");
  const found = await deps.lookUp({ organisation, ecosystem, name, asker: `api ${principal.id}` });
  if (found === "not-mirrored") {
    throw wrongField("body.purl", notMirroredText(ecosystem, purlOf(named)), found);
  }
  if (found === null) {
    throw wrongField("body.purl", `There is no package ${purlOf(named)}`, "unknown-package");
  }
  const at = version === null ? body.at ?? now : releaseDate(deps, found, { ...named, version });
  const until = body.until ?? null;
  if (until !== null && until <= now) throw wrongField("body.until", "This end has passed");
  return {
    id: idOf(named),
    ecosystem: ecosystem.id,
    name,
    at,
    reason: body.reason ?? null,
    owner: principal.user,
    until,
  };
}

function releaseDate(
  { clock }: FreezeApiDeps,
  { facts, firstSeen }: { readonly facts: PackageFacts; readonly firstSeen: FirstSeenTimes | null },
  { ecosystem, name, version }: Named & { readonly version: string },
): EpochMs {
  const { compare, isValid } = ecosystem.versions;
  const release = facts.releases.find((each) => each.version === version) ??
    facts.releases.find((each) => isValid(version) && compare(each.version, version) === 0);
  const clocks = { now: clock(), firstSeen: (filename: string) => firstSeen?.of(filename) ?? null };
  const at = release === undefined ? null : releasedAt(release, clocks);
  if (at !== null) return at;
  throw wrongField("body.purl", `${name} has no release ${JSON.stringify(version)}`, "unknown-release");
}

/** One freeze for each package. */
function idOf({ ecosystem, name }: Pick<Named, "ecosystem" | "name">): string {
  return `${ecosystem.id}/${name}`;
}

function purlOf({ ecosystem, name }: Pick<Named, "ecosystem" | "name">): string {
  return formatPurl({ type: ecosystem.purlType, name, version: null });
}

function shown({ ecosystems }: FreezeApiDeps, { ecosystem, name, at, reason, owner, until }: Freeze) {
  const type = ecosystems.find(({ id }) => id === ecosystem)?.purlType ?? ecosystem;
  return {
    purl: formatPurl({ type, name, version: null }),
    ecosystem,
    name,
    at: instantText(at),
    reason,
    owner,
    until: instantText(until),
  };
}
