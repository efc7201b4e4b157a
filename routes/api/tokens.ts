/** Tokens: made, listed, revoked. An organisation's admin sees and makes that organisation's alone. */
import * as z from "zod";
import type { EpochMs } from "../../policy/types.ts";
import { SCOPES, TokenError, type TokenInfo, type Tokens } from "../../storage/tokens.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { ApiError, notFound, wrongField } from "./error.ts";
import { givenInstant, instant, instantText } from "./schemas.ts";

const AREA = "Tokens";
const scopes = z.array(z.enum(SCOPES));

export const token = z.object({
  id: z.string(),
  user: z.string(),
  organisation: z.string().nullable().meta({ description: "null: the whole instance" }),
  scopes,
  ecosystems: z.array(z.string()).nullable().meta({ description: "null: all of them" }),
  description: z.string(),
  kind: z.enum(["header", "path"]),
  createdAt: instant,
  createdBy: z.string(),
  expiresAt: instant.nullable(),
  lastUsedAt: instant.nullable().meta({ description: "To the hour" }),
}).meta({ id: "Token" });

const USER = /^(?!\s)[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}:]{1,128}(?<!\s)$/u;

const newToken = z.strictObject({
  user: z.string().regex(USER, "a user name: 1 to 128 visible characters without a colon"),
  organisation: z.string().nullable().optional().meta({
    description: "Default: the address's; null: the whole instance, for the instance's admin alone",
  }),
  scopes: scopes.default(["read"]),
  ecosystems: z.array(z.string()).min(1).nullable().default(null),
  description: z.string().max(200, "at most 200 characters").default(""),
  kind: z.enum(["header", "path"]).default("header").meta({
    description: "path: for addresses (/t/TOKEN/), reads only, for 24 hours at most",
  }),
  expiresAt: givenInstant.nullable().default(null).meta({
    description: "null: never; of kind path: in 24 hours",
  }),
});

/** What the endpoints of this file work with. */
export interface TokenApiDeps {
  readonly tokens: Tokens;
  readonly ecosystemIds: readonly string[];
  /** Whether there is such an organisation. */
  readonly hasOrganisation: (id: string) => Promise<boolean>;
}

export function tokenEndpoints(deps: TokenApiDeps): readonly Endpoint[] {
  const { tokens } = deps;
  return [
    endpoint({
      id: "listTokens",
      method: "GET",
      path: "/tokens",
      scope: "admin",
      whose: "address",
      area: AREA,
      summary: "Lists the tokens, the newest first; the instance's admin sees every organisation's, " +
        "unless the address or the query names one.",
      query: z.strictObject({
        organisation: z.string().optional().meta({ description: "Only that organisation's" }),
      }),
      answer: z.object({ tokens: z.array(token) }),
      handle: async (call) => ({
        body: { tokens: (await tokens.list(await wantedOwner(deps, call))).map(shownToken) },
      }),
    }),
    endpoint({
      id: "createToken",
      method: "POST",
      path: "/tokens",
      scope: "admin",
      whose: "address",
      area: AREA,
      summary: "Makes a token. Its secret is in this answer and nowhere else.",
      body: newToken,
      answer: z.object({ secret: z.string(), token }),
      handle: (call) => create(deps, call),
    }),
    endpoint({
      id: "revokeToken",
      method: "DELETE",
      path: "/tokens/{id}",
      scope: "admin",
      whose: "address",
      area: AREA,
      summary: "Revokes a token, in force everywhere within a second.",
      params: z.object({ id: z.string() }),
      handle: async (call) => {
        const owner = ownerOf(call);
        const found = await tokens.get(call.params.id);
        const isTheirs = found !== null && (owner === undefined || found.organisation === owner);
        if (!isTheirs || !await tokens.revoke(found.id)) {
          throw notFound("no-such-token", `There is no token ${JSON.stringify(call.params.id)}`);
        }
        call.note({ subject: found.id, organisation: found.organisation, before: toldToken(found) });
        return { status: 204 };
      },
    }),
  ];
}

/** Whose tokens a caller sees: their organisation's; `undefined`: everybody's. */
function ownerOf({ principal, organisation }: Call): string | undefined {
  return principal.organisation === null ? undefined : organisation.id;
}

/** Whose tokens are listed: the caller's own organisation's; of the instance's callers the one that they name. */
async function wantedOwner(
  { hasOrganisation }: TokenApiDeps,
  call: Call<unknown, { readonly organisation?: string | undefined }>,
): Promise<string | undefined> {
  const { query: { organisation: named }, principal, organisation, isNamed } = call;
  if (named !== undefined && principal.organisation !== null && named !== principal.organisation) {
    throw new ApiError(403, "not-yours", `This token is not for organisation ${JSON.stringify(named)}`);
  }
  if (named !== undefined && !await hasOrganisation(named)) {
    throw wrongField("query.organisation", `There is no organisation ${JSON.stringify(named)}`);
  }
  if (principal.organisation !== null) return organisation.id;
  return named ?? (isNamed ? organisation.id : undefined);
}

async function create(deps: TokenApiDeps, call: Call<unknown, unknown, z.output<typeof newToken>>) {
  const { body, principal } = call;
  const organisation = body.organisation === undefined ? call.organisation.id : body.organisation;
  if (principal.organisation !== null && organisation !== principal.organisation) {
    throw new ApiError(403, "not-yours", "A token of an organisation makes that organisation's tokens alone");
  }
  if (organisation !== null && !await deps.hasOrganisation(organisation)) {
    throw wrongField("body.organisation", `There is no organisation ${JSON.stringify(organisation)}`);
  }
  const unknown = body.ecosystems?.find((id) => !deps.ecosystemIds.includes(id));
  if (unknown !== undefined) {
    throw wrongField(
      "body.ecosystems",
      `${JSON.stringify(unknown)} is no ecosystem: ${deps.ecosystemIds.join(", ")}`,
    );
  }
  try {
    const made = await deps.tokens.create({ ...body, organisation, createdBy: principal.user });
    call.note({ subject: made.info.id, organisation, after: toldToken(made.info) });
    return { status: 201, body: { secret: made.secret, token: shownToken(made.info) } } as const;
  } catch (error) {
    if (error instanceof TokenError) throw wrongField(`body.${error.field}`, error.message, error.code);
    throw error;
  }
}

/** What the audit trail says of a token; who made it and when stands beside it there. */
export function toldToken({ user, scopes, ecosystems, description, kind, expiresAt }: TokenInfo) {
  return {
    user,
    scopes,
    ecosystems: ecosystems ?? "all",
    description: description === "" ? null : description,
    use: kind === "path" ? "in addresses" : null,
    ends: instantText(expiresAt) ?? "never",
  };
}

export function shownToken(info: TokenInfo) {
  return {
    ...info,
    createdAt: instantText(info.createdAt),
    expiresAt: instantText(info.expiresAt),
    lastUsedAt: instantText(info.lastUsedAt as EpochMs | null),
  };
}
