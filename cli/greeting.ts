/** What a start says: where it listens, where it keeps things, and the line that points a client here. */
import type { Ecosystem } from "../ecosystems/ecosystem.ts";
import { StorageError } from "../storage/errors.ts";
import type { Log } from "../storage/runtime.ts";
import type { Running } from "./compose.ts";
import type { Config } from "./config.ts";
import { StartError } from "./listen.ts";

/** For people in so many lines, for programs in one. */
export function greeting(options: {
  readonly config: Config;
  readonly running: Pick<Running, "baseUrl" | "address" | "warnings" | "localLink">;
  readonly ecosystems: readonly Ecosystem[];
  readonly log: Log;
  readonly print: (text: string) => void;
}): void {
  const { config, running, log } = options;
  if (config.logFormat === "text") options.print(welcomeText(options));
  else log("info", `Listening: ${running.baseUrl}`, { "server.port": running.address.port });
  for (const warning of running.warnings) log("warn", warning);
}

function welcomeText({ config, running, ecosystems }: Parameters<typeof greeting>[0]): string {
  const setup = ecosystems.filter(({ id }) => !config.disabled.includes(id)).flatMap((ecosystem) => {
    const [first] = ecosystem.setup(`${running.baseUrl}/${ecosystem.id}`);
    return first === undefined ? [] : [`  ${first.line}`];
  });
  return [
    `Sluice listens on ${running.baseUrl}`,
    `and keeps what it has in ${config.data ?? (config.platform ? "the platform's storage" : config.kv)}.`,
    "",
    "Point a client at it:",
    ...setup,
    "",
    ...signIn(running),
    "",
  ].join("\n");
}

/** For people alone: what is logged is read by others, and later. */
function signIn({ baseUrl, localLink }: Pick<Running, "baseUrl" | "localLink">): readonly string[] {
  if (localLink === null) return [`Its pages: ${baseUrl}/-/admin`, ""];
  return ["Its pages; this link signs you in, once, within an hour:", `  ${localLink}`, ""];
}

/** One sentence for a person; what is no expected failure brings its stack along. */
export function startSentence(error: unknown): string {
  if (error instanceof StartError || error instanceof StorageError || error instanceof RangeError) {
    return error.message;
  }
  return `Cannot start: ${error instanceof Error ? error.stack ?? error.message : error}`;
}
