/** Organisations, their policies with history, their waivers; and the instance's floor. */
import * as z from "zod";
import {
  keepSecrets,
  type Parsed,
  type PolicyError,
  redactChange,
  redactPolicy,
} from "../../policy/config.ts";
import type { Waiver } from "../../policy/types.ts";
import type { Organisations, StoredDocument } from "../../storage/kv/organisation_types.ts";
import { OrganisationError } from "../../storage/kv/organisation_error.ts";
import type { Revision } from "../../storage/kv/revisions.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { notFound } from "./error.ts";
import { instant, instantText } from "./schemas.ts";
import { told } from "./told.ts";
import { type AddressReport, type CheckAddress, checkAddresses } from "./webhook_addresses.ts";
import { shownWaiver, toldWaiver, waiver } from "./waiver_schemas.ts";

const AREA = "Organisations";
/** Policies with long lists are a few megabytes. */
const MAX_POLICY_BYTES = 8_000_000;

export interface OrganisationApiDeps {
  readonly organisations: Organisations;
  /** Every mistake in a document. */
  readonly parsePolicy: (source: unknown) => Parsed<unknown>;
  readonly parseFloor: (source: unknown) => Parsed<unknown>;
  /** Whether anything may be sent to a webhook's address. */
  readonly checkAddress: CheckAddress;
}

const revision = z.object({
  revision: z.number().int(),
  at: instant.nullable().meta({ description: "null: never written" }),
  author: z.string(),
  message: z.string(),
}).meta({ id: "Revision" });

const document = z.json().meta({ description: "The document as it was written; secrets are shown as (set)" });
const mistake = z.object({ path: z.string(), value: z.string(), expected: z.string() }).meta({
  id: "Mistake",
});
const change = z.strictObject({
  document,
  message: z.string().max(1_000).optional(),
  expectedRevision: z.number().int().min(0).optional().meta({
    description: "The revision that this was made upon: another one by now is 409, and nothing is changed",
  }),
});
const summary = z.object({
  id: z.string(),
  revision: z.number().int(),
  createdAt: instant,
  createdBy: z.string(),
  updatedAt: instant,
}).meta({ id: "Organisation" });

/** A document with its history, whichever it is. */
interface Documents {
  readonly what: string;
  get(): Promise<StoredDocument<unknown> | null>;
  revision(revision: number): Promise<StoredDocument<unknown> | null>;
  history(): Promise<readonly Revision[]>;
  write(change: {
    readonly source: unknown;
    readonly author: string;
    readonly message?: string;
    readonly expectedRevision?: number;
  }): Promise<StoredDocument<unknown>>;
  restore(revision: number, author: string): Promise<StoredDocument<unknown>>;
  parse(source: unknown): Parsed<unknown>;
  /** What no schema can tell. */
  look(change: { readonly source: unknown; readonly before: unknown }): Promise<AddressReport>;
}

const named = z.object({ organisation: z.string() });

export function organisationEndpoints(deps: OrganisationApiDeps): readonly Endpoint[] {
  const { organisations } = deps;
  const policyOf = ({ organisation: { id } }: Call): Documents => ({
    what: `policy of organisation ${JSON.stringify(id)}`,
    get: () => organisations.get(id),
    revision: (number) => organisations.revision(id, number),
    history: () => organisations.history(id),
    write: (given) => organisations.set({ id, ...given }),
    restore: (number, author) => organisations.restore(id, number, author),
    parse: deps.parsePolicy,
    look: (change) => checkAddresses(deps.checkAddress, change),
  });
  const floorOf = (): Documents => ({
    what: "instance's floor",
    get: () => organisations.floor(),
    revision: (number) => organisations.floorRevision(number),
    history: () => organisations.floorHistory(),
    write: (given) => organisations.setFloor(given),
    restore: (number, author) => organisations.restoreFloor(number, author),
    parse: deps.parseFloor,
    look: () => Promise.resolve({ mistakes: [], warnings: [] }),
  });
  return [
    ...wholeEndpoints(deps),
    ...documentEndpoints({ id: "Policy", path: "/organisations/{organisation}/policy", of: policyOf }),
    ...documentEndpoints({ id: "Floor", path: "/floor", of: floorOf }),
    ...waiverEndpoints(organisations),
  ];
}

function wholeEndpoints(deps: OrganisationApiDeps): readonly Endpoint[] {
  const { organisations } = deps;
  return [
    endpoint({
      id: "listOrganisations",
      method: "GET",
      path: "/organisations",
      scope: "policy",
      whose: "instance",
      area: AREA,
      summary: "All organisations.",
      answer: z.object({ organisations: z.array(summary) }),
      handle: async () => ({
        body: {
          organisations: (await organisations.list()).map((each) => ({
            ...each,
            createdAt: instantText(each.createdAt),
            updatedAt: instantText(each.updatedAt),
          })),
        },
      }),
    }),
    endpoint({
      id: "createOrganisation",
      method: "POST",
      path: "/organisations",
      scope: "admin",
      whose: "instance",
      area: AREA,
      summary: "A new organisation, with a policy or every default.",
      maxBytes: MAX_POLICY_BYTES,
      body: z.strictObject({ id: z.string(), document: document.optional(), message: z.string().optional() }),
      answer: z.object({ id: z.string(), revision: z.number().int() }),
      handle: async ({ body, principal, note }) => {
        const { mistakes } = await checkAddresses(deps.checkAddress, { source: body.document, before: null });
        await told(() => refuse(mistakes, { parse: deps.parsePolicy, source: body.document }));
        note({ subject: body.id, after: redactPolicy(body.document ?? {}) });
        const made = await told(() =>
          organisations.create(body.id, {
            author: principal.user,
            ...(body.document === undefined ? {} : { source: body.document }),
            ...(body.message === undefined ? {} : { message: body.message }),
          }), "body.id");
        return { status: 201, body: { id: body.id, revision: made.revision } };
      },
    }),
    endpoint({
      id: "deleteOrganisation",
      method: "DELETE",
      path: "/organisations/{organisation}",
      scope: "admin",
      whose: "instance",
      area: AREA,
      summary: "Its policy, history and waivers go; its install log stays.",
      params: named,
      handle: async ({ params, note }) => {
        const before = (await told(() => organisations.get(params.organisation)))?.source;
        await told(() => organisations.delete(params.organisation));
        // Its revisions are gone with it.
        note({ subject: params.organisation, before: redactPolicy(before) });
        return { status: 204 };
      },
    }),
  ];
}

function documentEndpoints(options: {
  readonly id: "Policy" | "Floor";
  readonly path: string;
  readonly of: (call: Call) => Documents;
}): readonly Endpoint[] {
  const { id, path, of } = options;
  // Whoever sees what a policy did sees the policy.
  const reading = id === "Policy" ? { scope: "audit", orScope: "policy" } as const : {};
  const common = {
    scope: "policy",
    whose: id === "Policy" ? "parameter" : "instance",
    area: AREA,
    maxBytes: MAX_POLICY_BYTES,
    params: id === "Policy" ? named : z.object({}),
  } as const;
  const answer = z.object({ ...revision.shape, document });
  return [
    endpoint({
      ...common,
      ...reading,
      id: `get${id}`,
      method: "GET",
      path,
      summary: "As it was written, or as an older revision has it.",
      query: z.strictObject({
        revision: z.string().regex(/^\d{1,9}$/, "a whole number").transform(Number).optional(),
      }),
      answer,
      handle: async (call) => {
        const documents = of(call);
        const number = call.query.revision;
        const found = await told(() => number === undefined ? documents.get() : documents.revision(number));
        if (found === null) {
          throw notFound("no-such-revision", `There is no revision ${number} of the ${documents.what}`);
        }
        return { body: { ...shownRevision(found), document: redactPolicy(found.source) } };
      },
    }),
    endpoint({
      ...common,
      id: `put${id}`,
      method: "PUT",
      path,
      summary: "Replaces it; in force within a second. A secret shown as (set) stays what it is.",
      body: change,
      answer: revision.extend({
        warnings: z.array(z.string()).meta({
          description: "What may be wrong, and was written all the same",
        }),
      }),
      handle: async (call) => {
        const { body, principal } = call;
        const documents = of(call);
        const before = (await documents.get())?.source;
        const source = keepSecrets(body.document, before);
        const { mistakes, warnings } = await documents.look({ source, before });
        await told(() => refuse(mistakes, { parse: documents.parse, source }));
        const stored = await told(() =>
          documents.write({
            source,
            author: principal.user,
            ...(body.message === undefined ? {} : { message: body.message }),
            ...(body.expectedRevision === undefined ? {} : { expectedRevision: body.expectedRevision }),
          })
        );
        call.note({ subject: whichRevision(stored), ...redactChange(before, source) });
        return { body: { ...shownRevision(stored), warnings: [...warnings] } };
      },
    }),
    endpoint({
      ...common,
      id: `validate${id}`,
      method: "POST",
      path: `${path}/validate`,
      summary: "Every mistake in a document, without changing anything.",
      isAudited: false,
      body: z.strictObject({ document }),
      answer: z.object({ mistakes: z.array(mistake) }),
      handle: async (call) => {
        const documents = of(call);
        const before = (await documents.get())?.source;
        const source = keepSecrets(call.body.document, before);
        const { mistakes } = await documents.look({ source, before });
        return { body: { mistakes: [...mistakesIn(documents.parse(source)), ...mistakes] } };
      },
    }),
    endpoint({
      ...common,
      ...reading,
      id: `list${id}Revisions`,
      method: "GET",
      path: `${path}/history`,
      summary: "Its revisions, the newest first.",
      answer: z.object({ revisions: z.array(revision) }),
      handle: async (call) => ({ body: { revisions: (await of(call).history()).map(shownRevision) } }),
    }),
    endpoint({
      ...common,
      id: `restore${id}`,
      method: "POST",
      path: `${path}/restore`,
      summary: "Writes an older revision as the newest.",
      body: z.strictObject({
        revision: z.number().int().min(1),
        expectedRevision: change.shape.expectedRevision,
      }),
      answer: revision,
      handle: async (call) => {
        const documents = of(call);
        const before = (await documents.get())?.source;
        const stored = await told(() => restored(documents, call.body, call.principal.user));
        call.note({
          subject: `${whichRevision(stored)}, from revision ${call.body.revision}`,
          ...redactChange(before, stored.source),
        });
        return { body: shownRevision(stored) };
      },
    }),
  ];
}

function mistakesIn(parsed: Parsed<unknown>): readonly PolicyError[] {
  return parsed.ok ? [] : parsed.errors;
}

/** Throws OrganisationError with these mistakes, and those that the document has beside them. */
function refuse(
  mistakes: readonly PolicyError[],
  { parse, source }: { readonly parse: (source: unknown) => Parsed<unknown>; readonly source: unknown },
): Promise<void> {
  if (mistakes.length === 0) return Promise.resolve();
  const all = [...mistakesIn(parse(source)), ...mistakes];
  const count = all.length === 1 ? "there is a mistake" : `there are ${all.length} mistakes`;
  return Promise.reject(new OrganisationError(`Cannot write this: ${count} in it`, "invalid-policy", all));
}

async function restored(
  documents: Documents,
  given: { readonly revision: number; readonly expectedRevision?: number | undefined },
  author: string,
): Promise<StoredDocument<unknown>> {
  const { revision, expectedRevision } = given;
  if (expectedRevision === undefined) return await documents.restore(revision, author);
  const old = await documents.revision(revision);
  if (old === null) {
    throw notFound(
      "no-such-revision",
      `There is no revision ${revision} of the ${documents.what} (any more)`,
    );
  }
  const message = `restores revision ${revision}`;
  return await documents.write({ source: old.source, author, message, expectedRevision });
}

function waiverEndpoints(organisations: Organisations): readonly Endpoint[] {
  const common = { scope: "approve", whose: "parameter", area: AREA } as const;
  return [
    endpoint({
      ...common,
      id: "listWaivers",
      method: "GET",
      path: "/organisations/{organisation}/waivers",
      summary: "Those that have not ended.",
      params: named,
      answer: z.object({ waivers: z.array(waiver) }),
      handle: async ({ organisation }) => ({
        body: { waivers: (await organisations.waivers(organisation.id)).map(shownWaiver) },
      }),
    }),
    endpoint({
      ...common,
      id: "revokeWaiver",
      method: "DELETE",
      path: "/organisations/{organisation}/waivers/{id...}",
      summary: "Ends one, in force within a second.",
      params: z.object({ organisation: z.string(), id: z.string() }),
      handle: async ({ organisation, params, principal, note }) => {
        const found = organisation.waivers.find(({ id }) => id === params.id);
        if (await told(() => organisations.revokeWaiver(organisation.id, params.id, principal.user))) {
          note({ subject: params.id, ...(found === undefined ? {} : { before: toldOf(found) }) });
          return { status: 204 };
        }
        throw notFound("no-such-waiver", `There is no waiver ${JSON.stringify(params.id)}`);
      },
    }),
  ];
}

/** Of one that a call names by its id alone. */
function toldOf(each: Waiver) {
  const { ecosystem, name, version } = each;
  return { ecosystem, name, version, ...toldWaiver(each) };
}

function whichRevision({ revision }: Revision): string {
  return `revision ${revision}`;
}

function shownRevision({ revision, at, author, message }: Revision) {
  return { revision, at: at === 0 ? null : instantText(at), author, message };
}
