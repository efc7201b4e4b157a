/** What a person configured about upstreams and the network; filled by cli/config.ts, plain values only. */

import type { SomeLifetimes } from "../lifetimes.ts";

/** Sent to the upstream's own origin (and below its root) alone. Never printed, never logged. */
export type UpstreamCredentials =
  | { readonly kind: "bearer"; readonly token: string }
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "header"; readonly name: string; readonly value: string };

/** One registry, as configured. */
export interface UpstreamConfig {
  /** Part of storage keys; default: key and a short hash of `url`, `match` and `organisations`. */
  readonly id?: string;
  /** `npm`. */
  readonly ecosystem: string;
  /** A key of `Ecosystem.upstreams`. */
  readonly key: string;
  /** Package names or globs (`*` is any run of characters): `@acme/*`, `left-pad`. Empty: every name, and what has none. */
  readonly match: readonly string[];
  /** The registry's root, http or https; may be private. A missing trailing slash is added. */
  readonly url: string;
  /** Further hosts that a document may link to: `host` (the scheme's own port), or `host:port`; may be private. No credentials go there. */
  readonly allowedHosts: readonly string[];
  readonly credentials: UpstreamCredentials | null;
  /** Further paths of the own origin that get the credentials (`/api/v4/projects/`); default: the root's path alone. */
  readonly credentialPaths?: readonly string[];
  /** Only these may use it; null: all. */
  readonly organisations: readonly string[] | null;
  /** Where it has its own. */
  readonly lifetimes?: SomeLifetimes;
}

/** How requests leave this process; for upstreams and webhooks. */
export interface NetworkConfig {
  /** An HTTP proxy's address, with userinfo where it wants credentials; null: none. */
  readonly proxy: string | null;
  /** As in `NO_PROXY`: `host`, `.suffix`, `host:port`, an address, a CIDR range, or `*`. */
  readonly noProxy: readonly string[];
  /** The text of a PEM file: certificate authorities trusted beside the built-in ones; null: none. */
  readonly caPem: string | null;
  /** To webhooks; what an upstream is told is among its lifetimes. */
  readonly userAgent: string;
  /** For the look-up, the connection and TLS together. */
  readonly connectTimeoutMs: number;
  /** From the request being sent to the first byte of the answer's headers. */
  readonly firstByteTimeoutMs: number;
  /** Between two chunks of a body. */
  readonly idleTimeoutMs: number;
  readonly maxConnectionsPerOrigin: number;
}
