/** A whole createFills with a store in memory and time that a test moves. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createMemoryStore } from "../../storage/artifacts/memory.ts";
import type { ArtifactStore, BlobStat } from "../../storage/artifacts/store.ts";
import { createBackground } from "../../storage/background.ts";
import {
  createFills,
  type FillRequest,
  type Fills,
  type FillsOptions,
  type Following,
} from "../../storage/fill.ts";
import { createTestClock, type TestClock } from "./clock.ts";
import type { TestSource } from "./source.ts";

export const KB = 1024;

/** Bytes that differ from one kilobyte to the next. */
export function bytesOf(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8) * 7) & 0xff;
  return bytes;
}

function sha512(bytes: Uint8Array): string {
  return createHash("sha512").update(bytes).digest("hex");
}

export interface FillRig {
  readonly fills: Fills;
  readonly store: ArtifactStore;
  readonly time: TestClock;
  readonly logged: readonly (readonly [level: string, message: string])[];
  /** What the `kept` of its requests was called with. */
  readonly kept: readonly BlobStat[];
  /** For bytes that must have the SHA-512 of `bytes`, unless `more` says otherwise. */
  request(source: Pick<TestSource, "open">, bytes: Uint8Array, more?: Partial<FillRequest>): FillRequest;
}

/** Windows of 256 kB, 30 s idle, 120 s without followers, unless `options` say otherwise. */
export function createFillRig(options: Partial<FillsOptions> = {}): FillRig {
  const time = createTestClock();
  const store = options.store ?? createMemoryStore({ maxBytes: 100_000_000 });
  const logged: [string, string][] = [];
  const kept: BlobStat[] = [];
  const log = (level: string, message: string) => void logged.push([level, message]);
  const fills = createFills({
    background: createBackground({ log, timers: time.timers }),
    log,
    clock: time.clock,
    timers: time.timers,
    windowBytes: 256 * KB,
    idleMs: 30_000,
    unfollowedMs: 120_000,
    ...options,
    store,
  });
  const request: FillRig["request"] = (source, bytes, more = {}) => ({
    key: "npm/x/x-1.0.0.tgz",
    label: "npm/x/x-1.0.0.tgz",
    open: source.open,
    expect: [{ algorithm: "sha512", hex: sha512(bytes) }],
    expectSizeBytes: null,
    maxBytes: 100_000_000,
    kept: (stat) => {
      kept.push(stat);
      return Promise.resolve();
    },
    ...more,
  });
  return { fills, store, time, logged, kept, request };
}

/** All bytes; rejects with what the body errors with. */
export async function wholeOf(following: Following | null): Promise<Uint8Array> {
  assert.ok(following);
  return new Uint8Array(await new Response(following.body).arrayBuffer());
}

/** As `wholeOf`, each read after a turn of the loop. */
export async function slowlyOf(following: Following | null): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of following!.body) {
    chunks.push(chunk);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return Buffer.concat(chunks);
}
