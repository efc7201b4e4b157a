/** What the tests of several processes publish, and how their clients ask. */
import assert from "node:assert/strict";
import { createTarball, type FakeNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo } from "../fakes/sluice.ts";
import { ask } from "../system/ask.ts";
import type { Processes } from "./processes.ts";

export interface Published {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Of the file, at a Sluice. */
  readonly path: string;
}

/** A package with one release of about `kilobytes`, which do not compress. */
export function publishFile(registry: FakeNpmRegistry, name: string, kilobytes: number): Published {
  const parts = Array.from({ length: kilobytes }, () => {
    return String.fromCharCode(...crypto.getRandomValues(new Uint8Array(750)).map((byte) => 33 + byte % 90));
  });
  const release = { publishedAt: daysAgo(100), files: { "text.txt": parts.join("\n") } };
  registry.publish({ name, releases: { "1.0.0": release } });
  return { name, bytes: createTarball(name, "1.0.0", release), path: `npm/${name}/-/${name}-1.0.0.tgz` };
}

/** Its first download comes in pieces with pauses between them; every later one at once. */
export function dripFirst(
  registry: FakeNpmRegistry,
  { name, bytes }: Published,
  { pieces, pauseMs }: { readonly pieces: number; readonly pauseMs: number },
): void {
  let asked = 0;
  registry.upstream.answer(
    registry.tarballPath(name, "1.0.0"),
    () => asked++ === 0 ? { stream: inPieces(bytes, pieces, pauseMs) } : { body: bytes },
  );
}

async function* inPieces(bytes: Uint8Array, pieces: number, pauseMs: number): AsyncGenerator<Uint8Array> {
  const length = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length; at += length) {
    yield bytes.subarray(at, at + length);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** As a client does it: what breaks off, or is answered 5xx, is asked for again. */
export async function persistently(url: string, user: string): Promise<Uint8Array> {
  for (let tried = 0; tried < 40; tried++) {
    try {
      const { status, bytes, text } = await ask(url, { user });
      if (status === 200) return bytes;
      assert.ok(status >= 500, text);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${user} never got ${url}`);
}

export interface Logged {
  readonly user: string;
  readonly package: string;
  readonly outcome: string;
}

/** The whole log, as `deno task query` on the same storage tells it. */
export async function loggedBy(world: Pick<Processes, "beside">): Promise<readonly Logged[]> {
  const { code, stdout, stderr } = await world.beside("cli/query.ts", ["export", "--json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Every one of them is in the log as served, once. */
export async function assertServed(
  world: Pick<Processes, "beside">,
  users: readonly string[],
): Promise<void> {
  const records = await loggedBy(world);
  for (const user of users) {
    const served = records.filter((record) => record.user === user && record.outcome === "served");
    assert.equal(served.length, 1, `${user} is in the log once`);
  }
}
