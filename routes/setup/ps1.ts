/** `GET /-/setup.ps1`: one PowerShell script for an organisation's address. It holds no secret. */
import { PS1_ARGUMENTS, PS1_USAGE } from "./ps1_arguments.ts";
import { ps1Clients } from "./ps1_clients.ts";
import { PS1_EDIT } from "./ps1_edit.ts";
import { PS1_FILES } from "./ps1_files.ts";
import { PS1_MAIN } from "./ps1_main.ts";
import { PS1_UNDO } from "./ps1_undo.ts";
import { quotePowerShell as quote } from "./quote.ts";
import type { ScriptOptions } from "./sh.ts";

export function ps1Script({ mounts, organisation, site, callers }: ScriptOptions): string {
  const clients = mounts.flatMap((mount) => mount.clients);
  return [
    `# Points the package managers of this machine at Sluice: ${site}/ (organisation ${organisation})`,
    "#",
    PS1_USAGE,
    `$Site = ${quote(site)}`,
    `$Organisation = ${quote(organisation)}`,
    "# Whom the organisation lets in: anyone, named or token.",
    `$Callers = ${quote(callers)}`,
    `$AllClients = @(${clients.map(({ id }) => quote(id)).join(", ")})`,
    "",
    PS1_ARGUMENTS,
    ps1Clients(clients, callers !== "anyone"),
    PS1_EDIT,
    PS1_FILES,
    PS1_UNDO,
    PS1_MAIN,
  ].join("\n");
}
