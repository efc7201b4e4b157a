/** `deno task webhook [test ID]`: who is told of what, what was last sent, and whether anything arrives. */
import type { ShownDelivery, ShownWebhook } from "../routes/api/webhooks.ts";
import { openApi } from "./api_client.ts";
import { noOperands, onlyOperand, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { UsageError } from "./storage.ts";
import { printTable, safeText } from "./table.ts";
import { minuteText } from "./texts.ts";

const USAGE = `Usage: deno task webhook [test ID] [flags]

  The organisation's webhooks and what was last sent to each. They are written in its policy: deno task org edit

  test ID                sends a message that says it is a test
${PLACE_USAGE}`;

const OPTIONS = { ...PLACE_OPTIONS, json: { type: "boolean" } } as const;

/** Exit code 0: done; 1: the test was not answered with success, or it failed; 2: the command line is wrong. */
export function webhook(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "webhook", usage: USAGE, args, io }, async () => {
    const { values, operands: [word, ...operands] } = readFlags(args, OPTIONS);
    const { json = false } = values;
    if (word !== undefined && word !== "test") {
      throw new UsageError(`Unknown command "${word}": test, or nothing.`);
    }
    if (word === undefined) noOperands(operands);
    const id = word === undefined ? null : onlyOperand(operands, "webhook's id");
    await using api = await openApi(values, io);
    if (id !== null) {
      const sent = await api.call<ShownDelivery>("POST", `/webhooks/${encodeURIComponent(id)}/test`, {
        body: {},
      });
      io.stdout(json ? `${JSON.stringify(sent, null, 2)}\n` : `${answerOf(sent)}\n`);
      return sent.status !== null && sent.status >= 200 && sent.status < 300 ? 0 : 1;
    }
    const { webhooks } = await api.call<{ readonly webhooks: readonly ShownWebhook[] }>("GET", "/webhooks");
    io.stdout(json ? `${JSON.stringify(webhooks, null, 2)}\n` : listOf(webhooks, io));
    return 0;
  });
}

function listOf(webhooks: readonly ShownWebhook[], io: Io): string {
  if (webhooks.length === 0) {
    return "Nobody is told of anything. Webhooks are in the policy: deno task org edit\n";
  }
  return printTable(webhooks, [
    { key: "id", title: "id" },
    { key: "format", title: "form" },
    { key: "events", title: "events", show: ({ events }) => events.join(", ") },
    { key: "deliveries", title: "last delivery", show: ({ deliveries: [last] }) => lastOf(last) },
  ], { colour: io.isTty && !io.env.NO_COLOR });
}

function lastOf(last: ShownDelivery | undefined): string {
  return last === undefined ? "none" : `${minuteText(last.at)} ${safeText(last.event)}: ${answerOf(last)}`;
}

function answerOf({ status, failure }: ShownDelivery): string {
  return status === null ? `not answered (${failure})` : `answered with ${status}`;
}

if (import.meta.main) Deno.exit(await webhook(Deno.args, processIo()));
