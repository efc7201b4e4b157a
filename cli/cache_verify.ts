/** `deno task cache verify`: every file and document against its digest, every record against what it points at. */
import { StorageError } from "../storage/errors.ts";
import { openApi } from "./api_client.ts";
import type { CacheCommand } from "./cache.ts";
import { countText, createProgressLine, sizeText } from "./cache_print.ts";
import { checkEcosystem } from "./cache_purge.ts";
import { clean } from "./org_print.ts";
import { UsageError } from "./storage.ts";

interface Checked {
  readonly blobs: number;
  readonly bytes: number;
}

interface Dangling {
  readonly ecosystem: string;
  readonly package: string;
  readonly file: string | null;
  readonly title: string;
  readonly target: string;
  readonly why: string;
}

/** As the API has it, a line each. */
type Event =
  | ({ readonly kind: "progress" | "end" } & Checked)
  | { readonly kind: "wrong"; readonly blob: string }
  | { readonly kind: "unreadable"; readonly blob: string; readonly message: string }
  | ({ readonly kind: "dangling" } & Dangling)
  | ({ readonly kind: "failed"; readonly message: string } & Checked);

/** All that was found. */
interface Report {
  checked: Checked;
  readonly wrong: { readonly blob: string }[];
  readonly unreadable: { readonly blob: string; readonly message: string }[];
  readonly dangling: Dangling[];
}

/** Exit code 1 where something was wrong, mended or not. */
export async function verifyCommand({ io, operands, values }: CacheCommand): Promise<number> {
  if (operands.length > 0) throw new UsageError(`Expected nothing after verify, not ${operands.join(" ")}.`);
  const { ecosystem, "dry-run": dryRun = false } = values;
  if (ecosystem !== undefined) checkEcosystem(ecosystem);
  const report: Report = { checked: { blobs: 0, bytes: 0 }, wrong: [], unreadable: [], dangling: [] };
  const line = createProgressLine(io);
  await using api = await openApi(values, io);
  const body = { dryRun, ...(ecosystem === undefined ? {} : { ecosystem }) };
  let isWhole = false;
  for await (const event of api.lines<Event>("/cache/verify", { method: "POST", body })) {
    if (event.kind === "failed") {
      line.clear();
      throw new StorageError(`${event.message}, after ${amount({ ...report, checked: event })}`);
    }
    note(report, event);
    if (event.kind === "end") isWhole = true;
    line.show(`checked ${amount(report)}${report.wrong.length > 0 ? `, ${report.wrong.length} wrong` : ""}`);
  }
  line.clear();
  if (!isWhole) throw new StorageError(`The server's answer ended after ${amount(report)}`);
  io.stdout(values.json ? jsonOf(report, dryRun) : textOf(report, dryRun));
  return report.wrong.length + report.unreadable.length + report.dangling.length > 0 ? 1 : 0;
}

function note(report: Report, event: Exclude<Event, { readonly kind: "failed" }>): void {
  if (event.kind === "progress" || event.kind === "end") {
    report.checked = { blobs: event.blobs, bytes: event.bytes };
  }
  if (event.kind === "wrong") report.wrong.push(event);
  if (event.kind === "unreadable") report.unreadable.push(event);
  if (event.kind === "dangling") report.dangling.push(event);
}

function amount({ checked }: Pick<Report, "checked">): string {
  return `${countText(checked.blobs, "blob")}, ${sizeText(checked.bytes)}`;
}

/** The files and documents that were in a blob. */
function inside(report: Report, blob: string): readonly string[] {
  return report.dangling.filter(({ target }) => target === blob).map(({ title }) => title);
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
      ({ title, target, why }) => `${title}: ${target} is ${why}`,
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
        dangling: dangling.map(({ ecosystem, package: name, file, target, why }) => ({
          ecosystem,
          package: name,
          file,
          target,
          why,
        })),
      },
      null,
      2,
    )
  }\n`;
}
