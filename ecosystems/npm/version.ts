/** Which keys of `versions` are versions, and how they are ordered. */
import { createSemverScheme } from "../_shared/semver_scheme.ts";
import type { VersionScheme } from "../../policy/types.ts";

/** npm's order: semantic versions, read loosely. */
export const npmVersions: VersionScheme = createSemverScheme();

const VERSION_KEY = /^[0-9A-Za-z][0-9A-Za-z.+~_-]{0,255}$/;

/** A version that may stand in a file name, a header and an address as it is; old ones need not be semantic. */
export function isVersionKey(text: string): boolean {
  return VERSION_KEY.test(text);
}

/** True where a manifest's own `version` is its key, or the same version written differently (`v1.0.0`). */
export function isSameVersion(key: string, own: string): boolean {
  if (own === key) return true;
  return npmVersions.isValid(key) && npmVersions.isValid(own) && npmVersions.compare(key, own) === 0;
}
