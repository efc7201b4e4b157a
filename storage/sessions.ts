/** Sessions at the pages: somebody who signed in, until they go, are sent away, or do nothing for long. */
import type { DurationMs, EpochMs } from "../policy/types.ts";
import type { Trait } from "./members.ts";

/** `local`: the operator, on the machine itself, where no provider is set up. */
export const PROVIDERS = ["github", "oidc", "local"] as const;
export type ProviderId = (typeof PROVIDERS)[number];

/** Who a provider says that somebody is. */
export interface Identity {
  readonly provider: ProviderId;
  /** The provider's own name of them, which never changes and is never somebody else's. */
  readonly subject: string;
  /** What history and logs call them. */
  readonly user: string;
  readonly traits: readonly Trait[];
}

/** One session, without its secret. */
export interface Session extends Identity {
  readonly id: string;
  readonly createdAt: EpochMs;
  /** To five minutes. */
  readonly usedAt: EpochMs;
  /** When the provider was last asked for the traits. */
  readonly readAt: EpochMs;
}

/** A session as whoever has its secret finds it. */
export interface OpenSession {
  readonly session: Session;
  /** What the provider is asked again with, opened with the secret; null: it gave nothing. */
  readonly grant: string | null;
}

/** Somebody who signed in within the last 90 days. */
export interface Visitor extends Identity {
  /** Names them in addresses. */
  readonly id: string;
  readonly signedInAt: EpochMs;
}

/** Without a request for so long, a session has ended. */
export const IDLE_MS = 8 * 3_600_000 as DurationMs;
/** So long after the sign-in, a session has ended whatever was done in it. */
export const ABSOLUTE_MS = 7 * 86_400_000 as DurationMs;
/** Of one member; a further one ends the one that was unused for longest. */
export const MAX_SESSIONS = 20;

/** All throw StorageError where KV fails. */
export interface Sessions {
  /** The secret is in the answer and nowhere else; the grant is kept sealed with it. */
  begin(identity: Identity, grant: string | null): Promise<{
    readonly secret: string;
    readonly session: Session;
  }>;
  /** null: there is no such session, or it has ended. */
  find(secret: string): Promise<OpenSession | null>;
  /** Writes down that it was used, where that was not done within five minutes. */
  use(session: Session): Promise<void>;
  /** Replaces what the provider said. false: the session is gone meanwhile. */
  renew(secret: string, identity: Identity, grant: string | null): Promise<boolean>;
  /** false: there is no such session. In force with the next request. */
  end(id: string): Promise<boolean>;
  /** All of one member's, by the id of any of them or of the visitor. The number of those that were there. */
  endAll(id: string): Promise<number>;
  /** Those of one member that have not ended, by the id of any of them or the visitor's, the last used first. */
  of(id: string): Promise<readonly Session[]>;
  /** The latest sign-in first. */
  visitors(): Promise<readonly Visitor[]>;
}
