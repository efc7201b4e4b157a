/** `/-/setup` for curl. */
import {
  basicSentence,
  LOGIN_LEAD,
  placeName,
  powerShellLines,
  SCRIPTS_LEAD,
  type SetupPage,
  shellLines,
  type Shown,
  whoSentence,
} from "./words.ts";
import type { ShownClient } from "./steps.ts";

export function setupText(shown: readonly Shown[], page: SetupPage): string {
  const basic = basicSentence(shown);
  return [
    `Set-up for ${page.site}/`,
    whoSentence(page),
    ...(basic === null ? [] : [basic]),
    "",
    ...shown.flatMap(({ mount, clients }) => [mount.title, "", ...clients.flatMap(clientText)]),
    "Whole machines",
    "",
    ...indent(SCRIPTS_LEAD, 2),
    "",
    "  macOS, Linux:",
    ...indent(shellLines(page), 4),
    "  Windows:",
    ...indent(powerShellLines(page), 4),
    "",
    `One client, with your name:  curl '${page.site}/-/setup?client=npm&user=ada'`,
  ].join("\n");
}

function clientText(client: ShownClient): readonly string[] {
  const { title, command, steps, login, keeps, note, isPerProject } = client;
  const lines = [`  ${title}`];
  if (command !== null) lines.push(...indent(command, 4));
  for (const { where, elsewhere, text, isSecret } of steps) {
    const or = command !== null && !isPerProject ? "or in" : "in";
    lines.push(
      `    ${or} ${placeName(where)}${isSecret ? " (chmod 600)" : ""}${
        elsewhere === null ? "" : ` (${elsewhere})`
      }:`,
      ...indent(text, 6),
    );
  }
  if (login !== null) lines.push(`    or, ${LOGIN_LEAD}:`, ...indent(login, 6));
  for (const sentence of [keeps, note]) if (sentence !== null) lines.push(...indent(sentence, 4));
  return [...lines, ""];
}

function indent(text: string, width: number): readonly string[] {
  return text.split("\n").map((line) => " ".repeat(width) + line);
}
