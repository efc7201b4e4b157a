/** A whole Sluice for tests: composed as main.ts does, on a free loopback port, over a folder of its own, with a clock to move. */
import { compose, type Running } from "../../cli/compose.ts";
import { type Config, loadConfig } from "../../cli/config.ts";
import {
  configEcosystems,
  journalFolder,
  openConfigured,
  openConfiguredArtifacts,
  openOrganisations,
} from "../../cli/storage.ts";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { ECOSYSTEMS } from "../../ecosystems/mod.ts";
import { parseFloor, parsePolicy } from "../../policy/config.ts";
import type { EpochMs } from "../../policy/types.ts";
import type { InstallRecord } from "../../storage/installs/log.ts";
import { createInstallQueries } from "../../storage/installs/queries.ts";
import { realTimers } from "../../storage/timers.ts";

/** What releases in fixtures are dated around: far enough in the past that no client's own cooldown takes notice. */
export const NOW = Date.UTC(2026, 5, 1, 12);
const DAY_MS = 86_400_000;

/** ISO date of so many days before NOW. */
export function daysAgo(days: number): string {
  return new Date(NOW - days * DAY_MS).toISOString();
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface TestSluice extends AsyncDisposable {
  /** Its base address: `http://127.0.0.1:PORT` unless `env` says otherwise. */
  readonly url: string;
  /** Of 127.0.0.1, where it listens whatever its base address is. */
  readonly port: number;
  readonly data: string;
  /** All that it keeps is in these. */
  readonly folders: readonly string[];
  readonly lines: readonly LogLine[];
  /** What is printed at the start; null: nothing is. */
  readonly localLink: string | null;
  /** What its clock says. */
  readonly now: () => EpochMs;
  /** Milliseconds that the clock is moved on. */
  advance(ms: number): void;
  /** Replaces an organisation's policy (it is made if it is not there), and lets the second pass that it takes. */
  setPolicy(policy: Readonly<Record<string, unknown>>, organisation?: string): Promise<void>;
  /** Replaces the instance's floor, and lets the second pass that it takes. */
  setFloor(floor: Readonly<Record<string, unknown>>): Promise<void>;
  /** What the cron does each minute. */
  maintain(): Promise<void>;
  /** How many requests it is answering now, those for its metrics and health left out. */
  inFlight(): Promise<number>;
  /** The newest records first. */
  installs(organisation?: string): Promise<readonly InstallRecord[]>;
  /** Ends it and starts another on the same folder and port, with other environment where that is given. */
  restart(env?: Readonly<Record<string, string>>): Promise<void>;
}

export interface TestSluiceOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly file?: string;
  /** Where the clock starts; default: NOW. */
  readonly now?: number;
  /** Default: those that are registered. */
  readonly ecosystems?: readonly Ecosystem[];
  /** Stands between Sluice and its KV, once it is open; what this fake asks KV itself goes past it. */
  readonly kv?: (kv: Deno.Kv) => Deno.Kv;
  /** Resolves webhooks' hosts; default: none can be. */
  readonly lookup?: (hostname: string) => Promise<readonly string[]>;
  /** The data folder of another one, who removes it, or `none`; default: one of its own. */
  readonly data?: string;
}

export async function startSluice(options: TestSluiceOptions): Promise<TestSluice> {
  const data = options.data ?? await Deno.makeTempDir({ prefix: "sluice-data-" });
  const lines: LogLine[] = [];
  let offset = 0;
  const clock = () => (options.now ?? NOW) + offset as EpochMs;
  const config = configOf(options, data, "127.0.0.1:0");
  const deps = {
    ecosystems: options.ecosystems ?? ECOSYSTEMS,
    clock,
    timers: realTimers,
    log: (level: string, message: string, fields = {}) => void lines.push({ level, message, fields }),
    // A bucket refuses what is signed at another time than its own.
    openArtifacts: (given: Config, own: Parameters<typeof openConfiguredArtifacts>[1]) =>
      openConfiguredArtifacts(given, given.artifacts.startsWith("s3:") ? { ...own, clock: realClock } : own),
    lookup: options.lookup ?? (() => Promise.resolve([])),
    openKv: async (given: Config) => (options.kv ?? ((kv) => kv))(await openConfigured(given)),
  };
  let running: Running = await compose(config, deps);
  const url = running.baseUrl;
  const port = running.address.port;

  return {
    url,
    port,
    data,
    folders: data === "none" ? [] : [data],
    lines,
    localLink: running.localLink,
    now: clock,
    advance: (ms) => void (offset += ms),
    async setPolicy(policy, organisation = "default") {
      const parsed = parsePolicy(policy);
      if (!parsed.ok) throw new Error(parsed.errors.map((error) => JSON.stringify(error)).join("\n"));
      const kv = await openConfigured(config);
      try {
        const organisations = await openOrganisations(kv, clock);
        const there = (await organisations.list()).some(({ id }) => id === organisation);
        if (!there) await organisations.create(organisation, { author: "test" });
        await organisations.set({ id: organisation, source: parsed.source, author: "test" });
      } finally {
        kv.close();
      }
      offset += 1_001;
    },
    async setFloor(floor) {
      const parsed = parseFloor(floor);
      if (!parsed.ok) throw new Error(parsed.errors.map((error) => JSON.stringify(error)).join("\n"));
      const kv = await openConfigured(config);
      try {
        await (await openOrganisations(kv, clock)).setFloor({ source: parsed.source, author: "test" });
      } finally {
        kv.close();
      }
      offset += 1_001;
    },
    async installs(organisation = "default") {
      const kv = await openConfigured(config);
      try {
        const queries = createInstallQueries({ kv, journal: journalFolder(config), clock });
        const records: InstallRecord[] = [];
        for await (const record of queries.export({ organisation })) records.push(record);
        return records.toSorted((a, b) => a.id < b.id ? 1 : -1);
      } finally {
        kv.close();
      }
    },
    async inFlight() {
      const metrics = await (await fetch(`http://127.0.0.1:${port}/-/metrics`)).text();
      return Number(/^sluice_in_flight_requests (\d+)$/m.exec(metrics)?.[1]);
    },
    maintain: () => running.maintain(),
    async restart(env = options.env) {
      await running.close();
      running = await compose(configOf({ ...options, env }, data, `127.0.0.1:${port}`), deps);
    },
    async [Symbol.asyncDispose]() {
      await running.close();
      if (options.data === undefined) await Deno.remove(data, { recursive: true });
    },
  };
}

function realClock(): EpochMs {
  return Date.now() as EpochMs;
}

function configOf(options: TestSluiceOptions, data: string, listen: string): Config {
  const files = new Map(options.file === undefined ? [] : [["sluice.yaml", options.file]]);
  const loaded = loadConfig({
    ecosystems: configEcosystems(),
    args: [
      "--listen",
      listen,
      "--data",
      data,
      ...(options.file === undefined ? [] : ["--config", "sluice.yaml"]),
    ],
    env: { SLUICE_DRAIN_TIMEOUT: "2s", ...options.env },
    readTextFile: (path) => {
      const text = [...files].find(([name]) => path.endsWith(name))?.[1];
      return text ?? Deno.readTextFileSync(path);
    },
  });
  if (!loaded.ok) throw new Error(loaded.errors.map((error) => JSON.stringify(error)).join("\n"));
  return loaded.config;
}
