/** Clients of every kind, all at once, until the server is killed under them. */
import { Buffer } from "node:buffer";
import type { Fixtures, Wish } from "./fixtures.ts";
import { sha256Hex } from "./fixtures.ts";
import type { Random } from "./random.ts";

/** What a client holds whole, and what the log must therefore have of it, under a name of its own. */
export interface Held {
  readonly user: string;
  readonly file: string;
  readonly outcome: "served" | "refused";
}

/** What became of one round's load. */
export interface Loaded {
  readonly held: readonly Held[];
  /** In sentences: what a client got and should never have got. */
  readonly wrong: readonly string[];
  /** Answers that were whole, of any kind. */
  readonly answers: number;
}

export interface LoadOptions {
  readonly base: string;
  readonly fixtures: Fixtures;
  /** This round's own files, not in any store yet. */
  readonly cold: readonly Wish[];
  readonly random: Random;
  /** Begins every user's name. */
  readonly round: string;
  readonly clients: number;
  /** Ends the load: no client begins anything new. */
  readonly stop: AbortSignal;
  /** Called whenever a client holds something whole. */
  readonly onWhole: () => void;
}

/** A range asks for this much at most. */
const RANGE_BYTES = 500_000;

/** Rejects with nothing a killed server can cause: connections that break off are what this is about. */
export async function runLoad(options: LoadOptions): Promise<Loaded> {
  const { random, clients, stop } = options;
  const held: Held[] = [];
  const wrong: string[] = [];
  let answers = 0;
  let users = 0;

  async function client(own: Random): Promise<void> {
    while (!stop.aborted) {
      const user = `${options.round}-${users++}`;
      try {
        const found = await oneWish(options, own, user);
        answers++;
        held.push(...found.held);
        wrong.push(...found.wrong);
        if (found.held.length > 0) options.onWhole();
      } catch (error) {
        // The connection broke off or was refused. Anything else is a mistake in here.
        if (!(error instanceof TypeError)) throw error;
        if (!stop.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  await Promise.all(Array.from({ length: clients }, () => client(random.fork())));
  return { held, wrong, answers };
}

interface Found {
  readonly held: readonly Held[];
  readonly wrong: readonly string[];
}

const NOTHING: Found = { held: [], wrong: [] };

async function oneWish(options: LoadOptions, random: Random, user: string): Promise<Found> {
  const { fixtures, cold, base } = options;
  const at = random.next();
  if (at < 0.35) return await whole(base, random.pick(cold), user);
  if (at < 0.55) return await whole(base, random.pick(fixtures.warm), user);
  if (at < 0.68) return await part(base, random.pick([...fixtures.warm, ...cold]), user, random);
  if (at < 0.75) return await refused(base, fixtures.young, user);
  if (at < 0.8) return await eitherWay(base, fixtures.toggled, user);
  const path = at < 0.95 ? random.pick(fixtures.indexes) : random.pick(fixtures.searches);
  return await document(`${base}${path}`, user, random.next() < 0.5);
}

/** Signs a request with a name, which is all that it takes. */
export function asUser(user: string): Record<string, string> {
  return { authorization: `Basic ${btoa(`${user}:`)}` };
}

async function whole(base: string, wish: Wish, user: string): Promise<Found> {
  const response = await fetch(`${base}${wish.path}`, { headers: asUser(user) });
  const bytes = await response.bytes();
  if (response.status !== 200) return unexpected(response, wish.path, bytes);
  const got = sha256Hex(bytes);
  const wrong = got === wish.sha256
    ? []
    : [`${wish.path}: ${bytes.byteLength} of ${wish.sizeBytes} bytes, with the digest ${got}`];
  return { held: [{ user, file: wish.file, outcome: "served" }], wrong };
}

async function part(base: string, wish: Wish, user: string, random: Random): Promise<Found> {
  const first = random.between(0, wish.sizeBytes - 1);
  const last = Math.min(wish.sizeBytes - 1, first + random.between(0, RANGE_BYTES));
  const headers = { ...asUser(user), range: `bytes=${first}-${last}` };
  const response = await fetch(`${base}${wish.path}`, { headers });
  const bytes = await response.bytes();
  if (response.status !== 206) return unexpected(response, wish.path, bytes);
  const right = Buffer.from(bytes).equals(wish.bytes().subarray(first, last + 1));
  const wrong = right ? [] : [`${wish.path}: the bytes ${first}-${last} are others`];
  return { held: [{ user, file: wish.file, outcome: "served" }], wrong };
}

async function refused(base: string, path: string, user: string): Promise<Found> {
  const response = await fetch(`${base}${path}`, { headers: asUser(user) });
  const bytes = await response.bytes();
  if (response.status !== 403) return unexpected(response, path, bytes);
  return { held: [{ user, file: path.split("/").at(-1)!, outcome: "refused" }], wrong: [] };
}

/** The policy changes meanwhile: either is right, and the log must have just what was answered. */
async function eitherWay(base: string, wish: Wish, user: string): Promise<Found> {
  const response = await fetch(`${base}${wish.path}`, { headers: asUser(user) });
  if (response.status === 200) {
    const wrong = sha256Hex(await response.bytes()) === wish.sha256 ? [] : [`${wish.path}: other bytes`];
    return { held: [{ user, file: wish.file, outcome: "served" }], wrong };
  }
  const bytes = await response.bytes();
  if (response.status !== 403) return unexpected(response, wish.path, bytes);
  return { held: [{ user, file: wish.file, outcome: "refused" }], wrong: [] };
}

async function document(url: string, user: string, abbreviated: boolean): Promise<Found> {
  const accept = abbreviated && url.includes("/npm/") ? "application/vnd.npm.install-v1+json" : "*/*";
  const response = await fetch(url, { headers: { ...asUser(user), accept } });
  const bytes = await response.bytes();
  return response.status === 200 ? NOTHING : unexpected(response, url, bytes);
}

function unexpected(response: Response, path: string, body: Uint8Array): Found {
  const said = new TextDecoder().decode(body.subarray(0, 300));
  return { held: [], wrong: [`${path}: ${response.status} ${said}`] };
}
