/** The audit trail, for whoever may read the install log: an organisation's own, or (the instance's) everybody's. */
import * as z from "zod";
import type { AuditTrail } from "../../storage/audit_trail.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { ApiError, notFound, wrongField } from "./error.ts";
import { cursor, fromCursor, instant, instantText, limit, next, toCursor } from "./schemas.ts";

const entry = z.object({
  id: z.string(),
  at: instant,
  organisation: z.string().nullable().meta({ description: "null: the whole instance's" }),
  user: z.string(),
  principal: z.string().meta({
    description: "The token or session; local: the command line on the machine itself",
  }),
  from: z.string().meta({ description: "The address; empty: the machine itself" }),
  action: z.string().meta({ description: "The API's operation" }),
  subject: z.string(),
  changes: z.array(z.string()).meta({
    description: "One change a line: + came, - went, ~ became; in a list, the first of them",
  }),
  changesLeftOut: z.number().int().meta({
    description: "How many there are beside those; the entry's own address has all",
  }),
}).meta({ id: "AuditEntry" });

/** As it is answered. */
export type ShownEntry = z.output<typeof entry>;

export function auditTrailEndpoints(trail: Pick<AuditTrail, "list" | "get">): readonly Endpoint[] {
  const common = { method: "GET", scope: "audit", whose: "address", area: "Audit trail" } as const;
  return [
    endpoint({
      ...common,
      id: "listAuditTrail",
      path: "/audit",
      summary: "Every change by whom, when, from what to what, and from where; the newest first.",
      query: z.strictObject({
        everywhere: z.stringbool().default(false).meta({
          description: "Of every organisation and of the instance itself; for the instance's tokens alone",
        }),
        limit: limit(1_000, 100),
        cursor,
      }),
      answer: z.object({ entries: z.array(entry), next }),
      handle: async ({ organisation, principal, query }) => {
        if (query.everywhere && principal.organisation !== null) {
          throw new ApiError(
            403,
            "not-yours",
            "This token is not for every organisation: leave everywhere away",
          );
        }
        const { limit, cursor } = query;
        const before = cursor === undefined ? null : positionOf(cursor);
        const whose = query.everywhere ? {} : { organisation: organisation.id };
        const entries = await trail.list({ ...whose, limit: limit + 1, before });
        const shown = entries.slice(0, limit);
        return {
          body: {
            entries: shown.map((each) => ({ ...each, at: instantText(each.at) })),
            next: entries.length > limit ? toCursor(shown.at(-1)!.id) : null,
          },
        };
      },
    }),
    endpoint({
      ...common,
      id: "getAuditEntry",
      path: "/audit/{id}",
      summary: "One entry with every change; whoever is the instance's is answered with anybody's.",
      params: z.object({ id: z.string() }),
      answer: entry,
      handle: async ({ organisation, principal, params: { id } }) => {
        const found = await trail.get(
          id,
          principal.organisation === null ? {} : { organisation: organisation.id },
        );
        if (found === null) {
          throw notFound("no-such-entry", `There is no entry ${JSON.stringify(id)} in the audit trail here`);
        }
        return { body: { ...found, at: instantText(found.at) } };
      },
    }),
  ];
}

/** The id of the last entry that was shown. */
function positionOf(text: string): string {
  const id = fromCursor(text);
  if (typeof id === "string") return id;
  throw wrongField("query.cursor", "Cannot read query.cursor: it is what an answer's next said");
}
