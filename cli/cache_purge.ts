/** `deno task cache purge [WHAT]`: takes away what is cached of a package, a release, an ecosystem, or everything. */
import { ECOSYSTEMS } from "../ecosystems/mod.ts";
import { parsePurl } from "../ecosystems/_shared/purl.ts";
import { type ApiClient, openApi } from "./api_client.ts";
import type { CacheCommand } from "./cache.ts";
import { countText, sizeText } from "./cache_print.ts";
import { UsageError } from "./storage.ts";
import { safeText } from "./table.ts";
import { purlOf } from "./texts.ts";
import { parseSettingDuration } from "./units.ts";

/** As the API has it. */
interface Purged {
  readonly packages: number;
  readonly documents: number;
  readonly files: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly items: readonly {
    readonly purl: string | null;
    readonly ecosystem: string;
    readonly name: string;
    readonly file: string | null;
    readonly bytes: number;
  }[];
  readonly isCut: boolean;
}

/** Lines that a terminal is shown of what would go, unless all of them are asked for. */
const SHOWN = 50;

/** Exit code 0, whatever there was; 1: somebody at the terminal said no. */
export async function purgeCommand(command: CacheCommand): Promise<number> {
  const { io, values: { "dry-run": dryRun = false, yes = false, json = false, ...values } } = command;
  const wish = wishOf(command);
  await using api = await openApi(values, io);
  if (io.isTty && !dryRun && !yes && !json && !await isConfirmed(api, wish, command)) return 1;
  const purged = await api.call<Purged & { dryRun: boolean }>("POST", "/purge", {
    body: { ...wish, dryRun },
  });
  io.stdout(
    json
      ? `${JSON.stringify(purged, null, 2)}\n`
      : `${dryRun ? "Would take away" : "Took away"} ${amountText(purged)}.\n${
        dryRun ? itemsText(purged, command) : ""
      }`,
  );
  return 0;
}

async function isConfirmed(api: ApiClient, wish: object, command: CacheCommand): Promise<boolean> {
  const { io } = command;
  const purged = await api.call<Purged>("POST", "/purge", { body: { ...wish, dryRun: true } });
  io.stderr(itemsText(purged, command));
  const answer = io.ask(`This takes away ${amountText(purged)}. Go on? [y/N]`);
  if (/^y(es)?$/i.test(answer?.trim() ?? "")) return true;
  io.stderr("Nothing was taken away.\n");
  return false;
}

function amountText({ packages, documents, files, blobs, bytes }: Purged): string {
  return `${countText(documents, "record")} of documents, ${countText(files, "file")} of ${
    countText(packages, "package")
  }: ${countText(blobs, "blob")}, ${sizeText(bytes)}`;
}

/** A line for each, indented; on a terminal the first of them. */
function itemsText(purged: Purged, { io, values: { list = false } }: CacheCommand): string {
  const { items, isCut, documents, files } = purged;
  const shown = io.isTty && !list ? items.slice(0, SHOWN) : items;
  const left = documents + files - shown.length;
  const isMore = isCut || shown.length < items.length;
  return [
    ...shown.map((item) => `  ${safeText(itemText(item))}\n`),
    isMore ? `  … and ${left.toLocaleString("en")} more${list || isCut ? "" : " (--list names them)"}\n` : "",
  ].join("");
}

function itemText({ purl, ecosystem, name, file, bytes }: Purged["items"][number]): string {
  return `${purl ?? `${ecosystem} ${name}`}  ${file ?? "(its documents)"}  ${sizeText(bytes)}`;
}

/** Throws UsageError for what names nothing, or two things. */
function wishOf({ io, operands: [what, ...more], values }: CacheCommand) {
  const { all = false, "older-than": olderThan, "unused-for": unusedFor } = values;
  if (all && what !== undefined) throw new UsageError(`Expected --all or ${what}, not both.`);
  const isNamed = all || what !== undefined || olderThan !== undefined || unusedFor !== undefined;
  if (!isNamed || more.length > 0) {
    throw new UsageError(
      "Expected one purl (pkg:npm/left-pad or npm/left-pad), one ecosystem (npm), --all, --older-than or --unused-for after purge.",
    );
  }
  const ago = (flag: string, text: string) => {
    const ms = parseSettingDuration(text);
    if (ms !== null) return new Date(io.clock() - ms).toISOString();
    throw new UsageError(
      `--${flag} ${JSON.stringify(text)} is no duration: expected one such as 30d or 12h.`,
    );
  };
  return {
    ...(what === undefined ? {} : { what: checked(purlOf(what)) }),
    all,
    ...(olderThan === undefined ? {} : { before: ago("older-than", olderThan) }),
    ...(unusedFor === undefined ? {} : { unusedSince: ago("unused-for", unusedFor) }),
  };
}

function checked(what: string): string {
  if (!what.startsWith("pkg:")) {
    checkEcosystem(what);
    return what;
  }
  const purl = parsePurl(what);
  if (ECOSYSTEMS.some(({ purlType }) => purlType === purl?.type)) return what;
  throw new UsageError(
    `Cannot read the purl ${JSON.stringify(what)}: expected pkg:npm/left-pad or the like.`,
  );
}

/** Throws UsageError, with those that are mounted. */
export function checkEcosystem(name: string): void {
  const known = ECOSYSTEMS.map(({ id }) => id);
  if (known.includes(name)) return;
  throw new UsageError(`Unknown ecosystem ${JSON.stringify(name)}: there are ${known.join(", ")}.`);
}
