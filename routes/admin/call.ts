/** The API as a page calls it: in process, by the endpoint's id, as whoever signed in. */
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Principal } from "../../storage/tokens.ts";
import type { Api } from "../api/api.ts";
import { utf8 } from "../text.ts";
import { type Called, type CallInput, type CallProblem, PageProblem } from "./page.ts";

export interface Calls {
  call<T>(id: string, input?: CallInput): Promise<Called<T>>;
  must<T>(id: string, input?: CallInput): Promise<T>;
  open(id: string, input?: CallInput): Promise<Response>;
}

/** Throws TypeError for an id that no endpoint has, or a parameter that is missing. */
export function createCalls(api: Api, as: {
  readonly principal: Principal;
  readonly view: OrganisationView;
  readonly site: string;
  /** The address that the request came from. */
  readonly from: string;
  /** It is asked for on a page of that organisation's own. */
  readonly isOwnPage: boolean;
}): Calls {
  const { principal, view, site, from, isOwnPage } = as;

  async function ask(id: string, { params = {}, query = {}, body }: CallInput = {}): Promise<Response> {
    const endpoint = api.endpoints.find((each) => each.id === id);
    if (endpoint === undefined) throw new TypeError(`There is no endpoint "${id}"`);
    return await api.call({
      method: endpoint.method,
      segments: segmentsOf(endpoint.path, params),
      query: queryOf(query),
      body: () => Promise.resolve(body === undefined ? new Uint8Array() : utf8(JSON.stringify(body))),
      identify: () => Promise.resolve(principal),
      address: () => Promise.resolve({ view, site }),
      isNamed: false,
      from,
      pageOf: isOwnPage ? view.id : undefined,
    });
  }

  async function call<T>(id: string, input?: CallInput): Promise<Called<T>> {
    const response = await ask(id, input);
    if (!response.ok) return { ok: false, problem: await problemOf(response) };
    const body = response.status === 204 ? null : await response.json();
    return { ok: true, status: response.status, body: body as T };
  }

  return {
    call,
    async must<T>(id: string, input?: CallInput): Promise<T> {
      const called = await call<T>(id, input);
      if (called.ok) return called.body;
      throw new PageProblem(called.problem);
    },
    async open(id, input) {
      const response = await ask(id, input);
      if (response.ok) return response;
      throw new PageProblem(await problemOf(response));
    },
  };
}

async function problemOf(response: Response): Promise<CallProblem> {
  const { status } = response;
  const { detail = "It could not be done", code = "failed", errors = [] } = await response.json();
  return { status, title: detail, code, errors };
}

function segmentsOf(path: string, params: Readonly<Record<string, string>>): string[] {
  return path.slice(1).split("/").map((part) => {
    const name = /^\{([A-Za-z]+)(?:\.\.\.)?\}$/.exec(part)?.[1];
    if (name === undefined) return part;
    const value = params[name];
    if (value === undefined) throw new TypeError(`Endpoint ${path} needs the parameter "${name}"`);
    return value;
  });
}

function queryOf(query: NonNullable<CallInput["query"]>): URLSearchParams {
  return new URLSearchParams(
    Object.entries(query).filter(([, value]) => value !== null && value !== undefined).map(
      ([name, value]) => [name, String(value)],
    ),
  );
}
