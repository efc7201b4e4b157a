/** What can be wrong with a change of an organisation, in words for the person who asked for it. */
import type { PolicyError } from "../../policy/config.ts";

export type OrganisationErrorCode =
  | "invalid-id"
  | "unknown"
  | "exists"
  | "conflict"
  | "invalid-policy"
  | "too-large"
  | "too-many"
  | "refused";

/** Nothing was changed. `errors` is filled for `invalid-policy`: every mistake there is. */
export class OrganisationError extends Error {
  override readonly name = "OrganisationError";
  constructor(
    message: string,
    readonly code: OrganisationErrorCode,
    readonly errors: readonly PolicyError[] = [],
  ) {
    super(message);
  }
}

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** An organisation's id is one DNS label in lower case, since it may be the first label of a host name. */
export function isOrganisationId(id: string): boolean {
  return DNS_LABEL.test(id);
}

/** Throws OrganisationError `invalid-id`. */
export function checkOrganisationId(id: string): void {
  if (isOrganisationId(id)) return;
  throw new OrganisationError(
    `Cannot use ${JSON.stringify(id.slice(0, 100))} as an organisation's name: ` +
      "it must be 1 to 63 of the characters a-z, 0-9 and -, with neither - at an end",
    "invalid-id",
  );
}
