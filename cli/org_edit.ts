/** `org edit`: the document in the person's editor until it has no mistake, and nothing lost on the way. */
import { StorageError } from "../storage/errors.ts";
import { OrganisationError } from "../storage/kv/organisation_error.ts";
import { describeChanges } from "../policy/changes.ts";
import { readDocument, writeDocument } from "./document_text.ts";
import type { Io } from "./io.ts";
import { mistakeList } from "./org_print.ts";
import type { Target } from "./org_target.ts";

interface Options {
  readonly author: string;
  readonly message?: string;
}

/** Resolves with the exit code. Whatever was typed and not written is kept in a file that is named. */
export async function editDocument(target: Target, io: Io, options: Options): Promise<number> {
  const current = await target.get();
  if (current === null) {
    throw new OrganisationError(`Cannot edit the ${target.title}: there is none`, "unknown");
  }
  const folder = await Deno.makeTempDir({ prefix: "sluice-edit-" });
  const path = `${folder}/document.yaml`;
  const text = draft(target, current.source, current.revision);
  await Deno.writeTextFile(path, text, { mode: 0o600 });
  for (;;) {
    const code = await io.edit(path);
    if (code !== 0) return kept(io, path, `The editor ended with code ${code}: nothing was changed.`);
    const edited = await Deno.readTextFile(path);
    if (edited === text) {
      await Deno.remove(folder, { recursive: true });
      io.stdout(`Nothing was changed.\n`);
      return 0;
    }
    const checked = await check(target, edited, current.source);
    if (checked.ok) {
      return await save(target, { io, options, source: checked.source, before: current, folder, path });
    }
    io.stderr(checked.problem);
    const answer = io.ask("Edit it again? [Y/n]");
    if (answer === null || /^\s*n/i.test(answer)) return kept(io, path, "Nothing was changed.");
  }
}

function draft(target: Target, source: unknown, revision: number): string {
  const redacted = target.redact(source);
  const empty = typeof redacted === "object" && redacted !== null && Object.keys(redacted).length === 0;
  const head =
    `# The ${target.title}, revision ${revision}. Comments are not kept. An address shown as (set)\n` +
    "# is a secret and stays as it is. Save and close to write it; close without a change to leave it.\n";
  return head + (empty ? "" : writeDocument(redacted, "yaml"));
}

type Checked =
  | { readonly ok: true; readonly source: unknown }
  | { readonly ok: false; readonly problem: string };

async function check(target: Target, text: string, previous: unknown): Promise<Checked> {
  try {
    const source = target.unredact(readDocument(text, "what was typed"), previous);
    const mistakes = await target.mistakes(source);
    return mistakes.length === 0 ? { ok: true, source } : { ok: false, problem: mistakeList(mistakes) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ok: false, problem: `  ${error.message}\n` };
  }
}

interface Save {
  readonly io: Io;
  readonly options: Options;
  readonly source: unknown;
  readonly before: { readonly source: unknown; readonly revision: number };
  readonly folder: string;
  readonly path: string;
}

async function save(target: Target, { io, options, source, before, folder, path }: Save): Promise<number> {
  try {
    const { revision } = await target.write({ ...options, source, expectedRevision: before.revision });
    await Deno.remove(folder, { recursive: true });
    io.stdout(changeReport(target, before.source, source));
    io.stdout(`Wrote revision ${revision} of the ${target.title}; in force within a second.\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof OrganisationError || error instanceof StorageError)) throw error;
    return kept(io, path, `${error.message}.`);
  }
}

function kept(io: Io, path: string, why: string): number {
  io.stderr(`${why}\nWhat you typed is kept in ${path}\n`);
  return 1;
}

/** What a change amounts to, without a secret in it. */
export function changeReport(target: Target, before: unknown, after: unknown): string {
  const lines = describeChanges(target.redact(before), target.redact(after));
  if (lines.length > 0) return lines.map((line) => `${line}\n`).join("");
  const same = JSON.stringify(before) === JSON.stringify(after);
  return same ? "" : "~ webhooks: an address is another one\n";
}
