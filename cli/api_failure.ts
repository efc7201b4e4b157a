/** A call of the API that was answered with a problem, for whoever sits at the terminal. */
import { safeText } from "./table.ts";

export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  /** `fields`: those that were wrong, as the API has them. */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: readonly string[] = [],
  ) {
    super(message);
  }
}

/** From problem details (RFC 9457), or whatever stands in the way of them. */
export function failureOf(status: number, body: string, server: string): ApiFailure {
  const problem = problemIn(body);
  if (problem === null) {
    return new ApiFailure(status, "no-api", `${server} answered with ${status}, and not as a Sluice does`);
  }
  const fields = (problem.errors ?? []).map(({ field }) => field);
  const more = (problem.errors ?? []).slice(1).map(({ field, message }) =>
    `\n  ${safeText(`${field}: ${message}`)}`
  );
  return new ApiFailure(
    status,
    problem.code,
    safeText(problem.detail ?? problem.title) + more.join(""),
    fields,
  );
}

interface Problem {
  readonly title: string;
  /** What is wrong, in a sentence. */
  readonly detail?: string;
  readonly code: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

function problemIn(body: string): Problem | null {
  try {
    const value = JSON.parse(body);
    return typeof value?.title === "string" && typeof value.code === "string" ? value : null;
  } catch {
    return null;
  }
}
