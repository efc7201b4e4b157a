/** Whoever signed in makes, sees and revokes their own tokens to install with; nobody needs to be asked for one. */
import * as z from "zod";
import type { DurationMs, EpochMs } from "../../policy/types.ts";
import type { Clock } from "../../storage/runtime.ts";
import { TokenError, type TokenInfo, type Tokens } from "../../storage/tokens.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { ApiError, notFound, wrongField } from "./error.ts";
import { shownToken, token, toldToken } from "./tokens.ts";

const AREA = "Tokens";
const DAY_MS = 86_400_000 as DurationMs;
const MAX_OWN = 50;
const MAX_DAYS = 400;

export interface OwnTokenApiDeps {
  readonly tokens: Tokens;
  readonly ecosystemIds: readonly string[];
  readonly clock: Clock;
}

/**
 * WARNING: of sessions alone: what a token makes would stay good when that token is revoked. Whoever holds the scope
 * admin does the same for anybody by `createToken`.
 */
export function ownTokenEndpoints({ tokens, ecosystemIds, clock }: OwnTokenApiDeps): readonly Endpoint[] {
  const common = { scope: "audit", whose: "address", area: AREA, isForPages: true } as const;

  async function own(call: Call): Promise<readonly TokenInfo[]> {
    const { principal, organisation } = call;
    if (!principal.id.startsWith("session:")) {
      throw new ApiError(
        403,
        "not-signed-in",
        "This is for people who signed in at the pages. A token with the scope admin makes others by POST /tokens " +
          "(deno task token create USER --scopes read)",
      );
    }
    // An owner names a token's user as they like: a machine's may be somebody's login.
    return (await tokens.list(organisation.id)).filter((each) =>
      each.user === principal.user && each.createdBy === principal.user &&
      each.scopes.every((scope) => scope === "read")
    );
  }

  return [
    endpoint({
      ...common,
      id: "listOwnTokens",
      method: "GET",
      path: "/own-tokens",
      summary: "The tokens with which whoever asks installs packages; for people who signed in.",
      answer: z.object({ tokens: z.array(token) }),
      handle: async (call) => ({ body: { tokens: (await own(call)).map(shownToken) } }),
    }),
    endpoint({
      ...common,
      id: "createOwnToken",
      method: "POST",
      path: "/own-tokens",
      summary:
        "Makes a token of one's own with the scope read. Its secret is in this answer and nowhere else.",
      body: z.strictObject({
        description: z.string().max(200, "at most 200 characters").default(""),
        ecosystems: z.array(z.enum(ecosystemIds as [string, ...string[]])).min(1).nullable().default(null),
        days: z.number().int().min(1, "1 or more").max(MAX_DAYS, `at most ${MAX_DAYS}`).default(90),
      }),
      answer: z.object({ secret: z.string(), token }),
      handle: async (call) => {
        const { body: { days, ...given }, principal: { user }, organisation } = call;
        if ((await own(call)).length >= MAX_OWN) {
          throw new ApiError(409, "too-many", `You have ${MAX_OWN} tokens here: revoke one first`);
        }
        const expiresAt = clock() + days * DAY_MS as EpochMs;
        try {
          const made = await tokens.create({
            ...given,
            user,
            organisation: organisation.id,
            scopes: ["read"],
            kind: "header",
            expiresAt,
            createdBy: user,
          });
          const shown = shownToken(made.info);
          call.note({ subject: made.info.id, after: toldToken(made.info) });
          return { status: 201, body: { secret: made.secret, token: shown } };
        } catch (error) {
          if (error instanceof TokenError) throw wrongField(`body.${error.field}`, error.message, error.code);
          throw error;
        }
      },
    }),
    endpoint({
      ...common,
      id: "revokeOwnToken",
      method: "DELETE",
      path: "/own-tokens/{id}",
      summary: "Revokes one of one's own, in force everywhere within a second.",
      params: z.object({ id: z.string() }),
      handle: async (call) => {
        const found = (await own(call)).find(({ id }) => id === call.params.id);
        if (found === undefined || !await tokens.revoke(found.id)) {
          throw notFound("no-such-token", `You have no token ${JSON.stringify(call.params.id)}`);
        }
        call.note({ subject: found.id, before: toldToken(found) });
        return { status: 204 };
      },
    }),
  ];
}
