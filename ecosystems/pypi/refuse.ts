/** Refusals, errors and local answers in the form in which each client shows them. */
import type {
  Ask,
  Caller,
  Client,
  Explanation,
  Failure,
  Links,
  LocalAsk,
  Refusal,
  Rendered,
} from "../ecosystem.ts";

/** They print neither body nor reason of a 403, but follow a redirect and print where it led. */
const PRINT_THE_ADDRESS: ReadonlySet<string> = new Set(["pip", "uv", "poetry", "pdm", "unearth", "pipenv"]);

export function refuse(ask: Ask, explanation: Explanation, client: Client): Refusal {
  const text = `${explanation.sentence} ${explanation.link}`;
  if (PRINT_THE_ADDRESS.has(client.name) && (ask.kind === "artifact" || ask.kind === "sidecar")) {
    return { kind: "redirect", status: 302, location: explanation.speakingLink, headers: {} };
  }
  const isJson = ask.kind === "version";
  return {
    kind: "body",
    status: 403,
    contentType: isJson ? "application/json" : "text/plain; charset=utf-8",
    body: isJson ? JSON.stringify({ message: text }) : `${text}\n`,
    headers: {},
  };
}

/** No client of this registry reads more of an error than its status. */
export function fail(failure: Failure): { readonly contentType: string; readonly body: string } {
  // deno-lint-ignore no-control-regex -- nothing of a request is repeated that could move a terminal's cursor
  const message = failure.message.replace(/[\x00-\x1f\x7f-\x9f]/g, " ");
  return { contentType: "text/plain; charset=utf-8", body: `${message}\n` };
}

/** The redirect to a page's own address; the variant is where that is below the mount. */
export function local(ask: LocalAsk, _caller: Caller, links: Links): Rendered {
  return {
    status: 301,
    contentType: "text/plain; charset=utf-8",
    headers: { location: `${links.base}/${ask.variant}` },
    body: [new TextEncoder().encode("Moved\n")],
    withheld: () => 0,
  };
}
