/** `deno task prefetch`: what lockfiles, purls or the install log name is fetched before anybody asks. */
import { openApi } from "./api_client.ts";
import { createProgressLine } from "./cache_print.ts";
import { PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { jsonOf, newReport, note, type PrefetchEvent, progressText, textOf } from "./prefetch_print.ts";
import { StorageError } from "../storage/errors.ts";
import { UsageError } from "./storage.ts";
import { parseSettingDuration } from "./units.ts";

const USAGE = `Usage: deno task prefetch WHAT... [flags]

Fetches what WHAT names, as far as the policy lets it through, so that it can be installed with upstream away.
WHAT is a purl (pkg:npm/left-pad@1.3.0; without a version the newest that is allowed) or a file:
  package-lock.json, pnpm-lock.yaml, yarn.lock, bun.lock, requirements.txt, uv.lock, poetry.lock, Pipfile.lock,
  pylock.toml, Cargo.lock, CycloneDX (JSON, XML), SPDX (JSON, tag-value), or a list of purls, one a line; - is
  standard input. Of a lockfile exactly the files that it lists are fetched.

  --from-log 30d         what people really installed in that time (an instant will do: 2026-11-01)
  --files PATTERN        where a release has several files, only those that match: --files '*manylinux*x86_64*';
                         may be given more than once
  --dry-run              looks and decides, and fetches no file
${PLACE_USAGE}
What is here already is passed over: broken off, the same command goes on where it was. Nobody received anything, so
the install log says nothing of it. Exit code 1 if something was refused or failed, 130 after Ctrl-C.
`;

const OPTIONS = {
  ...PLACE_OPTIONS,
  "from-log": { type: "string" },
  files: { type: "string", multiple: true },
  "dry-run": { type: "boolean" },
  json: { type: "boolean" },
} as const;

const INTERRUPTED = 130;

/** Exit code 0: all of it is here; 1: something was refused or failed; 2: the command line is wrong; 130: interrupted. */
export function prefetch(
  args: readonly string[],
  io: Io,
  /** Nothing more is begun. */
  interrupted: AbortSignal = new AbortController().signal,
): Promise<number> {
  return runCommand({ name: "prefetch", usage: USAGE, args, io }, async () => {
    const { values, operands } = readFlags(args, OPTIONS);
    const body = await bodyOf(operands, values, io);
    const report = newReport(io.clock(), values["dry-run"] ?? false);
    const line = createProgressLine(io);
    await using api = await openApi(values, io);
    const events = api.lines<PrefetchEvent>("/prefetch", { method: "POST", body })[Symbol.asyncIterator]();
    const stopped = whenAborted(interrupted);
    while (true) {
      const next = await Promise.race([events.next(), stopped]);
      if (next === null || next.done) break;
      note(report, next.value);
      line.show(progressText(report, io.clock()));
    }
    line.clear();
    if (interrupted.aborted) void events.return?.().catch(() => {});
    io.stdout(values.json ? jsonOf(report) : textOf(report));
    if (interrupted.aborted) return INTERRUPTED;
    if (report.broken !== null) throw new StorageError(`${report.broken}: run it again to go on`);
    if (!report.isWhole) throw new StorageError("The server's answer broke off: run it again to go on");
    return report.refused.length + report.failed.length > 0 ? 1 : 0;
  });
}

interface Values {
  readonly "from-log"?: string | undefined;
  readonly files?: readonly string[] | undefined;
  readonly "dry-run"?: boolean | undefined;
}

async function bodyOf(operands: readonly string[], values: Values, io: Io) {
  const { "from-log": fromLog, files, "dry-run": dryRun } = values;
  if (operands.length === 0 && fromLog === undefined) {
    throw new UsageError("This needs purls, files or --from-log.");
  }
  const purls = operands.filter((operand) => operand.startsWith("pkg:"));
  const paths = operands.filter((operand) => !operand.startsWith("pkg:"));
  const lockfiles = await Promise.all(paths.map((path) => readOperand(path, io)));
  return {
    purls,
    lockfiles,
    files,
    dryRun,
    ...(fromLog === undefined ? {} : { sinceLog: since(fromLog, io) }),
  };
}

async function readOperand(path: string, io: Io) {
  if (path === "-") return { name: "standard input", text: await io.stdin() };
  const absolute = path.startsWith("/") ? path : `${io.cwd}/${path}`;
  try {
    return { name: path, text: io.readTextFile(absolute) };
  } catch (error) {
    const why = error instanceof Error ? error.message.split(":", 1)[0] : String(error);
    throw new UsageError(`Cannot read ${JSON.stringify(path)}: ${why}. A purl begins with pkg:.`);
  }
}

/** `30d` back from now, or an instant, which the API reads. */
function since(text: string, io: Io): string {
  const length = parseSettingDuration(text);
  return length === null ? text : new Date(io.clock() - length).toISOString();
}

function whenAborted(signal: AbortSignal): Promise<null> {
  const aborted = Promise.withResolvers<null>();
  if (signal.aborted) aborted.resolve(null);
  signal.addEventListener("abort", () => aborted.resolve(null), { once: true });
  return aborted.promise;
}

if (import.meta.main) {
  const stop = new AbortController();
  Deno.addSignalListener("SIGINT", () => stop.abort());
  Deno.exit(await prefetch(Deno.args, processIo(), stop.signal));
}
