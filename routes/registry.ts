/** Outcome → Response. Every answer is private or no-store; what was decided is said in its headers. */
import type { Client, Ecosystem } from "../ecosystems/ecosystem.ts";
import type { Outcome, Trace } from "../ecosystems/outcome.ts";
import type { Clock } from "../storage/runtime.ts";
import { createArtifactSender } from "./artifact.ts";
import { createDocumentSender } from "./document.ts";
import { addPluginHeaders, putHeader, respondText, responseHeaders } from "./headers.ts";
import { cacheStatusOf, putStamp, stampOf } from "./trace.ts";

/** Turns what the pipeline answered into what goes over the wire. Rejects only with what `open` rejects with. */
export function createOutcomeSender(
  clock: Clock,
): (request: Request, outcome: Outcome) => Promise<Response> | Response {
  const sendDocument = createDocumentSender(clock);
  const sendArtifact = createArtifactSender(clock);

  return function sendOutcome(request, outcome) {
    switch (outcome.kind) {
      case "document":
        return sendDocument(request, outcome);
      case "artifact":
        return sendArtifact(request, outcome);
      case "elsewhere":
        return bare(request, { status: 302, trace: outcome.trace, fields: { location: outcome.location } });
      case "refused":
        return sendRefusal(request, outcome);
      case "failed": {
        const { status, trace, contentType, body } = outcome;
        const fields = status === 405 ? ALLOW : {};
        return bare(request, { status, trace, contentType, body, fields });
      }
    }
  };

  function sendRefusal(
    request: Request,
    { refusal, trace }: Extract<Outcome, { kind: "refused" }>,
  ): Response {
    if (refusal.kind === "redirect") {
      const fields = { ...refusal.headers, location: refusal.location };
      return bare(request, { status: refusal.status, trace, fields });
    }
    const { status, contentType, body, headers } = refusal;
    return bare(request, { status, trace, contentType, body, fields: headers });
  }

  /** An answer without package bytes: never kept by anybody. */
  function bare(request: Request, answer: {
    readonly status: number;
    readonly trace: Trace;
    readonly fields: Readonly<Record<string, string>>;
    readonly contentType?: string;
    readonly body?: string;
  }): Response {
    const headers = responseHeaders({
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
    });
    addPluginHeaders(headers, answer.fields);
    putHeader(headers, "content-type", answer.contentType);
    putStamp(headers, stampOf(answer.trace, "never", clock()));
    return respondText(request, { status: answer.status, headers, body: answer.body ?? "" });
  }
}

const ALLOW = { allow: "GET, HEAD" } as const;

/** An error that is not the pipeline's own (who may ask, what failed), in the client's form. */
export function registryFailure(request: Request, options: {
  readonly ecosystem: Ecosystem;
  readonly client: Client;
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers: Headers;
}): Response {
  const { ecosystem, client, status, code, message, headers } = options;
  const { contentType, body } = ecosystem.fail({ status, code, message }, client);
  putHeader(headers, "cache-control", "no-store");
  putHeader(headers, "cache-status", cacheStatusOf(code));
  putHeader(headers, "content-type", contentType);
  putHeader(headers, "x-content-type-options", "nosniff");
  return respondText(request, { status, headers, body });
}
