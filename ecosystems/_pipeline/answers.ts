/** What many answers share: errors in the client's form, links, and the trace of an answer that nothing was decided on. */
import type { Failure, Links } from "../ecosystem.ts";
import type { Outcome, RegistryRequest, Trace } from "../outcome.ts";
import type { Verdicts } from "./verdicts.ts";

export const PLAIN_TRACE: Trace = {
  cache: "none",
  copy: null,
  forwarded: null,
  detail: null,
  decisionId: null,
  whyLink: null,
  maxAgeSeconds: 0,
  staleSince: null,
};

/** An error in the client's own form. */
export function failed(request: RegistryRequest, failure: Failure): Outcome {
  const { contentType, body } = request.ecosystem.fail(failure, request.caller.client);
  return {
    kind: "failed",
    status: failure.status,
    contentType,
    body,
    trace: { ...PLAIN_TRACE, detail: failure.code },
  };
}

export function noSuchPackage(request: RegistryRequest, name: string): Outcome {
  return failed(request, {
    status: 404,
    code: "no-such-package",
    message: `No package ${JSON.stringify(name)} in this ${request.ecosystem.title} registry`,
  });
}

/** For answers that link to no file. */
export function plainLinks(request: RegistryRequest): Links {
  const authRequired = request.organisation.policy.callers !== "anyone";
  return { base: request.mount, authRequired, artifacts: "proxy" };
}

export function linksOf(request: RegistryRequest, verdicts: Verdicts): Links {
  return { ...plainLinks(request), artifacts: verdicts.policy.artifacts };
}

/** There is no such release, file or tag of a package that exists. */
export function notThere(request: RegistryRequest, message: string): Outcome {
  return failed(request, { status: 404, code: "no-such-version", message });
}

/** Upstream has no such document. */
export function notOffered(request: RegistryRequest, message: string): Outcome {
  return failed(request, { status: 404, code: "not-offered", message });
}
