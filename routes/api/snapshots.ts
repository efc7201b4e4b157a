/** Snapshots: names for past instants, for addresses (`/at/{name}/`). */
import * as z from "zod";
import type { Organisations } from "../../storage/kv/organisation_types.ts";
import type { NamedSnapshot } from "../../storage/organisations.ts";
import type { Clock } from "../../storage/runtime.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { notFound, wrongField } from "./error.ts";
import { givenInstant, instant, instantText } from "./schemas.ts";
import { told } from "./told.ts";

const AREA = "Freezes and snapshots";
const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;

const snapshot = z.object({
  name: z.string(),
  at: instant,
  description: z.string(),
  createdAt: instant,
  owner: z.string(),
}).meta({ id: "Snapshot" });

export function snapshotEndpoints(
  deps: { readonly organisations: Organisations; readonly clock: Clock },
): readonly Endpoint[] {
  const { organisations, clock } = deps;
  const common = { scope: "policy", whose: "address", area: AREA } as const;
  return [
    endpoint({
      ...common,
      scope: "audit",
      orScope: "policy",
      id: "listSnapshots",
      method: "GET",
      path: "/snapshots",
      summary: "The organisation's snapshots.",
      answer: z.object({ snapshots: z.array(snapshot) }),
      handle: async ({ organisation }) => ({
        body: { snapshots: (await told(() => organisations.snapshots(organisation.id))).map(shown) },
      }),
    }),
    endpoint({
      ...common,
      id: "createSnapshot",
      method: "POST",
      path: "/snapshots",
      summary: "Names an instant, now or past; a name that there is stays what it is (409).",
      body: z.strictObject({
        name: z.string().regex(NAME, "a letter, then at most 63 letters, digits, dots, dashes, underscores"),
        at: givenInstant.optional().meta({ description: "Default: now" }),
        description: z.string().max(500, "at most 500 characters").default(""),
      }),
      answer: snapshot,
      handle: async ({ organisation, principal, body, note }) => {
        const now = clock();
        const { name, at = now, description } = body;
        if (at > now) throw wrongField("body.at", "This instant is in the future");
        if (at < 0) throw wrongField("body.at", "This instant is before 1970");
        const made: NamedSnapshot = {
          id: name,
          at,
          createdAt: now,
          owner: principal.user,
          description,
          until: null,
        };
        await told(() => organisations.addSnapshot(organisation.id, made), "body.name");
        note({ subject: name, after: toldSnapshot(made) });
        return { status: 201, body: shown(made) };
      },
    }),
    endpoint({
      ...common,
      id: "deleteSnapshot",
      method: "DELETE",
      path: "/snapshots/{name}",
      summary: "Forgets a name: addresses with it answer 404 within a second.",
      params: z.object({ name: z.string() }),
      handle: async ({ organisation, params, note }) => {
        const all = await told(() => organisations.snapshots(organisation.id));
        const before = all.find(({ id }) => id === params.name);
        note({ subject: params.name, before: toldSnapshot(before) });
        if (await told(() => organisations.removeSnapshot(organisation.id, params.name))) {
          return { status: 204 };
        }
        throw notFound("no-such-snapshot", `There is no snapshot ${JSON.stringify(params.name)}`);
      },
    }),
  ];
}

/** For the audit trail, where its name is the subject. */
function toldSnapshot(given: NamedSnapshot | undefined) {
  if (given === undefined) return {};
  const { at, description } = given;
  return { at: instantText(at), description: description === "" ? null : description };
}

function shown({ id, at, createdAt, owner, description }: NamedSnapshot) {
  return { name: id, at: instantText(at), description, createdAt: instantText(createdAt), owner };
}
