/** `deno task cache verify`: every file and document against its digest, every record against what it points at. */
import { titleOf } from "../storage/cache/references.ts";
import { verifyCache, type VerifyEvent } from "../storage/cache/verify.ts";
import type { CacheCommand } from "./cache_command.ts";
import { countText, createProgressLine, sizeText } from "./cache_print.ts";
import { clean } from "./org_print.ts";
import { UsageError } from "./storage.ts";

type Of<K extends VerifyEvent["kind"]> = Extract<VerifyEvent, { kind: K }>;

/** All that was found. */
interface Report {
  checked: Of<"progress">["checked"];
  readonly wrong: Of<"wrong">[];
  readonly unreadable: Of<"unreadable">[];
  readonly dangling: Of<"dangling">["dangling"][];
}

/** Exit code 1 where something was wrong, mended or not. */
export async function verifyCommand(command: CacheCommand): Promise<number> {
  const { io, kv, store, ecosystem, dryRun } = command;
  if (command.operands.length > 0) {
    throw new UsageError(`Expected nothing after verify, not ${command.operands.join(" ")}.`);
  }
  const report: Report = { checked: { blobs: 0, bytes: 0 }, wrong: [], unreadable: [], dangling: [] };
  const line = createProgressLine(io);
  for await (
    const event of verifyCache({ kv, store, dryRun, ...(ecosystem === undefined ? {} : { ecosystem }) })
  ) {
    note(report, event);
    line.show(`checked ${amount(report)}${report.wrong.length > 0 ? `, ${report.wrong.length} wrong` : ""}`);
  }
  line.clear();
  io.stdout(command.json ? jsonOf(report, dryRun) : textOf(report, dryRun));
  return report.wrong.length + report.unreadable.length + report.dangling.length > 0 ? 1 : 0;
}

function note(report: Report, event: VerifyEvent): void {
  if (event.kind === "progress") report.checked = event.checked;
  if (event.kind === "wrong") report.wrong.push(event);
  if (event.kind === "unreadable") report.unreadable.push(event);
  if (event.kind === "dangling") report.dangling.push(event.dangling);
}

function amount({ checked }: Report): string {
  return `${countText(checked.blobs, "blob")}, ${sizeText(checked.bytes)}`;
}

/** The files and documents that were in a blob. */
function inside(report: Report, blob: string): readonly string[] {
  return report.dangling.filter(({ target }) => target === blob).map(({ reference }) => titleOf(reference));
}

function textOf(report: Report, dryRun: boolean): string {
  const { wrong, unreadable, dangling } = report;
  const gone = dangling.filter(({ why }) => why !== "wrong");
  const lines = [
    `Checked ${amount(report)}.`,
    ...section(`Wrong bytes, ${dryRun ? "left" : "evicted"}`, wrong, ({ blob }) => {
      const names = inside(report, blob);
      return `${names.length > 0 ? names.join(", ") : "nothing points at it"}: ${blob}`;
    }),
    ...section("Cannot be read, left", unreadable, ({ message }) => message),
    ...section(
      `Records that point at nothing, ${dryRun ? "left" : "dropped"}`,
      gone,
      ({ reference, target, why }) => `${titleOf(reference)}: ${target} is ${why}`,
    ),
    ...(wrong.length + unreadable.length + dangling.length === 0 ? ["Nothing is wrong."] : []),
    ...(wrong.length + dangling.length > 0 && !dryRun ? ["It is fetched anew when it is asked for."] : []),
  ];
  return lines.map((each) => `${each}\n`).join("");
}

function section<T>(title: string, rows: readonly T[], text: (row: T) => string): readonly string[] {
  return rows.length === 0 ? [] : [`${title}:`, ...rows.map((row) => `  ${clean(text(row))}`)];
}

function jsonOf(report: Report, dryRun: boolean): string {
  const { checked, wrong, unreadable, dangling } = report;
  return `${
    JSON.stringify(
      {
        dryRun,
        checked,
        wrong: wrong.map(({ blob }) => ({ blob, files: inside(report, blob) })),
        unreadable: unreadable.map(({ blob, message }) => ({ blob, message })),
        dangling: dangling.map(({ reference: { ecosystem, name, filename }, target, why }) => ({
          ecosystem,
          package: name,
          file: filename,
          target,
          why,
        })),
      },
      null,
      2,
    )
  }\n`;
}
