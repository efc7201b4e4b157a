/** One request to a running Sluice, read to its end. */

export interface AskOptions {
  /** Sent as Basic auth, without a password. */
  readonly user?: string;
  /** npm's abbreviated packument. */
  readonly abbreviated?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly body?: Uint8Array;
}

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly text: string;
  // deno-lint-ignore no-explicit-any -- tests look into documents of any form
  readonly json: () => any;
}

const ABBREVIATED = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

/** Does not follow redirects. Throws TypeError where the connection breaks before the body's end. */
export async function ask(url: string, options: AskOptions = {}): Promise<Asked> {
  const { user, abbreviated = false, headers = {}, method = "GET", body } = options;
  const response = await fetch(url, {
    method,
    redirect: "manual",
    body: (body ?? null) as BodyInit | null,
    headers: {
      "user-agent": "npm/11.19.0 node/v24.0.0 linux x64 workspaces/false",
      accept: abbreviated ? ABBREVIATED : "application/json",
      ...(user === undefined ? {} : { authorization: `Basic ${btoa(`${user}:`)}` }),
      ...headers,
    },
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  return { status: response.status, headers: response.headers, bytes, text, json: () => JSON.parse(text) };
}

/** The id of the decision that the answer names; throws where there is none. */
export function decisionOf(asked: Asked): string {
  const id = asked.headers.get("x-sluice-decision");
  if (id === null || id === "") throw new Error(`No X-Sluice-Decision: ${asked.status} ${asked.text}`);
  return id;
}

/** The address in `Link: <…>; rel="describedby"`; throws where there is none. */
export function linkOf(asked: Asked): string {
  const link = /^<([^>]+)>; rel="describedby"$/.exec(asked.headers.get("link") ?? "")?.[1];
  if (link === undefined) throw new Error(`No Link: ${asked.status} ${asked.text}`);
  return link;
}
