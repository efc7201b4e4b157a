/** `deno task status`: how a Sluice is, on the local data folder or a running server. */
import { sizeText } from "../storage/cache/size_text.ts";
import type { StatusReport } from "../routes/api/status.ts";
import { openApi } from "./api_client.ts";
import { noOperands, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { printTable, safeText } from "./table.ts";

const USAGE = `Usage: deno task status [flags]

  Processes, storage, upstreams, waiting work, install log and cache. Exit code 0: all is well; 1: something is not.

${PLACE_USAGE}`;

const OPTIONS = { ...PLACE_OPTIONS, json: { type: "boolean" } } as const;

/** Exit code 0: all is well; 1: an upstream or an alert says otherwise, or it failed; 2: the command line is wrong. */
export function status(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "status", usage: USAGE, args, io }, async () => {
    const { values, operands } = readFlags(args, OPTIONS);
    noOperands(operands);
    // It is the instance's, whichever organisation is named.
    await using api = await openApi({ ...values, org: undefined }, io);
    const report = await api.call<StatusReport>("GET", "/status");
    io.stdout(values.json ? `${JSON.stringify(report, null, 2)}\n` : statusText(report, io));
    return isWell(report) ? 0 : 1;
  });
}

function isWell({ upstreams, openAlerts }: StatusReport): boolean {
  return openAlerts === 0 && upstreams.every(({ state }) => state === "ok");
}

function statusText(report: StatusReport, io: Io): string {
  const { storage, jobs, refreshing, installLog, cache } = report;
  const limit = storage.limitBytes === null ? "" : ` of ${sizeText(storage.limitBytes)}`;
  const lines: readonly (readonly [string, string])[] = [
    ["version", report.version],
    ["cache", `${sizeText(storage.cacheBytes)}${limit}, ${number(storage.artifacts)} files`],
    ["database", storage.kvBytes === null ? "(no file)" : sizeText(storage.kvBytes)],
    [
      "cache hits",
      cache.hitRate === null
        ? `nothing was asked since ${cache.since.slice(0, 10)}`
        : `${Math.round(100 * cache.hitRate)} % of ${number(cache.hits + cache.misses)} since ${
          cache.since.slice(0, 10)
        }`,
    ],
    [
      "install log",
      installLog.behindSeconds < 120 ? "up to date" : `${minutes(installLog.behindSeconds)} behind`,
    ],
    ["jobs", `${number(jobs.waiting)} waiting, ${number(jobs.dead)} given up`],
    ["refreshing", `${number(refreshing.packages)} packages in use, ${number(refreshing.overdue)} overdue`],
    ["alerts", report.openAlerts === 0 ? "none" : `${report.openAlerts}: deno task alerts`],
  ];
  const width = Math.max(...lines.map(([title]) => title.length));
  return [
    ...lines.map(([title, text]) => `${title.padEnd(width)}  ${text}\n`),
    "\n",
    processesText(report, io),
    "\n",
    upstreamsText(report, io),
  ].join("");
}

function processesText({ processes }: StatusReport, io: Io): string {
  if (processes.length === 0) {
    return "No server has said within three minutes that it runs: deno task start\n";
  }
  return printTable(processes, [
    { key: "instance", title: "process" },
    { key: "version", title: "version" },
    { key: "uptimeSeconds", title: "up", align: "right", show: (row) => minutes(row.uptimeSeconds) },
    { key: "rssBytes", title: "memory", align: "right", show: (row) => sizeText(row.rssBytes) },
    { key: "requests", title: "requests" },
    { key: "inFlight", title: "now" },
    { key: "fills", title: "fills" },
  ], { colour: isColoured(io) });
}

function upstreamsText({ upstreams }: StatusReport, io: Io): string {
  const words = { ok: "ok", failing: "fails", open: "not asked for a while" } as const;
  return printTable(upstreams, [
    { key: "origin", title: "upstream" },
    { key: "state", title: "state", show: ({ state }) => words[state] },
    { key: "lastError", title: "last error", show: ({ lastError }) => safeText(lastError ?? "") },
  ], { colour: isColoured(io) });
}

function isColoured(io: Io): boolean {
  return io.isTty && !io.env.NO_COLOR;
}

function number(value: number): string {
  return value.toLocaleString("en-GB");
}

function minutes(seconds: number): string {
  if (seconds < 7_200) return `${number(Math.round(seconds / 60))} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${number(Math.round(seconds / 86_400))} d`;
}

if (import.meta.main) {
  Deno.exit(await status(Deno.args, processIo()));
}
