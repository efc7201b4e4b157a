/** Refusals, errors and local answers in the form in which each client shows them. */
import type {
  Ask,
  Caller,
  Client,
  Explanation,
  Failure,
  IndexAsk,
  LocalAsk,
  Refusal,
  Rendered,
} from "../ecosystem.ts";

/**
 * yarn 2 and later (which call themselves `got`, by their HTTP library), and bun, print neither body nor reason, but they follow a redirect and print where it led.
 * npm prints the JSON's `error`; pnpm and yarn 1 the address and 403 only.
 */
export function refuse(ask: Ask, explanation: Explanation, client: Client): Refusal {
  const text = `${explanation.sentence} ${explanation.link}`;
  if ((ask.kind === "artifact" || ask.kind === "index") && followsRedirects(client)) {
    return { kind: "redirect", status: 302, location: explanation.speakingLink, headers: {} };
  }
  const isKnown = SPEAKS_JSON.has(client.name);
  return {
    kind: "body",
    status: 403,
    contentType: isKnown ? "application/json" : "text/plain; charset=utf-8",
    body: isKnown ? JSON.stringify({ error: text }) : `${text}\n`,
    headers: {},
  };
}

/** npm shows `policyRestrictions`; the others would say that there is no such version, or no package at all. */
export function tellsByRefusal(ask: IndexAsk, client: Client): boolean {
  return ask.variant !== "dist-tags" && SPEAKS_JSON.has(client.name) && client.name !== "npm";
}

const SPEAKS_JSON: ReadonlySet<string> = new Set(["npm", "pnpm", "yarn", "bun", "deno"]);

function followsRedirects(client: Client): boolean {
  return client.name === "bun" || client.name === "got" ||
    (client.name === "yarn" && !/^[01]\./.test(client.version));
}

/** Every client of this registry reads, at most, the JSON's `error`. */
export function fail(failure: Failure): { readonly contentType: string; readonly body: string } {
  return {
    contentType: "application/json",
    body: JSON.stringify({ error: failure.message, code: failure.code }),
  };
}

/** `ping` and `whoami`. */
export function local(ask: LocalAsk, caller: Caller): Rendered {
  if (ask.variant !== "whoami") return json(200, {});
  return caller.user === null
    ? json(401, { error: "No user name came with this request" })
    : json(200, { username: caller.user });
}

function json(status: number, value: unknown): Rendered {
  return {
    status,
    contentType: "application/json",
    headers: {},
    body: [new TextEncoder().encode(JSON.stringify(value))],
    withheld: () => 0,
  };
}
