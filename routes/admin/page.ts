/** The contract between the admin pages and what shows them: a page reads and acts through the API alone. */
import type { Child } from "hono/jsx";
import type { EpochMs } from "../../policy/types.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Principal, Scope } from "../../storage/tokens.ts";
import type { SignedIn } from "../auth/signed_in.ts";
import type { PageEcosystem } from "./package_text.ts";

/** One page of an organisation's. */
export interface AdminPage {
  /** Below `/-/admin/{organisation}/`: `policy`, `policy/history/{revision}`, `packages/{purl...}`; no slash at either end. */
  readonly path: string;
  readonly title: string;
  /** Who may see it. */
  readonly scope: Scope;
  /** Of the whole instance: for its owners alone, whichever organisation they look at. */
  readonly isForInstance?: boolean;
  /** Whether it stands in the navigation, under its title. */
  readonly isInMenu?: boolean;
  /** Throws PageProblem, ApiError, or what routes/problem.ts knows. */
  show(context: PageContext): Promise<View> | View;
  /** By the name in the form's field `action`. */
  readonly actions?: Readonly<Record<string, Action>>;
  /** What is said above the page after a redirect to it with `?done=NAME`. */
  readonly notices?: Readonly<Record<string, string>>;
}

export interface Action {
  readonly scope: Scope;
  /** On failure the page again, with what was written and an error beside its field; else a redirect (303). */
  run(context: PageContext, form: URLSearchParams): Promise<View>;
}

export type View =
  | {
    readonly kind: "page";
    /** Default: the page's. */
    readonly title?: string;
    /** Default: 200. */
    readonly status?: number;
    readonly body: Child;
  }
  /** An address on this site, from `context.path`. */
  | { readonly kind: "redirect"; readonly to: string }
  /** A download. */
  | { readonly kind: "response"; readonly response: Response };

/** What a page is given of one request. */
export interface PageContext {
  readonly organisation: OrganisationView;
  readonly member: SignedIn;
  readonly principal: Principal;
  /** From the page's path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly now: EpochMs;
  readonly ecosystems: readonly PageEcosystem[];
  /** An ecosystem's purl type by its id; undefined: it is none of ours. */
  purlType(ecosystem: string): string | undefined;
  /** The organisation's own address for clients, absolute, no trailing slash. */
  readonly site: string;
  /** The base address's own path, no trailing slash. */
  readonly prefix: string;
  /** The page's own address, without its query. */
  readonly here: string;
  can(scope: Scope): boolean;
  /** An address among this organisation's pages, each part encoded: `path(["packages", purl], { since })`. */
  path(parts: readonly string[], query?: Readonly<Record<string, string | null | undefined>>): string;
  /** Calls the API as this member, by the endpoint's id; what it refuses is an answer. */
  call<T>(id: string, input?: CallInput): Promise<Called<T>>;
  /** As `call`; what it refuses ends the page. */
  must<T>(id: string, input?: CallInput): Promise<T>;
  /** As `must`, the answer as it is: NDJSON, text, bytes. */
  open(id: string, input?: CallInput): Promise<Response>;
}

export interface CallInput {
  readonly params?: Readonly<Record<string, string>>;
  /** undefined and null: not sent. */
  readonly query?: Readonly<Record<string, string | number | boolean | null | undefined>>;
  readonly body?: unknown;
}

export type Called<T> =
  | { readonly ok: true; readonly status: number; readonly body: T }
  | { readonly ok: false; readonly problem: CallProblem };

/** RFC 9457, as the API says it. */
export interface CallProblem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}

/** Ends a page: what the API refused, in its words. */
export class PageProblem extends Error {
  override readonly name = "PageProblem";
  constructor(readonly problem: CallProblem) {
    super(problem.title);
  }
}

/** Whether a page is for whoever asks at all. */
export function isFor(page: Pick<AdminPage, "scope" | "isForInstance">, context: PageContext): boolean {
  const isTheirs = page.isForInstance !== true || context.principal.organisation === null;
  return isTheirs && context.can(page.scope);
}

/** What is wrong with a field of a form; null: nothing. `body.reason` is looked for as `reason` too. */
export function errorOf(problem: CallProblem | null, field: string): string | null {
  const names = [field, `body.${field}`, `query.${field}`];
  return problem?.errors.find((error) => names.includes(error.field))?.message ?? null;
}
