/** The `org` commands on one document, policy or floor. */
import { importPackageProxy } from "../policy/import_package_proxy.ts";
import { OrganisationError } from "../storage/kv/organisation_error.ts";
import { readDocument, writeDocument } from "./document_text.ts";
import { type Command, operandsOf, readInput } from "./org_command.ts";
import { changeReport } from "./org_edit.ts";
import { columns, instant, mistakeList } from "./org_print.ts";
import { UsageError } from "./storage.ts";

/** Prints the document as it was written, without secrets. */
export async function showCommand(command: Command): Promise<number> {
  operandsOf(command, []);
  const { target, io, json } = command;
  const number = command.revision === null ? null : revisionNumber(command.revision);
  const found = number === null ? await target.get() : await target.revision(number);
  if (found === null) {
    const what = number === null ? "there is none" : `there is no revision ${number}`;
    throw new OrganisationError(`Cannot show the ${target.title}: ${what}`, "unknown");
  }
  const document = target.redact(found.source);
  const { revision, at, author, message } = found;
  if (json) {
    io.stdout(writeDocument({ revision, at, author, message, document }, "json"));
    return 0;
  }
  const written = revision === 0
    ? "never written"
    : `revision ${revision}, ${instant(at)} by ${author.toWellFormed()}`;
  io.stdout(`# The ${target.title}: ${written.replace(/\s+/g, " ")}\n${writeDocument(document, "yaml")}`);
  if (found.parsed.ok) return 0;
  io.stderr(
    `It cannot be used as it stands: requests are refused until it is repaired.\n${
      mistakeList(found.parsed.errors)
    }`,
  );
  return 1;
}

/** Replaces the document with a file's. */
export async function setCommand(command: Command): Promise<number> {
  const [file = ""] = operandsOf(command, ["FILE"]);
  const source = readDocument(await readInput(command.io, file), nameOf(file));
  return await replace(command, source);
}

/** Writes a document, tells what changed; with a mistake in it nothing changes. */
async function replace(command: Command, given: unknown): Promise<number> {
  const { target, author, message } = command;
  const current = await target.get();
  if (current === null) {
    throw new OrganisationError(
      `Cannot write the ${target.title}: there is no such organisation. Create it: deno task org create ${command.org}`,
      "unknown",
    );
  }
  const source = target.unredact(given, current.source);
  const stored = await target.write({
    source,
    author,
    ...(message === undefined ? {} : { message }),
    expectedRevision: current.revision,
  });
  report(command, stored, changeReport(target, current.source, source));
  return 0;
}

function report(command: Command, stored: { readonly revision: number }, changes: string): void {
  const { io, target, json } = command;
  if (json) return io.stdout(writeDocument({ revision: stored.revision }, "json"));
  io.stdout(changes === "" ? "The document says what it said before.\n" : changes);
  io.stdout(`Wrote revision ${stored.revision} of the ${target.title}; in force within a second.\n`);
}

/** Tells every mistake of a file, and changes nothing. */
export async function validateCommand(command: Command): Promise<number> {
  const [file = ""] = operandsOf(command, ["FILE"]);
  const { target, io, json } = command;
  const given = readDocument(await readInput(io, file), nameOf(file));
  const source = target.unredact(given, (await target.get())?.source);
  const mistakes = await target.mistakes(source);
  if (json) io.stdout(writeDocument(mistakes, "json"));
  else if (mistakes.length === 0) io.stdout(`There is no mistake in ${nameOf(file)}.\n`);
  else io.stderr(`Mistakes in ${nameOf(file)}:\n${mistakeList(mistakes)}`);
  return mistakes.length === 0 ? 0 : 1;
}

/** Revisions, the newest first. */
export async function historyCommand(command: Command): Promise<number> {
  operandsOf(command, []);
  const { io, target, json } = command;
  const revisions = await target.history();
  if (json) {
    io.stdout(writeDocument(revisions, "json"));
    return 0;
  }
  const rows = revisions.map(({ revision, at, author, message }) => {
    return [String(revision), instant(at), author, message];
  });
  io.stdout(
    rows.length === 0
      ? `The ${target.title} was never written.\n`
      : columns(["revision", "at", "author", "message"], rows),
  );
  return 0;
}

/** Writes an older revision as the newest. */
export async function restoreCommand(command: Command): Promise<number> {
  const [text = ""] = operandsOf(command, ["REVISION"]);
  const { target, author } = command;
  const before = await target.get();
  const stored = await target.restore(revisionNumber(text), author);
  report(command, stored, changeReport(target, before?.source, stored.source));
  return 0;
}

/** Reads another program's document. */
export async function importCommand(command: Command): Promise<number> {
  const [file = ""] = operandsOf(command, ["FILE"]);
  if (command.from !== "package-proxy") {
    throw new UsageError(`Expected --from package-proxy, not ${command.from ?? "nothing"}.`);
  }
  const imported = importPackageProxy(readDocument(await readInput(command.io, file), nameOf(file)));
  if (!imported.ok) {
    command.io.stderr(`Cannot import ${nameOf(file)}:\n${mistakeList(imported.errors)}`);
    return 1;
  }
  for (const warning of imported.warnings) command.io.stderr(`Note: ${warning}\n`);
  return await replace(command, imported.source);
}

function revisionNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`Expected a revision's number, not ${JSON.stringify(text)}.`);
}

function nameOf(file: string): string {
  return file === "-" ? "standard input" : file;
}
