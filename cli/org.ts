/** `deno task org …`: reads and writes organisations' policies and the floor, beside a running server. */
import { parseArgs } from "node:util";
import { StorageError } from "../storage/errors.ts";
import { forgetUser } from "../storage/installs/retention.ts";
import { createAuditTrail } from "../storage/kv/audit_trail.ts";
import { OrganisationError } from "../storage/kv/organisation_error.ts";
import { openApi } from "./api_client.ts";
import { ApiFailure } from "./api_failure.ts";
import { type Io, processIo } from "./io.ts";
import { auditedAdmin, auditedTarget } from "./org_audited.ts";
import type { Command, OrgAdmin } from "./org_command.ts";
import { createCommand, deleteCommand, forgetUserCommand, listCommand, waiversCommand } from "./org_admin.ts";
import {
  historyCommand,
  importCommand,
  restoreCommand,
  setCommand,
  showCommand,
  validateCommand,
} from "./org_documents.ts";
import { editDocument } from "./org_edit.ts";
import { previewPolicy } from "./org_preview.ts";
import { mistakeList } from "./org_print.ts";
import { floorTarget, policyTarget } from "./org_target.ts";
import { withWebhookNotes } from "./org_webhooks.ts";
import { remoteAdmin, remoteFloor, remotePolicy } from "./remote_organisations.ts";
import {
  commandConfig,
  commandLog,
  journalFolder,
  LOCATION_OPTIONS,
  openGuarded,
  openOrganisations,
  UsageError,
} from "./storage.ts";

const USAGE = `Usage: deno task org COMMAND [--org NAME] [flags]

  list                          all organisations
  create NAME [FILE]            a new one, with the policy in FILE or every default
  show                          its policy          (--revision N: an older one)
  set FILE                      replaces its policy; FILE is YAML or JSON, - is standard input
  edit                          its policy in $EDITOR
  validate FILE                 every mistake in FILE, without changing anything
  preview FILE                  what FILE would have made of the last 30 days' installs
  history                       its policy's revisions
  restore REVISION              writes an older revision as the newest
  import --from package-proxy FILE
  delete NAME                   policy, history and waivers; the install log stays (--yes: do not ask)
  waivers [revoke ID]           its waivers
  forget-user NAME              takes a person out of its install log
  floor show|set|edit|validate|history|restore
                                the denials that hold for every organisation

  --org NAME (default), --json, --author NAME (you), --message TEXT,
  --data FOLDER, --kv PATH|URL, --config FILE (as the server's),
  --server URL (a running Sluice, with a token in SLUICE_TOKEN)
`;

const OPTIONS = {
  ...LOCATION_OPTIONS,
  server: { type: "string" },
  org: { type: "string" },
  json: { type: "boolean" },
  author: { type: "string" },
  message: { type: "string" },
  revision: { type: "string" },
  from: { type: "string" },
  yes: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** Exit code 0: done; 1: refused or failed, and nothing was changed; 2: the command line is wrong. */
export async function org(args: readonly string[], io: Io): Promise<number> {
  try {
    return await run(args, io);
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr(`${error.message}\n`);
      return 2;
    }
    if (error instanceof OrganisationError) {
      io.stderr(`${error.message}${error.errors.length > 0 ? ":" : "."}\n${mistakeList(error.errors)}`);
      return 1;
    }
    if (!(error instanceof StorageError || error instanceof SyntaxError || error instanceof ApiFailure)) {
      throw error;
    }
    io.stderr(`${error.message}\n`);
    return 1;
  }
}

async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArguments(args);
  const [word = "", ...rest] = positionals;
  if (values.help || word === "" || word === "help") {
    (values.help || word !== "" ? io.stdout : io.stderr)(USAGE);
    return values.help || word !== "" ? 0 : 2;
  }
  if (word === "preview") return await previewPolicy(values, rest, io);
  const floor = word === "floor";
  const name = floor ? rest[0] ?? "" : word;
  const action = (floor ? FLOOR_COMMANDS : COMMANDS).get(name);
  if (action === undefined) {
    throw new UsageError(`Unknown command "${floor ? `floor ${name}` : name}".\n\n${USAGE}`.trimEnd());
  }
  const id = values.org ?? "default";
  return await withPlace(values, io, { id, floor }, async (place) =>
    await action({
      io,
      ...place,
      org: id,
      operands: floor ? rest.slice(1) : rest,
      json: values.json ?? false,
      yes: values.yes ?? false,
      author: values.author ?? (io.user || "unknown"),
      ...(values.message === undefined ? {} : { message: values.message }),
      revision: values.revision ?? null,
      from: values.from ?? null,
    }));
}

type ForgottenUser = Parameters<OrgAdmin["forgetUser"]>[0];
type Place = Pick<Command, "organisations" | "target">;

/** On the data folder, or on the server that the flags name. */
async function withPlace(
  flags: ReturnType<typeof readArguments>["values"],
  io: Io,
  { id, floor }: { readonly id: string; readonly floor: boolean },
  work: (place: Place) => Promise<number>,
): Promise<number> {
  if (flags.server !== undefined) {
    // Without --org: it is no part of the address of what is the instance's.
    await using api = await openApi({ ...flags, org: undefined }, io);
    return await work({
      organisations: remoteAdmin(api),
      target: floor ? remoteFloor(api) : remotePolicy(api, id),
    });
  }
  const config = commandConfig(flags, io);
  const kv = await openGuarded(config, io);
  try {
    const organisations = await openOrganisations(kv, io.clock);
    const log = { kv, journal: journalFolder(config), clock: io.clock, log: commandLog(io) };
    const audited = {
      trail: createAuditTrail(kv, { clock: io.clock }),
      user: flags.author ?? (io.user || "unknown"),
    };
    const admin = { ...organisations, forgetUser: (user: ForgottenUser) => forgetUser(log, user) };
    return await work({
      organisations: auditedAdmin(admin, audited),
      target: floor
        ? auditedTarget(floorTarget(organisations), audited, null)
        : auditedTarget(withWebhookNotes(policyTarget(organisations, id), { io, config }), audited, id),
    });
  } finally {
    kv.close();
  }
}

type Action = (command: Command) => Promise<number>;

const DOCUMENT_COMMANDS: readonly [string, Action][] = [
  ["show", showCommand],
  ["set", setCommand],
  ["edit", editCommand],
  ["validate", validateCommand],
  ["history", historyCommand],
  ["restore", restoreCommand],
];
const FLOOR_COMMANDS: ReadonlyMap<string, Action> = new Map(DOCUMENT_COMMANDS);
const COMMANDS: ReadonlyMap<string, Action> = new Map([
  ...DOCUMENT_COMMANDS,
  ["list", listCommand],
  ["create", createCommand],
  ["delete", deleteCommand],
  ["import", importCommand],
  ["waivers", waiversCommand],
  ["forget-user", forgetUserCommand],
]);

function editCommand(command: Command): Promise<number> {
  return editDocument(command.target, command.io, command);
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const why = error instanceof Error ? error.message.split(". ", 1)[0] : String(error);
    throw new UsageError(`${why}.\n\n${USAGE}`.trimEnd());
  }
}

if (import.meta.main) {
  Deno.exit(await org(Deno.args, processIo()));
}
