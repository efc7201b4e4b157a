/** Where exceptions are asked for and answered: by a form, a page or the API, all of them through here. */
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { notMirroredText } from "../../ecosystems/mirrors.ts";
import type { OutlookQuery, WaiverOutlook } from "../../ecosystems/why.ts";
import { formatPurl } from "../../ecosystems/_shared/purl.ts";
import type { EpochMs, Waiver } from "../../policy/types.ts";
import { createHourlyBudget } from "../../storage/kv/hourly_budget.ts";
import type { Organisations } from "../../storage/kv/organisation_types.ts";
import { lapseOf } from "../../storage/kv/waiver_requests.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Clock } from "../../storage/runtime.ts";
import type { WaiverAsker, WaiverRequest, WaiverRequests } from "../../storage/waivers.ts";
import type { WaiverEvent } from "../../storage/webhook_message.ts";
import { ApiError, notFound, wrongField } from "../api/error.ts";
import { told } from "../api/told.ts";
import { networkOf } from "../peer.ts";
import {
  LONGEST_MS,
  maturing,
  mustBeReadable,
  mustBeRefused,
  mustBeTheirs,
  mustEnd,
  mustHelp,
} from "./checks.ts";
import type { Asking, Granting, WaiverDesk } from "./types.ts";

/** An hour, of one address (of IPv6, one network) whose name nobody verified. */
const PER_ADDRESS = 6;
/** An hour, of all of these together, in one organisation. */
const PER_ORGANISATION = 60;
/** An hour, of one member. */
const PER_MEMBER = 30;
const REQUESTS_LOOKED_AT = 50;

export interface WaiverDeskDeps {
  readonly organisations: Pick<Organisations, "addWaiver">;
  readonly requests: WaiverRequests;
  readonly outlook: (query: OutlookQuery) => Promise<WaiverOutlook | null>;
  /** From storage, else upstream: for those who grant. null: there is no such package; `not-mirrored`: none of it is served. */
  readonly lookUp: (query: {
    readonly organisation: OrganisationView;
    readonly ecosystem: Ecosystem;
    readonly name: string;
    readonly asker: string;
  }) => Promise<unknown>;
  readonly tell: (event: WaiverEvent) => void;
  /** Of a request's ecosystem, name and version. */
  readonly purlOf: (of: Pick<WaiverRequest, "ecosystem" | "name" | "version">) => string;
  /** Unique, rising with time. */
  readonly newId: () => string;
  /** What precedes `/-/admin`, absolute, no trailing slash. */
  readonly root: string;
  readonly clock: Clock;
}

export function createWaiverDesk(deps: WaiverDeskDeps): WaiverDesk {
  const { organisations, requests, clock, newId } = deps;
  const perAddress = createHourlyBudget({ perHour: PER_ADDRESS, clock });
  const perOrganisation = createHourlyBudget({ perHour: PER_ORGANISATION, clock });
  const perMember = createHourlyBudget({ perHour: PER_MEMBER, clock });

  const ask: WaiverDesk["ask"] = async (asking) => {
    const { view, subject, asker, until } = asking;
    mustBeReadable(subject);
    mustEnd(until, clock());
    const outlook = await deps.outlook({ organisation: view, ...subject });
    if (outlook === null) {
      throw notFound(
        "unknown-package",
        "Nothing is known of this package here: ask your client for it first",
      );
    }
    mustBeRefused(subject, outlook);
    if (until === null) maturing(outlook);
    const same = await openOf(asking);
    if (same !== null) return { request: same, isNew: false };
    mustBeWithinBudget(view, asker);
    const now = clock();
    const request: WaiverRequest = {
      id: newId(),
      ecosystem: subject.ecosystem.id,
      name: subject.name,
      version: subject.version,
      range: subject.range,
      reason: asking.reason,
      ticket: asking.ticket,
      until,
      asker,
      askedAt: now,
      lapsesAt: lapseOf(now),
      decisionId: asking.decisionId,
      answer: null,
    };
    if (await told(() => requests.add(view.id, request)) === "full") throw TOO_MANY_OPEN;
    tell(view, request, {
      state: "asked",
      link: `${deps.root}/-/admin/${view.id}/waivers/requests/${request.id}`,
    });
    return { request, isNew: true };
  };

  /** Nobody needs to ask for the same twice. */
  async function openOf({ view, subject, asker }: Asking): Promise<WaiverRequest | null> {
    const { ecosystem, name, version, range } = subject;
    const of = { ecosystem: ecosystem.id, name, limit: REQUESTS_LOOKED_AT };
    const all = await told(() => requests.ofPackage(view.id, of));
    return all.find((each) =>
      each.answer === null && each.version === version && each.range === range &&
      each.asker.user === asker.user && each.asker.isVerified === asker.isVerified &&
      (asker.isVerified || each.asker.address === asker.address)
    ) ?? null;
  }

  function mustBeWithinBudget({ id }: OrganisationView, { user, isVerified, address }: WaiverAsker): void {
    const isWithin = isVerified
      ? perMember.take(`${id}\n${user}`)
      : perAddress.take(`${id}\n${networkOf(address)}`) && perOrganisation.take(id);
    if (isWithin) return;
    throw new ApiError(429, "too-many-requests", "Too many exceptions were asked for: try again in an hour", {
      retryAfterSeconds: 3_600,
    });
  }

  /** The waiver as it is to be added. */
  async function drafted(
    granting: Granting,
    given: Pick<Waiver, "id" | "reason" | "ticket" | "askedBy">,
  ): Promise<Waiver> {
    const { subject, principal, until, lifts } = granting;
    mustBeReadable(subject);
    mustEnd(until, clock());
    mustBeTheirs(principal, lifts);
    const outlook = await known(granting);
    if (outlook === null && until === null) {
      throw notFound("unknown-package", `There is no package ${subject.name}: say until when it shall hold`);
    }
    if (outlook !== null) mustHelp(subject, outlook, lifts);
    const endsAt = until ?? maturing(outlook!);
    if (endsAt - clock() > LONGEST_MS) {
      throw wrongField("body.until", "It matures in more than a year: say until when it shall hold");
    }
    return {
      ...given,
      ecosystem: subject.ecosystem.id,
      name: subject.name,
      version: subject.version,
      ...(subject.range === null ? {} : { range: subject.range }),
      ...(lifts === null ? {} : { lifts }),
      ...(until === null ? { endsMature: true } : {}),
      owner: principal.user,
      createdAt: clock(),
      until: endsAt,
      kind: "granted",
    };
  }

  /** Those who grant may have it looked up upstream. */
  async function known({ view, subject, principal }: Granting): Promise<WaiverOutlook | null> {
    const query = { organisation: view, ...subject };
    const cached = await deps.outlook(query);
    if (cached !== null) return cached;
    const { ecosystem, name } = subject;
    const found = await deps.lookUp({ organisation: view, ecosystem, name, asker: `api ${principal.id}` });
    if (found === "not-mirrored") throw notFound(found, notMirroredText(ecosystem, JSON.stringify(name)));
    return found === null ? null : await deps.outlook(query);
  }

  const grantUnasked: WaiverDesk["grantUnasked"] = async (granting) => {
    const { view, reason, ticket } = granting;
    const waiver = await drafted(granting, { id: `w-${newId()}`, reason, ticket });
    await told(() => organisations.addWaiver(view.id, waiver));
    tell(view, { ...waiver, asker: NOBODY, range: waiver.range ?? null, ticket }, {
      state: "granted",
      by: waiver.owner,
      until: waiver.until,
      link: whyLink(granting),
    });
    return waiver;
  };

  const grant: WaiverDesk["grant"] = async (granting) => {
    const { view, request, word, principal } = granting;
    const { reason, ticket, asker } = request;
    const waiver = await drafted(granting, { id: `w-${request.id}`, reason, ticket, askedBy: asker.user });
    const answered = await told(() =>
      requests.answer(view.id, request.id, {
        answer: {
          granted: true,
          by: principal.user,
          at: clock(),
          word,
          waiver: { id: waiver.id, until: waiver.until },
        },
        waiver,
      })
    );
    if (answered === null) throw await answeredAlready(view, request);
    tell(view, { ...answered, version: waiver.version, range: waiver.range ?? null }, {
      state: "granted",
      by: principal.user,
      word,
      until: waiver.until,
      link: whyLink(granting),
    });
    return { request: answered, waiver };
  };

  const decline: WaiverDesk["decline"] = async ({ view, site, principal, request, word }) => {
    const answer = { granted: false, by: principal.user, at: clock(), word, waiver: null };
    const answered = await told(() => requests.answer(view.id, request.id, { answer, waiver: null }));
    if (answered === null) throw await answeredAlready(view, request);
    tell(view, answered, {
      state: "declined",
      by: principal.user,
      word,
      link: `${site}/-/why/${deps.purlOf(request)}`,
    });
    return answered;
  };

  async function answeredAlready(view: OrganisationView, { id }: WaiverRequest): Promise<ApiError> {
    const now = await requests.get(view.id, id);
    const answer = now?.answer ?? null;
    const what = answer === null
      ? "It lapsed unanswered"
      : `${answer.by} ${answer.granted ? "granted" : "declined"} it already`;
    return new ApiError(409, "answered-already", what);
  }

  function tell(
    view: OrganisationView,
    about:
      & Pick<WaiverRequest, "id" | "asker" | "ecosystem" | "name" | "version" | "range" | "reason" | "ticket">
      & {
        readonly until: EpochMs | null;
      },
    said: Pick<WaiverEvent, "state" | "link"> & Partial<Pick<WaiverEvent, "by" | "word" | "until">>,
  ): void {
    const { id, asker, ecosystem, name, version, range, reason, ticket } = about;
    deps.tell({
      event: "waiver",
      at: clock(),
      organisation: view.id,
      id,
      user: asker.user,
      isVerified: asker.isVerified,
      by: null,
      ecosystem,
      package: name,
      version: version ?? range ?? "",
      reason,
      ticket,
      word: null,
      until: about.until,
      ...said,
    });
  }

  return { ask, grantUnasked, grant, decline };
}

const NOBODY: WaiverAsker = { user: null, isVerified: true, address: "" };
const TOO_MANY_OPEN = new ApiError(
  429,
  "too-many-open",
  "Too many exceptions wait for an answer in this organisation: try again once some were answered",
  { retryAfterSeconds: 3_600 },
);

function whyLink({ site, subject: { ecosystem, name, version } }: Granting): string {
  return `${site}/-/why/${formatPurl({ type: ecosystem.purlType, name, version })}`;
}
