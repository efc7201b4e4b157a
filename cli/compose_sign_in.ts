/** The sign-in over the parts of a Sluice: its providers, who owns the instance, and the link for a fresh machine. */
import { type AuthPages, callbackOf, createAuth } from "../routes/auth/auth.tsx";
import { cookieNames, isLoopback } from "../routes/auth/cookies.ts";
import { createLocalLink } from "../routes/auth/local_link.ts";
import type { ReadSession } from "../routes/auth/signed_in.ts";
import { createPeerOf } from "../routes/peer.ts";
import type { SignInBy } from "../routes/sign_in_by.ts";
import { createIdentityFetch } from "../storage/identity/fetch.ts";
import { createGitHub } from "../storage/identity/github.ts";
import { createOidc } from "../storage/identity/oidc.ts";
import type { IdentityProvider } from "../storage/identity/provider.ts";
import type { Clock, Timers } from "../storage/runtime.ts";
import type { Closers } from "./closers.ts";
import type { Config, SignInConfig } from "./config.ts";
import type { Parts } from "./parts.ts";

export interface SignIn {
  readonly readSession: ReadSession;
  readonly auth: AuthPages;
  readonly signInBy: SignInBy;
  /** Whole; null: not on loopback, or there is a provider. */
  readonly localLink: string | null;
}

/** `hostname`: what is listened on. */
export function composeSignIn(
  { signIn, network }: Pick<Config, "signIn" | "network">,
  parts: Pick<Parts, "sessions" | "members" | "services">,
  given: {
    readonly base: URL;
    readonly hostname: string;
    readonly timers: Timers;
    readonly closers: Closers;
    readonly trustedProxies: readonly string[];
  },
): SignIn {
  const { base, hostname, timers, closers } = given;
  const { sessions, members, services: { clock, log } } = parts;
  const providers = providersOf(signIn, { network, timers, clock, closers, callback: callbackOf(base) });
  // Behind a proxy of the same machine others come from loopback too: then the base address is theirs.
  const isLocal = isLoopback(bracketed(hostname)) && isLoopback(base.hostname) && providers.length === 0;
  const link = isLocal ? createLocalLink(clock) : null;
  const { owners } = signIn;
  const peerOf = createPeerOf(given.trustedProxies);
  const pages = createAuth({
    base,
    sessions,
    members,
    providers,
    owners,
    localLink: link,
    peerOf,
    clock,
    timers,
    log,
  });
  const address = `${base.href.replace(/\/+$/, "")}/-/auth/sign-in`;
  return {
    ...pages,
    signInBy: cookieNames(base) === null
      ? null
      : providers.length > 0
      ? "provider"
      : link === null
      ? null
      : "printed-link",
    localLink: link === null ? null : `${address}?${new URLSearchParams({ link: link.secret })}`,
  };
}

function providersOf({ github, oidc }: SignInConfig, given: {
  readonly network: Config["network"];
  readonly timers: Timers;
  readonly clock: Clock;
  readonly closers: Closers;
  readonly callback: string;
}): readonly IdentityProvider[] {
  const { network, timers, clock, closers, callback } = given;
  const own = [github?.url, oidc?.issuer].filter((url) => url !== undefined);
  if (own.length === 0) return [];
  const { fetch, close } = createIdentityFetch({ network, timers, own });
  closers.add(close);
  const common = { callback, fetch, clock };
  return [
    ...(github === null ? [] : [createGitHub({ ...github, ...common })]),
    ...(oidc === null ? [] : [createOidc({ ...oidc, ...common })]),
  ];
}

function bracketed(hostname: string): string {
  return hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
}
