/** From what a client is told to what a person copies. */
import type { ClientSetup, Setting, SetupCaller, SetupFile } from "../../ecosystems/ecosystem.ts";

/** Text of one place. */
export interface Step {
  /** `shell`, `environment`, or a file as people write it: `~/.npmrc`. */
  readonly where: string;
  /** Where the file is on macOS and Windows, if it is not there. */
  readonly elsewhere: string | null;
  readonly text: string;
  /** It holds a name or token: the file is to be its owner's alone. */
  readonly isSecret: boolean;
}

export interface ShownClient {
  readonly id: string;
  readonly title: string;
  /** Does all that `steps` do, where both are there; in a project's folder where `isPerProject`. */
  readonly command: string | null;
  readonly isPerProject: boolean;
  readonly steps: readonly Step[];
  /** Keeps the name or token in place of the steps that are secret. */
  readonly login: string | null;
  /** Where a token is kept best; null: none is needed. */
  readonly keeps: string | null;
  readonly note: string | null;
}

/** `user` null: placeholders in capitals stand for what the reader knows. Never a secret. */
export function showClient(
  client: ClientSetup,
  { caller, user }: { readonly caller: SetupCaller; readonly user: string | null },
): ShownClient {
  const fill = (text: string) => fillIn(text, user);
  const files = new Map<string, Setting[]>();
  for (const setting of client.settings(caller)) {
    const where = `~/${setting.file.home}`;
    files.set(where, [...files.get(where) ?? [], setting]);
  }
  const variables = Object.entries(client.environment?.(caller) ?? {});
  const steps: Step[] = [...files].map(([where, settings]) => ({
    where,
    elsewhere: elsewhereOf(settings[0]!.file),
    text: fill(snippet(settings)),
    isSecret: settings.some(({ isSecret }) => isSecret === true),
  }));
  if (variables.length > 0) {
    const text = variables.map(([name, value]) => `export ${name}=${fill(value)}`).join("\n");
    steps.push({ where: "environment", elsewhere: null, text, isSecret: false });
  }
  const login = client.login?.(caller).map(fill) ?? [];
  const isPerProject = client.isPerProject === true;
  return {
    id: client.id,
    title: client.client,
    command: caller.by === "nobody" || isPerProject ? client.line : null,
    isPerProject,
    steps,
    login: login.length === 0 ? null : login.join("\n"),
    keeps: caller.by === "token" ? client.keeps : null,
    note: client.note?.(caller) ?? null,
  };
}

function elsewhereOf({ macos, windows }: SetupFile): string | null {
  const places = [
    ...(macos === undefined ? [] : [`macOS: ~/${macos}`]),
    ...(windows === undefined ? [] : [`Windows: %USERPROFILE%\\${windows.replaceAll("/", "\\")}`]),
  ];
  return places.length === 0 ? null : places.join("; ");
}

/** As the file has them, each section below its header. */
function snippet(settings: readonly Setting[]): string {
  return settings.flatMap(({ section, lines }) => section === undefined ? lines : [`[${section}]`, ...lines])
    .join("\n");
}

/** base64 of a name that nobody said cannot be worked out: how to is said beside it. */
export const BASIC_PLACEHOLDER = "BASE64";

function fillIn(text: string, user: string | null): string {
  const basic = user === null ? BASIC_PLACEHOLDER : btoa(`${user}:`);
  return text.replaceAll("{user:url}", encodeURIComponent(user ?? "NAME"))
    .replaceAll("{user}", user ?? "NAME").replaceAll("{basic}", basic).replaceAll("{token}", "TOKEN");
}
