/** Cargo's versions. */
import type { VersionScheme } from "../../policy/types.ts";
import { createSemverScheme } from "../_shared/semver_scheme.ts";

/**
 * Semantic versions, read loosely, so that a denial of `v1.0` written in haste holds. Cargo's resolver orders
 * `1.0.0+1` below `1.0.0+2`, but its requirements ignore build metadata (`=1.0.0` takes either): here they are equal,
 * so that a denial of `1.0.0` holds both.
 */
export const cargoVersions: VersionScheme = createSemverScheme();

const VERSION = /^[0-9A-Za-z][0-9A-Za-z.+~_-]{0,255}$/;

/** A version that may stand in a file name, a header and an address as it is. */
export function isVersionText(text: string): boolean {
  return VERSION.test(text);
}
