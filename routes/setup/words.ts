/** What `/-/setup` says in every form. */
import { BASIC_PLACEHOLDER, type ShownClient } from "./steps.ts";
import type { Mounted, SetupQuery } from "./query.ts";

export interface Shown {
  readonly mount: Mounted;
  readonly clients: readonly ShownClient[];
}

export interface SetupPage {
  readonly query: SetupQuery;
  readonly organisation: string;
  /** The organisation's own address, no trailing slash. */
  readonly site: string;
  /** The base address's own path, no trailing slash. */
  readonly prefix: string;
  /** Where a member makes tokens of their own; null: nobody can sign in. */
  readonly tokens: string | null;
}

/** Who is let in, and so what the lines hold. */
export function whoSentence({ organisation, query, tokens }: SetupPage): string {
  const { by, isAsked } = query.caller;
  const whose = `Organisation "${organisation}"`;
  switch (by) {
    case "nobody":
      return isAsked
        ? `${whose} does not let in whoever says nothing of themselves: these lines alone are not enough.`
        : `${whose} lets anybody in. With your name in them, the log knows whose installs they were.`;
    case "name": {
      const where = query.user === null ? " Put yours where NAME stands." : "";
      return `${whose} lets ${
        isAsked ? "in callers with a name." : "anybody in; these lines say your name."
      }` +
        `${where} A name is no secret, and proves nothing.`;
    }
    case "token":
      return `${whose} lets ${
        isAsked ? "in callers with a token" : "anybody in; these lines send a token"
      }: ` +
        `put yours where TOKEN stands.${
          tokens === null
            ? isAsked ? " Ask whoever runs this Sluice for one." : ""
            : ` Members make their own at ${tokens}, others ask whoever runs this Sluice for one.`
        }`;
  }
}

/** How the base64 of a name is made, where a line wants it and nobody said the name; else null. */
export function basicSentence(shown: readonly Shown[]): string | null {
  const steps = shown.flatMap(({ clients }) => clients).flatMap((client) => client.steps);
  return steps.some(({ text }) => text.includes(BASIC_PLACEHOLDER))
    ? `${BASIC_PLACEHOLDER} is what this prints: printf NAME: | base64`
    : null;
}

export const SCRIPTS_LEAD =
  "The scripts set up every client that is installed, say what they change, keep a copy first, take everything back with --undo, and ask Sluice whether all is well. They are made to be read. --all-users is for device-management tools, --help lists the rest.";

export const LOGIN_LEAD = "in place of writing the name or token yourself";

/** To fetch the script, to look at what it would do, and to do it. */
export function shellLines({ site, query }: SetupPage): string {
  const { by } = query.caller;
  const run = `sh setup.sh${
    by === "token" ? " --token-file FILE" : by === "name" ? ` --user ${query.user ?? "NAME"}` : ""
  }`;
  return [`curl -fsSLO ${site}/-/setup.sh`, `${run} --dry-run`, run].join("\n");
}

export function powerShellLines({ site, query }: SetupPage): string {
  const { by } = query.caller;
  const who = by === "token" ? " -TokenFile FILE" : by === "name" ? ` -User ${query.user ?? "NAME"}` : "";
  const run = `powershell -ExecutionPolicy Bypass -File setup.ps1${who}`;
  return [`Invoke-WebRequest ${site}/-/setup.ps1 -OutFile setup.ps1`, `${run} -DryRun`, run].join("\n");
}

/** In a sentence: "in ~/.npmrc". */
export function placeName(where: string): string {
  return where === "environment" ? "the environment" : where;
}
