/** The sign-in over the parts of a Sluice: its providers, who owns the instance, and the link for a fresh machine. */
import { type AuthPages, createAuth } from "../routes/auth/auth.tsx";
import { isLoopback } from "../routes/auth/cookies.ts";
import { createLocalLink } from "../routes/auth/local_link.ts";
import type { ReadSession } from "../routes/auth/signed_in.ts";
import type { Timers } from "../storage/runtime.ts";
import type { Config } from "./config.ts";
import type { Parts } from "./parts.ts";

export interface SignIn {
  readonly readSession: ReadSession;
  readonly auth: AuthPages;
  /** Whole; null: not on loopback, or there is a provider. */
  readonly localLink: string | null;
}

/** `hostname`: what is listened on. */
export function composeSignIn(_config: Config, parts: Parts, given: {
  readonly base: URL;
  readonly hostname: string;
  readonly timers: Timers;
}): SignIn {
  const { base, hostname, timers } = given;
  const { sessions, members, services: { clock, log } } = parts;
  // Behind a proxy of the same machine others come from loopback too: then the base address is theirs.
  const isLocal = isLoopback(bracketed(hostname)) && isLoopback(base.hostname);
  const link = isLocal ? createLocalLink(clock) : null;
  const pages = createAuth({
    base,
    sessions,
    members,
    providers: [],
    owners: [],
    localLink: link,
    clock,
    timers,
    log,
  });
  const address = `${base.href.replace(/\/+$/, "")}/-/auth/sign-in`;
  return {
    ...pages,
    localLink: link === null ? null : `${address}?${new URLSearchParams({ link: link.secret })}`,
  };
}

function bracketed(hostname: string): string {
  return hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
}
