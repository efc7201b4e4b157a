/** `deno task cache pin|unpin|pins`: what is never evicted. */
import { openApi } from "./api_client.ts";
import type { CacheCommand } from "./cache.ts";
import { noOperands, onlyOperand } from "./command.ts";
import { printTable, safeText } from "./table.ts";
import { minuteText, purlOf } from "./texts.ts";

/** As the API has it. */
interface Pin {
  readonly purl: string;
  readonly reason: string;
  readonly owner: string;
  readonly at: string;
}

export async function pinCommand({ io, operands, values }: CacheCommand): Promise<void> {
  const body = { purl: purlOf(onlyOperand(operands, "package")), reason: values.reason };
  await using api = await openApi(values, io);
  const pin = await api.call<Pin>("POST", "/cache/pin", { body });
  io.stdout(values.json ? `${JSON.stringify(pin, null, 2)}\n` : `${safeText(pin.purl)} is pinned.\n`);
}

export async function unpinCommand({ io, operands, values }: CacheCommand): Promise<void> {
  const purl = purlOf(onlyOperand(operands, "package"));
  await using api = await openApi(values, io);
  await api.call("POST", "/cache/unpin", { body: { purl } });
  io.stdout(values.json ? `${JSON.stringify({ purl })}\n` : `${safeText(purl)} is pinned no more.\n`);
}

export async function pinsCommand({ io, operands, values }: CacheCommand): Promise<void> {
  noOperands(operands);
  await using api = await openApi(values, io);
  const { pins } = await api.call<{ pins: readonly Pin[] }>("GET", "/cache/pins");
  if (values.json) return io.stdout(`${JSON.stringify(pins, null, 2)}\n`);
  if (pins.length === 0) return io.stdout("Nothing is pinned. Pin a package: deno task cache pin PURL\n");
  io.stdout(printTable(pins, [
    { key: "purl", title: "package" },
    { key: "owner", title: "by" },
    { key: "at", title: "since", show: ({ at }) => minuteText(at) },
    { key: "reason", title: "reason" },
  ], { colour: io.isTty && !io.env.NO_COLOR }));
}
