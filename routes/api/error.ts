/** What a call of the API ends in when it cannot be done: problem details (RFC 9457) that name the field. */
import type * as z from "zod";
import { ownWords } from "./field_words.ts";

/** One thing that is wrong with what was sent. */
export interface FieldError {
  /** Where: `body.expiresAt`, `query.limit`. */
  readonly field: string;
  /** What was expected there. */
  readonly message: string;
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  /** `message` is public: one sentence that quotes the value. `extra` members stand beside it. */
  constructor(
    readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 503,
    readonly code: string,
    message: string,
    readonly options: {
      readonly errors?: readonly FieldError[];
      readonly challenge?: boolean;
      readonly allow?: string;
      readonly retryAfterSeconds?: number;
      readonly extra?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(message);
  }
}

/** 400, with every mistake. */
export function invalid(where: "path" | "query" | "body", error: z.ZodError): ApiError {
  const errors = error.issues.flatMap((issue) => {
    const field = [where, ...issue.path.map(String)].join(".");
    return issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({ field: `${field}.${key}`, message: "nothing of this name is known" }))
      : [{ field, message: ownWords(issue) }];
  });
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return new ApiError(
    400,
    "invalid-input",
    `Cannot read ${first?.field ?? where}: ${first?.message ?? "it is malformed"}${more}`,
    { errors },
  );
}

/** 400 for one field, found wrong by something else than a schema. */
export function wrongField(field: string, message: string, code = "invalid-input"): ApiError {
  return new ApiError(400, code, message, { errors: [{ field, message }] });
}

export function notFound(code: string, message: string): ApiError {
  return new ApiError(404, code, message);
}
