/** `deno task audit`: every change by whom, when, from what to what, and from where. */
import type { ShownEntry } from "../routes/api/audit_trail.ts";
import { type ApiClient, openApi } from "./api_client.ts";
import { PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { UsageError } from "./storage.ts";
import { safeText } from "./table.ts";
import { minuteText } from "./texts.ts";

const USAGE = `Usage: deno task audit [ID] [flags]

  Every change by whom, when, from what to what, and from where; the newest first. With an ID, that entry with
  every change.

  --limit N              entries at most (default: 50)
  --all                  every entry
  --before CURSOR        those before; the end of what was printed says it, if there are more
  --everywhere           of every organisation, and of the instance itself
${PLACE_USAGE}`;

const OPTIONS = {
  ...PLACE_OPTIONS,
  limit: { type: "string" },
  all: { type: "boolean" },
  before: { type: "string" },
  everywhere: { type: "boolean" },
  json: { type: "boolean" },
} as const;

/** What one call answers at most. */
const PAGE = 1_000;

interface Page {
  readonly entries: readonly ShownEntry[];
  readonly next: string | null;
}

/** Exit code 0: done; 1: refused or failed; 2: the command line is wrong. */
export function audit(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "audit", usage: USAGE, args, io }, async () => {
    const { values, operands: [id, ...more] } = readFlags(args, OPTIONS);
    if (more.length > 0) throw new UsageError(`This takes one entry's id; "${more[0]}" is one too many.`);
    const { json = false, everywhere = false, before } = values;
    const wanted = values.all ? Infinity : wantedOf(values.limit ?? "50");
    if (values.all && values.limit !== undefined) throw new UsageError("Use --all or --limit, not both.");
    await using api = await openApi(values, io);
    if (id !== undefined) {
      const entry = await api.call<ShownEntry>("GET", `/audit/${encodeURIComponent(id)}`);
      return io.stdout(json ? `${JSON.stringify(entry, null, 2)}\n` : textOf(entry));
    }
    const sink = json ? jsonSink(io) : textSink(io);
    let next: string | null = before ?? null;
    let count = 0;
    do {
      const page: Page = await pageOf(api, {
        everywhere,
        before: next,
        limit: Math.min(PAGE, wanted - count),
      });
      sink.write(page.entries);
      count += page.entries.length;
      next = page.next;
    } while (next !== null && count < wanted);
    sink.end(next);
  });
}

function wantedOf(limit: string): number {
  if (/^[1-9]\d{0,8}$/.test(limit)) return Number(limit);
  throw new UsageError(`--limit "${limit}" is not a whole number of 1 or more.`);
}

async function pageOf(
  api: ApiClient,
  { everywhere, before, limit }: {
    readonly everywhere: boolean;
    readonly before: string | null;
    readonly limit: number;
  },
): Promise<Page> {
  return await api.call<Page>("GET", "/audit", {
    query: { limit, everywhere, cursor: before ?? undefined },
  });
}

/** Entries as they come, so that a long trail is not held as a whole. */
interface Sink {
  write(entries: readonly ShownEntry[]): void;
  /** `next`: where the entries before those begin; null: there are none. */
  end(next: string | null): void;
}

function textSink(io: Io): Sink {
  let any = false;
  return {
    write(entries) {
      any ||= entries.length > 0;
      if (entries.length > 0) io.stdout(entries.map(textOf).join(""));
    },
    end(next) {
      if (!any) io.stdout("There is nothing in it.\n");
      if (next !== null) {
        io.stderr(`There are older ones. --all shows them too, and the next are: --before ${next}\n`);
      }
    },
  };
}

/** One list, as if it were written at once; the cursor goes to the side. */
function jsonSink(io: Io): Sink {
  let before = "[";
  return {
    write(entries) {
      for (const entry of entries) {
        io.stdout(`${before}\n${JSON.stringify(entry, null, 2).replaceAll(/^/gm, "  ")}`);
        before = ",";
      }
    },
    end(next) {
      io.stdout(before === "[" ? "[]\n" : "\n]\n");
      if (next !== null) io.stderr(`There are older ones: --before ${next}\n`);
    },
  };
}

function textOf(entry: ShownEntry): string {
  const { id, at, organisation, user, from, action, subject, changes, changesLeftOut } = entry;
  const where = from === "" ? "on the machine" : `from ${from}`;
  const head = `${minuteText(at)}  ${user} ${where}, ${organisation ?? "the instance"}: ${action} ${subject}`;
  const left = changesLeftOut === 0 ? [] : [`    and ${changesLeftOut} more: deno task audit ${id}`];
  return [safeText(head), ...changes.map((line) => `    ${safeText(line)}`), ...left, ""].join("\n");
}

if (import.meta.main) Deno.exit(await audit(Deno.args, processIo()));
