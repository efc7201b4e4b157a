/** The way of a fill's bytes: from upstream into the store, shown on the way to who follows. */
import type { ArtifactStore, BlobStat } from "./artifacts/store.ts";
import { createGuard, type Guard } from "./artifacts/verify.ts";
import { StorageError, TooLargeError, UpstreamError } from "./errors.ts";
import type { FillRequest } from "./fill.ts";
import type { FillOutcome, Follower } from "./fill_follower.ts";
import { createWatch, type Watch } from "./fill_watch.ts";
import { type FillWindow, piecesOf } from "./fill_window.ts";
import { type Timers, UNNEEDED } from "./runtime.ts";
import type { OpenedArtifact } from "./upstream/upstream.ts";

export interface Transfer {
  readonly request: FillRequest;
  readonly store: ArtifactStore;
  readonly timers: Timers;
  /** How long upstream may send nothing; and a client take nothing, where the bytes are not kept. */
  readonly idleMs: number;
  readonly window: FillWindow;
  readonly followers: ReadonlySet<Follower>;
  /** Its abort ends the transfer, with its reason as the failure. */
  readonly stop: AbortController;
  /** Called once, before the first byte: whether the bytes are kept here. */
  decided(kept: boolean): void;
  /** The window has grown. */
  grown(): void;
  /** Resolves when a follower took bytes, or left. */
  taken(): Promise<void>;
}

/** Upstream does not have it. */
export const ABSENT: FillOutcome = { kind: "absent" };

/** What a fill throws on upstream's behalf. */
export function upstreamFailure(
  request: FillRequest,
  kind: "timeout" | "connection",
  why: string,
  options?: ErrorOptions,
): UpstreamError {
  const message = `Cannot fetch ${JSON.stringify(request.label)}: ${why}`;
  return new UpstreamError(message, { kind, origin: request.origin ?? "" }, options);
}

/** One chunk at a time; what fails here is the cause of whatever else fails in consequence. */
interface Source {
  /** null: the end. Rejects with UpstreamError, or with the reason why the transfer was stopped. */
  next(): Promise<Uint8Array | null>;
  cancel(reason: unknown): void;
  readonly failure: UpstreamError | null;
}

function createSource(transfer: Transfer, opened: OpenedArtifact, watch: Watch): Source {
  const { request, stop } = transfer;
  const reader = opened.body.getReader();
  let failure: UpstreamError | null = null;

  async function next(): Promise<Uint8Array | null> {
    try {
      const { done, value } = await watch.during(() => reader.read());
      stop.signal.throwIfAborted();
      return done ? null : value;
    } catch (error) {
      if (stop.signal.aborted) throw stop.signal.reason;
      failure = error instanceof UpstreamError
        ? error
        : upstreamFailure(request, "connection", "the connection broke", { cause: error });
      throw failure;
    }
  }

  return {
    next,
    cancel: (reason) => void reader.cancel(reason).catch(() => {}),
    get failure() {
      return failure;
    },
  };
}

function show(transfer: Transfer, piece: Uint8Array): void {
  transfer.window.push(piece);
  transfer.grown();
}

/**
 * The store pulls; what it takes is shown to the followers, at the store's pace and nobody else's. Where it cannot go
 * on (a full disk), the rest is passed on, verified all the same.
 */
async function keep(transfer: Transfer, opened: OpenedArtifact, source: Source): Promise<FillOutcome> {
  const { request, store, stop } = transfer;
  const options = {
    expect: request.expect,
    expectSizeBytes: request.expectSizeBytes ?? opened.sizeBytes,
    maxBytes: request.maxBytes,
    label: request.label,
  };
  const guard = createGuard(options);
  let pulling = Promise.resolve();
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => pulling = pullInto(controller),
  }, { highWaterMark: 0 });

  async function pullInto(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const chunk = await source.next();
    if (chunk === null) return controller.close();
    guard.update(chunk);
    for (const piece of piecesOf(chunk)) show(transfer, piece);
    controller.enqueue(chunk);
  }

  let stat: BlobStat;
  try {
    stat = await store.put(body, { ...options, guard, signal: stop.signal });
  } catch (error) {
    if (!(error instanceof StorageError) || stop.signal.aborted || source.failure !== null) throw error;
    // What it was about to take when it gave up is in the window; nobody takes it from the body any more.
    await pulling.catch(() => {});
    stop.signal.throwIfAborted();
    if (source.failure !== null) throw source.failure;
    return await passOnRest(transfer, source, { guard, unkept: error });
  }
  await request.kept(stat);
  return { kind: "kept", stat };
}

/** Who is behind the window counted on the store; who is within it, and who comes to its start, has all of it. */
async function passOnRest(
  transfer: Transfer,
  source: Source,
  { guard, unkept }: { readonly guard: Guard; readonly unkept: StorageError },
): Promise<FillOutcome> {
  const { followers, window } = transfer;
  transfer.decided(false);
  for (const follower of [...followers]) {
    if (follower.offset < window.start) follower.cut(unkept);
  }
  if (followers.size === 0) throw unkept;
  return { kind: "passed", stat: await passOn(transfer, source, guard), unkept };
}

/**
 * Where there is no store to go on from nobody may be overtaken: waits until every follower has taken what lies
 * before `needed()`, and cuts off those that take nothing.
 */
async function waitForFollowers(transfer: Transfer, needed: () => number): Promise<void> {
  const { followers, timers, idleMs, stop, request } = transfer;
  const behind = () => [...followers].filter((follower) => follower.offset < needed());
  while (behind().length > 0) {
    const waited = new AbortController();
    const late = timers.sleep(idleMs, waited.signal).then(() => true, () => false);
    const tooLate = await Promise.race([late, transfer.taken().then(() => false)]);
    waited.abort(UNNEEDED);
    stop.signal.throwIfAborted();
    if (!tooLate) continue;
    const why = `Cannot go on sending ${
      JSON.stringify(request.label)
    }: its client took nothing for ${idleMs} ms`;
    for (const follower of behind()) follower.cut(new Error(why));
  }
}

/** At the pace of its followers; answers with what was verified. */
async function passOn(transfer: Transfer, source: Source, guard: Guard): Promise<BlobStat> {
  const { stop, window } = transfer;
  stop.signal.addEventListener("abort", () => source.cancel(stop.signal.reason), { once: true });
  for (let chunk = await source.next(); chunk !== null; chunk = await source.next()) {
    guard.update(chunk);
    for (const piece of piecesOf(chunk)) {
      await waitForFollowers(transfer, () => Math.min(window.startAfter(piece.length), window.limit));
      show(transfer, piece);
    }
  }
  const stat = guard.finish();
  // The window is all there is: the fill has not ended before everybody has the rest of it.
  window.release();
  transfer.grown();
  await waitForFollowers(transfer, () => window.end);
  return stat;
}

/** What has neither digest nor length is verified against nothing. */
async function passOnUnknown(transfer: Transfer, source: Source): Promise<FillOutcome> {
  const { request: { maxBytes, label } } = transfer;
  await passOn(transfer, source, createGuard({ maxBytes, label }));
  return { kind: "passed", stat: null, unkept: null };
}

async function move(transfer: Transfer, opened: OpenedArtifact): Promise<FillOutcome> {
  const { request, timers, idleMs, stop } = transfer;
  const kept = request.expect.length > 0 || request.expectSizeBytes !== null || opened.sizeBytes !== null;
  transfer.decided(kept);
  const onStall = () =>
    stop.abort(upstreamFailure(request, "timeout", `upstream sent nothing for ${idleMs} ms`));
  const watch = createWatch({ idleMs, timers, onStall });
  const source = createSource(transfer, opened, watch);
  try {
    return kept ? await keep(transfer, opened, source) : await passOnUnknown(transfer, source);
  } catch (error) {
    source.cancel(error);
    throw stop.signal.aborted ? stop.signal.reason : source.failure ?? error;
  } finally {
    watch.stop();
  }
}

/** Rejects with UpstreamError, IntegrityError, TooLargeError, StorageError, or what `open` or `kept` threw. */
export async function transferBytes(transfer: Transfer): Promise<FillOutcome> {
  const { request, stop } = transfer;
  const opened = await request.open(stop.signal);
  if (opened === null) return ABSENT;
  const { maxBytes } = request;
  if (opened.sizeBytes === null || opened.sizeBytes <= maxBytes) return await move(transfer, opened);
  opened.body.cancel().catch(() => {});
  const why = `upstream states ${opened.sizeBytes} bytes, at most ${maxBytes} are allowed`;
  throw new TooLargeError(`Cannot fetch ${JSON.stringify(request.label)}: ${why}`, maxBytes);
}
