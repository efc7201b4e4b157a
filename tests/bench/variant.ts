/**
 * A Sluice that is none of the product's: composed as main.ts does, with another install log. `kv FOLDER`: segments
 * in KV, as where there is no disk. `unlogged FOLDER`: nothing is written down, to tell what writing costs.
 */
import { compose } from "../../cli/compose.ts";
import { loadConfig } from "../../cli/config.ts";
import { processIo } from "../../cli/io.ts";
import { configEcosystems } from "../../cli/storage.ts";
import { ECOSYSTEMS } from "../../ecosystems/mod.ts";
import type { InstallLog } from "../../storage/installs/log.ts";
import { realTimers } from "../../storage/timers.ts";

const [variant = "", folder = ""] = Deno.args;
const { env, readTextFile, clock } = processIo();
const args = ["--listen", "127.0.0.1:0", "--data", folder];
const loaded = loadConfig({ args, env, readTextFile, ecosystems: configEcosystems() });
if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));

const nothing = () => Promise.resolve();
const NO_LOG: InstallLog = {
  append: nothing,
  markPartial: nothing,
  versionsOf: () => Promise.resolve([]),
  fold: nothing,
  flush: nothing,
  close: nothing,
};
const running = await compose(
  // Without a data folder the log is in KV; database and files stay where they are.
  variant === "kv" ? { ...loaded.config, data: null } : loaded.config,
  {
    ecosystems: ECOSYSTEMS,
    clock,
    timers: realTimers,
    log: (level, message) => level === "error" && console.error(message),
    ...(variant === "unlogged" ? { openInstalls: () => NO_LOG } : {}),
  },
);
console.log(running.baseUrl);
Deno.addSignalListener("SIGTERM", async () => {
  await running.close();
  Deno.exit(0);
});
