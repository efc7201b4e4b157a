/** Sluice: reads its configuration, composes itself, serves, and ends when it is told to. No logic. */
import { compose, type Running } from "./cli/compose.ts";
import { formatMistakes, loadConfig } from "./cli/config.ts";
import { informational } from "./cli/help.ts";
import { greeting, startSentence } from "./cli/greeting.ts";
import { processIo, unfailing } from "./cli/io.ts";
import { stopOnSignals } from "./cli/signals.ts";
import { configEcosystems } from "./cli/storage.ts";
import { besideTraces } from "./cli/traces.ts";
import { ECOSYSTEMS } from "./ecosystems/mod.ts";
import { createLog } from "./routes/log.ts";
import { realTimers } from "./storage/timers.ts";

const io = processIo();
const text = informational(Deno.args, ECOSYSTEMS.map(({ id }) => id));
if (text !== null) {
  io.stdout(text);
  Deno.exit(0);
}

const { env, readTextFile, clock } = io;
const loaded = loadConfig({ args: Deno.args, env, readTextFile, ecosystems: configEcosystems() });
if (!loaded.ok) {
  io.stderr(`Cannot start: the configuration has mistakes. See --help.\n${formatMistakes(loaded.errors)}`);
  Deno.exit(1);
}

const { config } = loaded;
const log = createLog({
  format: config.logFormat,
  level: config.logLevel,
  write: unfailing(io.stdout),
  clock,
});
const ecosystems = besideTraces(ECOSYSTEMS, globalThis, log);
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  log("error", "A promise was rejected and nobody had looked", { error: event.reason });
});

const running = start();

// The platform looks for it here, at the top level.
Deno.cron("maintenance", "* * * * *", async () => await (await running).maintain());

stopOnSignals({ close: async () => await (await running).close(), log, clock, exit: Deno.exit });

async function start(): Promise<Running> {
  try {
    const started = await compose(config, { ecosystems, clock, timers: realTimers, log });
    greeting({ config, running: started, ecosystems, log, print: io.stdout });
    return started;
  } catch (error) {
    io.stderr(`${startSentence(error)}\n`);
    Deno.exit(1);
  }
}
