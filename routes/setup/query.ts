/** Whom `/-/setup` is asked for, and for which clients. */
import type { ClientSetup, Ecosystem, SetupBy, SetupCaller } from "../../ecosystems/ecosystem.ts";
import type { PolicyDocument } from "../../policy/config.ts";

/** An ecosystem with those of its clients that are asked for. */
export interface Mounted {
  readonly title: string;
  readonly id: string;
  readonly clients: readonly ClientSetup[];
}

export interface SetupQuery {
  readonly mounts: readonly Mounted[];
  /** All there are, for whoever wants to choose. */
  readonly all: readonly ClientSetup[];
  /** The one that alone was asked for; null: not one. */
  readonly client: string | null;
  readonly caller: SetupCaller;
  /** What `by` is where nobody says so. */
  readonly usual: SetupBy;
  /** null: not said. */
  readonly user: string | null;
}

export type SetupField = "client" | "user" | "by";

export type ReadSetupQuery =
  | { readonly ok: true; readonly query: SetupQuery }
  | { readonly ok: false; readonly field: SetupField; readonly message: string };

const BY: readonly SetupBy[] = ["nobody", "name", "token"];

/** What every file and both scripts can hold as it stands. */
export const USER = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/;

/** `client` (one, or several with commas), `user`, `by`; anything else is none of ours. */
export function readSetupQuery(parameters: URLSearchParams, options: {
  readonly ecosystems: readonly Ecosystem[];
  /** The organisation's own address, no trailing slash. */
  readonly site: string;
  readonly callers: PolicyDocument["callers"];
}): ReadSetupQuery {
  const mounts = mountsOf(options);
  const all = mounts.flatMap(({ clients }) => clients);
  const names = (parameters.get("client") ?? "").split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !all.some(({ id }) => id === name));
  if (unknown !== undefined) {
    return bad(
      "client",
      `There is no client ${quoted(unknown)}: client is one of ${all.map(({ id }) => id).join(", ")}.`,
    );
  }
  const user = parameters.get("user") || null;
  if (user !== null && !USER.test(user)) {
    return bad(
      "user",
      `Cannot write user ${quoted(user)} into files: use letters, digits and . _ @ + - (128 at most).`,
    );
  }
  const given = parameters.get("by") || null;
  const usual = usualOf(options.callers, user);
  const by = given === null ? usual : BY.find((each) => each === given);
  if (by === undefined) return bad("by", `by is ${quoted(given ?? "")}: it is one of ${BY.join(", ")}.`);
  const chosen = names.length === 0 ? mounts : mounts
    .map((mount) => ({ ...mount, clients: mount.clients.filter(({ id }) => names.includes(id)) }))
    .filter(({ clients }) => clients.length > 0);
  const caller = { by, isAsked: options.callers !== "anyone" };
  const client = names.length === 1 ? names[0]! : null;
  return { ok: true, query: { mounts: chosen, all, client, caller, usual, user } };
}

/** What each ecosystem tells its clients, for an organisation's address. */
export function mountsOf({ ecosystems, site }: {
  readonly ecosystems: readonly Ecosystem[];
  readonly site: string;
}): readonly Mounted[] {
  return ecosystems.map(({ id, title, setup }) => ({ id, title, clients: setup(`${site}/${id}`) }));
}

function usualOf(callers: PolicyDocument["callers"], user: string | null): SetupBy {
  if (callers === "token") return "token";
  return callers === "named" || user !== null ? "name" : "nobody";
}

function bad(field: SetupField, message: string): ReadSetupQuery {
  return { ok: false, field, message };
}

/** Bounded, so that an error stays one line. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
