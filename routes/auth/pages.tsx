/** What is shown of the sign-in: buttons, how to set it up, and what went wrong. */
import type { Identity } from "../../storage/sessions.ts";
import { Notice } from "../admin/ui.tsx";
import { doorPage } from "./door.tsx";

/** What is set up. */
export interface Setup {
  readonly prefix: string;
  /** The exact address to register with a provider. */
  readonly callback: string;
  readonly providers: readonly { readonly id: string; readonly title: string }[];
  /** HTTPS or loopback. */
  readonly isSafe: boolean;
  readonly hasLocalLink: boolean;
  readonly hasOwners: boolean;
}

export interface SignInPage extends Setup {
  /** Where it leads. */
  readonly to: string;
  readonly isSignedOut: boolean;
}

export async function signInPage(page: SignInPage): Promise<Response> {
  const { providers, isSafe, isSignedOut } = page;
  return await doorPage({
    title: "Sign in",
    prefix: page.prefix,
    status: 200,
    body: (
      <>
        {isSignedOut ? <Notice kind="good">You are signed out.</Notice> : null}
        {!isSafe ? <Unsafe /> : providers.length === 0 ? <SetUp page={page} /> : <Buttons page={page} />}
      </>
    ),
  });
}

function Buttons({ page }: { readonly page: SignInPage }) {
  const { providers, prefix, to, hasOwners } = page;
  return (
    <>
      <p class="lead">For those who look after packages and their policy. Installing needs no sign-in.</p>
      <p class="buttons">
        {providers.map(({ id, title }) => (
          <a class="button" href={`${prefix}/-/auth/sign-in?${new URLSearchParams({ with: id, to })}`}>
            Sign in with {title}
          </a>
        ))}
      </p>
      {hasOwners ? null : <NoOwner />}
    </>
  );
}

function NoOwner() {
  return (
    <Notice kind="note">
      Nobody owns this Sluice yet: name the first owner with <code>SLUICE_OWNERS</code>, such as{" "}
      <code>github:octocat</code> or <code>oidc:ada@example.org</code>, and start it anew.
    </Notice>
  );
}

function Unsafe() {
  return (
    <Notice kind="bad">
      Signing in needs HTTPS: a session that travels in the clear is anybody's. Put TLS in front of Sluice,
      and set its base address (<code>--base-url</code>) to the one that begins with <code>https://</code>.
    </Notice>
  );
}

function SetUp({ page: { callback, hasLocalLink } }: { readonly page: SignInPage }) {
  return (
    <>
      <p class="lead">Nobody can sign in yet: no provider is set up.</p>
      {hasLocalLink
        ? (
          <Notice kind="note">
            On this machine: open the link that Sluice printed when it was started. It signs its operator in,
            once, within an hour of the start.
          </Notice>
        )
        : null}
      <h2>With GitHub</h2>
      <p>
        Register an OAuth app (GitHub: Settings, Developer settings, OAuth apps) with this callback address,
        then start Sluice with what GitHub shows.
      </p>
      <Lines
        lines={[
          ["Callback address", callback],
          [
            "Environment",
            "SLUICE_GITHUB_CLIENT_ID=…\nSLUICE_GITHUB_CLIENT_SECRET=…\nSLUICE_OWNERS=github:YOUR-LOGIN",
          ],
          ["GitHub Enterprise Server, too", "SLUICE_GITHUB_URL=https://github.example.org"],
        ]}
      />
      <h2>With OpenID Connect</h2>
      <p>
        Register a confidential web client (authorization code) with this redirect address at your provider:
        Keycloak, Okta, Entra ID, Google and others.
      </p>
      <Lines
        lines={[
          ["Redirect address", callback],
          [
            "Environment",
            "SLUICE_OIDC_ISSUER=https://login.example.org\nSLUICE_OIDC_CLIENT_ID=…\nSLUICE_OIDC_CLIENT_SECRET=…\nSLUICE_OWNERS=oidc:you@example.org",
          ],
        ]}
      />
      <p>
        Secrets may be in files: <code>SLUICE_GITHUB_CLIENT_SECRET_FILE</code>,{" "}
        <code>SLUICE_OIDC_CLIENT_SECRET_FILE</code>.
      </p>
    </>
  );
}

function Lines({ lines }: { readonly lines: readonly (readonly [string, string])[] }) {
  return (
    <dl>
      {lines.map(([title, text]) => (
        <div>
          <dt>{title}</dt>
          <dd>
            <pre tabindex={0}>{text}</pre>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** `identity`: whom the provider knows, and nobody here. */
export async function troublePage(options: {
  readonly prefix: string;
  readonly status: number;
  readonly title: string;
  readonly text?: string;
  readonly identity?: Identity;
}): Promise<Response> {
  const { prefix, status, title, text, identity } = options;
  return await doorPage({
    title,
    prefix,
    status,
    body: (
      <>
        {text === undefined ? null : <Notice kind="bad">{text}</Notice>}
        {identity === undefined ? null : (
          <Notice kind="bad">
            You are{" "}
            <b>{identity.user}</b>, and no organisation here has a rule that gives you a role. Ask one of its
            owners for one; the rule may be for <code>{identity.traits[0] ?? identity.user}</code>.
          </Notice>
        )}
        <p>
          <a href={`${prefix}/-/auth/sign-in`}>Back to the sign-in</a>
        </p>
      </>
    ),
  });
}
