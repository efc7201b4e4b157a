/** The `org` commands on organisations as such: list, create, delete, waivers, and a person's wish to be forgotten. */
import { formatDuration } from "../policy/duration.ts";
import { OrganisationError } from "../storage/kv/organisation_error.ts";
import { readDocument, writeDocument } from "./document_text.ts";
import { type Command, operandsOf, readInput } from "./org_command.ts";
import { columns, instant } from "./org_print.ts";
import { UsageError } from "./storage.ts";

/** All organisations, with what their policies say in short. */
export async function listCommand(command: Command): Promise<number> {
  operandsOf(command, []);
  const { io, organisations, json } = command;
  const summaries = await organisations.list();
  if (json) {
    io.stdout(writeDocument(summaries, "json"));
    return 0;
  }
  const rows: string[][] = [];
  for (const { id, revision, updatedAt } of summaries) {
    const parsed = (await organisations.get(id))?.parsed;
    const short = parsed?.ok
      ? [parsed.document.enforcement, formatDuration(parsed.document.minimumAge), parsed.document.callers]
      : ["unusable", "", ""];
    rows.push([id, String(revision), instant(updatedAt), ...short]);
  }
  io.stdout(columns(["organisation", "revision", "changed", "enforcement", "minimum age", "callers"], rows));
  return 0;
}

/** A new organisation, with a file's policy or every default. */
export async function createCommand(command: Command): Promise<number> {
  const [id, file, ...more] = command.operands;
  if (id === undefined || more.length > 0) operandsOf(command, ["NAME", "[FILE]"]);
  const source = file === undefined ? {} : readDocument(await readInput(command.io, file), file);
  const { author, message } = command;
  const stored = await command.organisations.create(id ?? "", {
    source,
    author,
    ...(message === undefined ? {} : { message }),
  });
  command.io.stdout(
    command.json
      ? writeDocument({ id, revision: stored.revision }, "json")
      : `Created organisation ${JSON.stringify(id)}: its registry is below /o/${id}/.\n`,
  );
  return 0;
}

/** Deletes an organisation named outright; asks first. */
export async function deleteCommand(command: Command): Promise<number> {
  const [id = ""] = operandsOf(command, ["NAME"]);
  if (await command.organisations.get(id) === null) {
    throw new OrganisationError(
      `Cannot delete organisation ${JSON.stringify(id)}: there is none of that name`,
      "unknown",
    );
  }
  if (!command.yes) {
    const answer = command.io.ask(`Delete organisation "${id}" with its policy, history and waivers? [y/N]`);
    if (answer === null) throw new UsageError("Add --yes: nobody is here to confirm it.");
    if (!/^\s*y/i.test(answer)) {
      command.io.stderr("Nothing was changed.\n");
      return 1;
    }
  }
  await command.organisations.delete(id);
  command.io.stdout(`Deleted organisation ${JSON.stringify(id)}; its install log stays.\n`);
  return 0;
}

/** Lists waivers, or revokes one. */
export async function waiversCommand(command: Command): Promise<number> {
  const { io, organisations, org, json, operands } = command;
  if (operands[0] === "revoke") {
    const [, id = ""] = operandsOf(command, ["revoke", "ID"]);
    if (!(await organisations.revokeWaiver(org, id, command.author))) {
      throw new OrganisationError(`Cannot revoke waiver ${JSON.stringify(id)}: there is none`, "unknown");
    }
    io.stdout(`Revoked waiver ${JSON.stringify(id)}; in force within a second.\n`);
    return 0;
  }
  operandsOf(command, []);
  const waivers = await organisations.waivers(org);
  if (json) io.stdout(writeDocument(waivers, "json"));
  else if (waivers.length === 0) io.stdout(`Organisation ${JSON.stringify(org)} has no waivers.\n`);
  else {
    const rows = waivers.map(({ id, ecosystem, name, version, range, kind, until, owner, reason }) => {
      return [id, `${ecosystem}/${name}`, version ?? range ?? "", kind, instant(until), owner, reason];
    });
    io.stdout(columns(["id", "package", "version", "kind", "until", "owner", "reason"], rows));
  }
  return 0;
}

/** Takes a person out of the organisation's install log; the records stay, without user and address. */
export async function forgetUserCommand(command: Command): Promise<number> {
  const [user = ""] = operandsOf(command, ["NAME"]);
  await command.organisations.forgetUser({ organisation: command.org, user });
  command.io.stdout(
    `Took ${JSON.stringify(user)} out of the install log of organisation ${JSON.stringify(command.org)}.\n`,
  );
  return 0;
}
