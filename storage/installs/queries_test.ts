import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { createInstallLog, type InstallRecord } from "./log.ts";

const NOW = Date.UTC(2026, 10, 21) as EpochMs;
const COUNT = 50;

function record(n: number): InstallRecord {
  return {
    id: `00000000${n}`.slice(-8),
    at: NOW,
    organisation: "default",
    user: "ada",
    address: "127.0.0.1",
    client: "npm",
    clientVersion: "11.19.0",
    ecosystem: "npm",
    package: `package-${n}`,
    version: `1.0.${n}`,
    file: `package-${n}-1.0.${n}.tgz`,
    digest: "",
    bytes: 1,
    cache: "hit",
    outcome: "served",
    rule: "",
    decisionId: "",
  };
}

/** A log without a disk, and how often its unfolded part was read. */
async function unfoldedLog() {
  const kv = await Deno.openKv(":memory:");
  let reads = 0;
  const counting = new Proxy(kv, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        if (name === "list" && JSON.stringify(args[0]).includes('"segment"')) reads++;
        return Reflect.apply(member, target, args);
      };
    },
  });
  const log = createInstallLog({
    kv: counting,
    journal: null,
    instance: "test",
    clock: () => NOW,
    log: () => {},
    random: () => 0.5,
  });
  const versionsOf = (n: number) =>
    log.versionsOf({ organisation: "default", user: "ada", ecosystem: "npm", package: `package-${n}` });
  const close = async () => {
    await log.close();
    kv.close();
  };
  return { log, versionsOf, close, reads: () => reads };
}

Deno.test("versionsOf of many packages at once reads what is not folded once or twice, not for each", async () => {
  const { log, versionsOf, close, reads } = await unfoldedLog();
  await Promise.all(Array.from({ length: COUNT }, (_, n) => log.append(record(n))));
  const found = await Promise.all(Array.from({ length: COUNT }, (_, n) => versionsOf(n)));
  assert.deepEqual(found, Array.from({ length: COUNT }, (_, n) => [`1.0.${n}`]));
  assert.ok(reads() <= 2, String(reads()));
  await close();
});

Deno.test("versionsOf sees what was appended before it was asked, whatever reading was under way", async () => {
  const { log, versionsOf, close } = await unfoldedLog();
  for (let n = 0; n < 20; n++) {
    const earlier = versionsOf(n);
    await log.append(record(n));
    assert.deepEqual(await versionsOf(n), [`1.0.${n}`]);
    await earlier;
  }
  await close();
});
