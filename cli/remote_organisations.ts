/** Organisations of a running Sluice, as the `org` commands know them. */
import { type Parsed, type PolicyError, withStandIns } from "../policy/config.ts";
import type { EpochMs, Waiver } from "../policy/types.ts";
import type { Revision } from "../storage/kv/revisions.ts";
import { type ApiClient } from "./api_client.ts";
import { ApiFailure } from "./api_failure.ts";
import type { OrgAdmin } from "./org_command.ts";
import type { Target } from "./org_target.ts";
import { policyParsers } from "./storage.ts";

interface RemoteRevision extends Omit<Revision, "at"> {
  readonly at: string | null;
}

type Parse = (shown: unknown) => Parsed<unknown>;

/** `parse` reads what is shown, so that a summary can be given. */
function storedOf(answer: RemoteRevision & { readonly document: unknown }, parse: Parse) {
  const { document: source } = answer;
  return { ...revisionOf(answer), source, parsed: parse(source) };
}

function revisionOf({ revision, at, author, message }: RemoteRevision): Revision {
  return { revision, at: (at === null ? 0 : Date.parse(at)) as EpochMs, author, message };
}

/** What an absent thing is to the commands: null. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return null;
    throw error;
  }
}

function policyPath(id: string): string {
  return `/organisations/${encodeURIComponent(id)}/policy`;
}

/** Secrets stay there: what is shown as (set) is put back by the server. */
export function remoteTarget(
  api: ApiClient,
  options: { readonly title: string; readonly path: string; readonly parse: Parse },
): Target {
  const { title, path, parse } = options;
  const document = async (query: Readonly<Record<string, number>> = {}) =>
    await orNull(api.call<RemoteRevision & { document: unknown }>("GET", path, { query }));
  const parsed = async (answer: Awaited<ReturnType<typeof document>>) =>
    await Promise.resolve(answer === null ? null : storedOf(answer, parse));
  return {
    title,
    get: async () => await parsed(await document()),
    revision: async (revision) => await parsed(await document({ revision })),
    history: async () => {
      const { revisions } = await api.call<{ revisions: readonly RemoteRevision[] }>(
        "GET",
        `${path}/history`,
      );
      return revisions.map(revisionOf);
    },
    write: async ({ source, message, expectedRevision }) => {
      const body = { document: source, message, expectedRevision };
      const written = await api.call<RemoteRevision>("PUT", path, { body });
      return storedOf({ ...written, document: source }, parse);
    },
    restore: async (revision) => {
      await api.call("POST", `${path}/restore`, { body: { revision } });
      return storedOf((await document())!, parse);
    },
    mistakes: async (source) => {
      const body = { document: source };
      return (await api.call<{ mistakes: readonly PolicyError[] }>("POST", `${path}/validate`, { body }))
        .mistakes;
    },
    redact: (source) => source,
    unredact: (next) => next,
  };
}

export function remotePolicy(api: ApiClient, id: string): Target {
  return remoteTarget(api, {
    title: `policy of organisation ${JSON.stringify(id)}`,
    path: policyPath(id),
    parse: (shown) => policyParsers().parsePolicy(withStandIns(shown)),
  });
}

export function remoteFloor(api: ApiClient): Target {
  return remoteTarget(api, {
    title: "instance's floor",
    path: "/floor",
    parse: (shown) => policyParsers().parseFloor(shown),
  });
}

interface Summary {
  readonly id: string;
  readonly revision: number;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
}

/** The author is the token's user; what a command names instead is not looked at. */
export function remoteAdmin(api: ApiClient): OrgAdmin {
  return {
    async list() {
      const { organisations } = await api.call<{ organisations: readonly Summary[] }>(
        "GET",
        "/organisations",
      );
      return organisations.map((each) => ({
        ...each,
        createdAt: Date.parse(each.createdAt) as EpochMs,
        updatedAt: Date.parse(each.updatedAt) as EpochMs,
      }));
    },
    get: (id) => remotePolicy(api, id).get() as ReturnType<OrgAdmin["get"]>,
    async create(id, { source, message }) {
      return await api.call("POST", "/organisations", { body: { id, document: source, message } });
    },
    async delete(id) {
      await api.call("DELETE", `/organisations/${encodeURIComponent(id)}`);
    },
    async waivers(id) {
      const path = `/organisations/${encodeURIComponent(id)}/waivers`;
      const { waivers } = await api.call<
        { waivers: readonly (Waiver & { createdAt: string; until: string })[] }
      >(
        "GET",
        path,
      );
      return waivers.map((each) => ({
        ...each,
        createdAt: Date.parse(each.createdAt) as EpochMs,
        until: Date.parse(each.until) as EpochMs,
      }));
    },
    async revokeWaiver(id, waiver) {
      const path = `/organisations/${encodeURIComponent(id)}/waivers/${encodeURIComponent(waiver)}`;
      return await orNull(api.call("DELETE", path).then(() => true)) ?? false;
    },
    async forgetUser({ organisation, user }) {
      // The log of an organisation is at its own address.
      await api.call("DELETE", "/installs/user", { query: { name: user }, organisation });
    },
  };
}
