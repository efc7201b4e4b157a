/** Whom an organisation does not let in: a client is told in a sentence, a person in a browser what they can do. */
import { Notice } from "./admin/ui.tsx";
import { doorPage } from "./auth/door.tsx";
import type { SignedIn } from "./auth/signed_in.ts";
import type { Denial } from "./caller.ts";
import { putHeader } from "./headers.ts";
import { problemHeaders, sayProblem } from "./say_problem.ts";
import type { SignInBy } from "./sign_in_by.ts";
import type { SiteTarget } from "./target.ts";
import { preferredForm } from "./text.ts";

export interface TurnedAway {
  readonly target: SiteTarget;
  readonly denial: Denial;
  readonly organisation: string;
  /** Signed in, and without a role in this organisation; null: signed out, or not looked for. */
  readonly member: SignedIn | null;
}

export type TurnAway = (request: Request, away: TurnedAway) => Promise<Response>;

/**
 * A browser that opens a page is not asked for a name by a box of its own, unless it sent credentials by itself:
 * those of such a box, which it forgets only when it is asked again.
 */
export function createTurnAway({ base, signInBy }: {
  readonly base: URL;
  readonly signInBy: SignInBy;
}): TurnAway {
  const prefix = base.pathname.replace(/\/+$/, "");

  return async function turnAway(request, away) {
    const { denial } = away;
    if (!isNavigation(request)) return sayProblem(request, denial);
    const response = await doorPage({
      title: away.member === null && denial.status === 401 ? "Not signed in" : "Not let in",
      prefix,
      status: denial.status,
      body: <Why away={away} at={{ origin: base.origin, prefix }} signInBy={signInBy} />,
    });
    const challenge = denial.challenge && request.headers.has("authorization");
    for (const name of ["www-authenticate", "retry-after"]) {
      const value = problemHeaders({ ...denial, challenge }).get(name);
      if (value !== null) putHeader(response.headers, name, value);
    }
    return response;
  };
}

/** A browser that opens a page: it takes HTML, and says of no script or image that it is for them. */
function isNavigation(request: Request): boolean {
  const mode = request.headers.get("sec-fetch-mode");
  return (mode === null || mode === "navigate") && preferredForm(request.headers.get("accept")) === "html";
}

/** The base address. */
interface Place {
  readonly origin: string;
  readonly prefix: string;
}

function Why({ away, at, signInBy }: {
  readonly away: TurnedAway;
  readonly at: Place;
  readonly signInBy: SignInBy;
}) {
  const { target, denial, organisation, member } = away;
  const reason = REASONS[denial.code];
  return (
    <>
      {reason === undefined
        ? <Notice kind="bad">{denial.message}</Notice>
        : <p class="lead">{reason(organisation)}</p>}
      {target.method === "POST" ? <p>Nothing was sent, and nothing of what you wrote is lost.</p> : null}
      {denial.status !== 401 ? null : member === null ? <SignIn target={target} at={at} by={signInBy} /> : (
        <p>
          You are signed in as <b>{member.user}</b>, who has no role in organisation{" "}
          <b>{organisation}</b>: ask one of its owners for one.
        </p>
      )}
      {denial.status === 401 && target.method !== "POST"
        ? <InTerminal code={denial.code} address={`${at.origin}${pathOf(target, at)}`} />
        : null}
    </>
  );
}

/** For a person; the denials' own sentences are for whoever looks at a client's output. */
const REASONS: Readonly<Record<string, (organisation: string) => string>> = {
  "token-required": (organisation) =>
    `Organisation "${organisation}" shows this to its members, once they are signed in, and to callers with a token.`,
  "name-required": (organisation) =>
    `Organisation "${organisation}" shows this to its members, once they are signed in, and to callers with a name.`,
};

function SignIn({ target, at, by }: {
  readonly target: SiteTarget;
  readonly at: Place;
  readonly by: SignInBy;
}) {
  if (by === null) {
    return <p>Nobody can sign in at this Sluice: ask whoever runs it, for a token too.</p>;
  }
  if (by === "printed-link") {
    return (
      <p>
        On the machine that this Sluice runs on: open the link that it printed when it was started, which
        signs its operator in, then open this page again. Everybody else asks whoever runs it.
      </p>
    );
  }
  const to = pathOf(target, at);
  const href = `${at.origin}${at.prefix}/-/auth/sign-in?${new URLSearchParams({ to })}`;
  if (target.method === "POST") {
    return (
      <p>
        <a href={href} target="_blank">Sign in in another tab</a>, then come back and load this page again:
        your browser asks whether to send the form once more.
      </p>
    );
  }
  return (
    <>
      <p class="buttons">
        <a class="button" href={href}>Sign in</a>
      </p>
      <p class="quiet">It leads back to this page.</p>
    </>
  );
}

function InTerminal({ code, address }: { readonly code: string; readonly address: string }) {
  const [what, user] = code === "name-required"
    ? ["In a terminal, with your name", "NAME:"]
    : ["In a terminal, with a token as the password", "NAME"];
  return (
    <>
      <p class="quiet">{what}:</p>
      <pre tabindex={0}>curl -u {user} '{address}'</pre>
    </>
  );
}

/**
 * The very page's path and query, at the base address. In the form of a path where a host's label named the organisation:
 * a session is the base address's own host's alone.
 */
function pathOf({ organisation, at, path, query, method }: SiteTarget, { prefix }: Place): string {
  const before = [
    organisation === null ? "" : `/o/${organisation}`,
    at === null ? "" : `/at/${encodeURIComponent(at)}`,
  ].join("");
  const search = method === "POST" ? "" : query.toString();
  // As people write purls, which is read the same; WARNING: a quote would end the one in a line for a shell.
  const plain = `${before}${path}`.replaceAll("%3A", ":").replaceAll("%40", "@").replaceAll("'", "%27");
  return `${prefix}${plain}${search === "" ? "" : `?${search}`}`;
}
