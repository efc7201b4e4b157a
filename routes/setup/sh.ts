/** `GET /-/setup.sh`: one POSIX script for an organisation's address. It holds no secret. */
import type { PolicyDocument } from "../../policy/config.ts";
import type { Mounted } from "./query.ts";
import { quoteSh } from "./quote.ts";
import { SH_ARGUMENTS, SH_USAGE } from "./sh_arguments.ts";
import { shClients } from "./sh_clients.ts";
import { SH_EDIT } from "./sh_edit.ts";
import { SH_EVERYBODY } from "./sh_everybody.ts";
import { SH_FILES } from "./sh_files.ts";
import { SH_UNDO } from "./sh_undo.ts";
import { SH_VERIFY } from "./sh_verify.ts";

/** Whose script it is. */
export interface ScriptOptions {
  readonly mounts: readonly Mounted[];
  readonly organisation: string;
  /** The organisation's own address, no trailing slash. */
  readonly site: string;
  readonly callers: PolicyDocument["callers"];
}

export function shScript({ mounts, organisation, site, callers }: ScriptOptions): string {
  const clients = mounts.flatMap((mount) => mount.clients);
  return [
    "#!/bin/sh",
    `# Points the package managers of this machine at Sluice: ${site}/ (organisation ${organisation})`,
    "#",
    SH_USAGE,
    "set -u",
    'if [ -n "${ZSH_VERSION:-}" ]; then emulate sh; fi',
    "LC_ALL=C",
    "export LC_ALL",
    "",
    `SITE=${quoteSh(site)}`,
    `ORGANISATION=${quoteSh(organisation)}`,
    "# Whom the organisation lets in: anyone, named or token.",
    `CALLERS=${quoteSh(callers)}`,
    `ALL_CLIENTS=${quoteSh(clients.map(({ id }) => id).join(" "))}`,
    "",
    shClients(clients, callers !== "anyone"),
    SH_ARGUMENTS,
    SH_EDIT,
    SH_FILES,
    SH_UNDO,
    SH_VERIFY,
    SH_EVERYBODY,
  ].join("\n");
}
