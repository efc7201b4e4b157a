/** What organisations refuse, as problems. */
import type { PolicyError } from "../../policy/config.ts";
import { OrganisationError } from "../../storage/kv/organisation_error.ts";
import { ApiError } from "./error.ts";

const STATUS = {
  "invalid-id": 400,
  unknown: 404,
  exists: 409,
  conflict: 409,
  "invalid-policy": 422,
  "too-large": 413,
  "too-many": 409,
  refused: 409,
} as const;

/** An OrganisationError as a problem, with every mistake of the document; `exists` is the field of what may not be there yet. */
export async function told<T>(work: () => Promise<T>, exists?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OrganisationError)) throw error;
    const { code, errors } = error;
    const field = code === "invalid-id" ? "body.id" : code === "exists" ? exists : undefined;
    throw new ApiError(STATUS[code], code, error.message, {
      ...(field === undefined ? {} : { errors: [{ field, message: error.message }] }),
      ...(errors.length === 0 ? {} : { errors: errors.map(fieldOf), extra: { mistakes: errors } }),
    });
  }
}

function fieldOf({ path, value, expected }: PolicyError) {
  return {
    field: path === "" ? "body.document" : `body.document.${path}`,
    message: `${value}: expected ${expected}`,
  };
}
