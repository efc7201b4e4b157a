/** A Sluice and a registry that goes wrong in every way there is; what a client is then told. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createTarball, startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice, type TestSluice } from "../fakes/sluice.ts";
import type { FaultName } from "../fakes/upstream.ts";
import type { Asked } from "./ask.ts";

/** `whole`: the fault is none. `cut`: the connection breaks before the file is whole. */
export type Told = 502 | 503 | 504 | "whole" | "cut";

const BROKEN = { packument: 502, tarball: 502 } as const;
export const TOLD: Readonly<Record<FaultName, { readonly packument: Told; readonly tarball: Told }>> = {
  "cut-before-headers": BROKEN,
  "cut-in-headers": BROKEN,
  "cut-after-headers": BROKEN,
  "cut-mid-body": { packument: 502, tarball: "cut" },
  "one-byte-short": { packument: 502, tarball: "cut" },
  "no-final-chunk": { packument: 502, tarball: "cut" },
  "stall-before-headers": { packument: 504, tarball: 504 },
  "stall-after-headers": { packument: 504, tarball: 504 },
  "stall-mid-body": { packument: 504, tarball: "cut" },
  "drip": { packument: "whole", tarball: "whole" },
  "length-too-long": { packument: 502, tarball: "cut" },
  "length-too-short": { packument: 502, tarball: "cut" },
  "two-lengths": BROKEN,
  "no-length": { packument: "whole", tarball: "whole" },
  "no-length-cut": { packument: 502, tarball: "cut" },
  "wrong-digest": { packument: 502, tarball: "cut" },
  // The file under a wrong label is the file: its digest says so.
  "gzip-that-is-plain": { packument: 502, tarball: "whole" },
  "gzip-cut": { packument: 502, tarball: "cut" },
  "gzip-twice": { packument: 502, tarball: "cut" },
  "gzip-bomb": { packument: 502, tarball: "cut" },
  "unknown-encoding": { packument: 502, tarball: "whole" },
  "not-modified-unasked": BROKEN,
  "html-with-200": { packument: 502, tarball: "cut" },
  "html-as-json": { packument: 502, tarball: "cut" },
  "too-many-requests": { packument: 503, tarball: 503 },
  "server-error": BROKEN,
  "unavailable": BROKEN,
  "redirect-private": BROKEN,
  "redirect-metadata": BROKEN,
  "redirect-loopback": BROKEN,
  "redirect-file": BROKEN,
  "redirect-nowhere": BROKEN,
  "redirect-endless": BROKEN,
  "redirect-loop": BROKEN,
  "not-http": BROKEN,
  "control-byte-in-header": BROKEN,
};

export const RELEASE = { publishedAt: daysAgo(100) };
/** What the upstream of `too-many-requests` asks for. */
export const PAUSE_MS = 7_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
const JSON_TYPE = { "content-type": "application/json" };
const IMPATIENT = {
  SLUICE_CONNECT_TIMEOUT: "400ms",
  SLUICE_FIRST_BYTE_TIMEOUT: "400ms",
  SLUICE_IDLE_TIMEOUT: "500ms",
};

/** One package for each fault, as short as it can be: some faults send a byte at a time. */
export async function createWorld(env: Readonly<Record<string, string>> = IMPATIENT) {
  const registry = await startNpmRegistry();
  const { upstream } = registry;
  const sluice = await startSluice({ env: { SLUICE_UPSTREAM_NPM: upstream.url, ...env } });

  function publish(name: string) {
    const tarball = createTarball(name, "1.0.0", RELEASE);
    const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
    const path = registry.tarballPath(name, "1.0.0");
    const dist = { integrity, tarball: new URL(path, upstream.url).href };
    const packument = JSON.stringify({
      name,
      "dist-tags": { latest: "1.0.0" },
      versions: { "1.0.0": { name, version: "1.0.0", dist } },
      time: { "1.0.0": RELEASE.publishedAt },
    });
    const give = (fault?: FaultName) => {
      const how = fault === undefined ? {} : { fault };
      upstream.answer(`/${name}`, { body: packument, headers: JSON_TYPE, ...how });
    };
    const giveFile = (fault?: FaultName) =>
      upstream.answer(path, { body: tarball, ...(fault === undefined ? {} : { fault }) });
    give();
    giveFile();
    return { tarball, give, giveFile, path };
  }

  return {
    registry,
    sluice,
    publish,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Lines that tell of a failure, since the count given. */
export function failuresSince(sluice: TestSluice, before: number) {
  return sluice.lines.slice(before).filter(({ level }) => level === "warn" || level === "error");
}

export function assertTold(answer: Asked, status: number, what: string): void {
  assert.equal(answer.status, status, `${what}: ${answer.text}`);
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json/, what);
  const body = answer.json();
  assert.equal(typeof body.error, "string", what);
  assert.ok(!("versions" in body) && !("dist-tags" in body), `${what}: an error is no empty index`);
  assert.equal(answer.headers.get("cache-control"), "no-store", what);
}

/**
 * One after another, since log lines are counted; the one that is slow and says nothing runs beside them, and the one
 * that stops everything after them.
 */
export async function forEachFault(test: (fault: FaultName, name: string) => Promise<void>): Promise<void> {
  const slow = test("drip", "drip");
  for (const fault of Object.keys(TOLD) as FaultName[]) {
    if (fault !== "drip" && fault !== "too-many-requests") await test(fault, fault);
  }
  await slow;
  await test("too-many-requests", "too-many-requests");
}
