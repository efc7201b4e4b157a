/** One fill: opened once, read once, followed by any number of clients, who never hold it up. */
import type { ArtifactStore, BlobStat } from "./artifacts/store.ts";
import type { FillRequest, Following } from "./fill.ts";
import { createFollower, type FillOutcome, type Follower } from "./fill_follower.ts";
import { shareBytes, type SharedFill } from "./fill_shared.ts";
import { upstreamFailure } from "./fill_transfer.ts";
import { createFillWindow } from "./fill_window.ts";
import { type Timers, UNNEEDED } from "./runtime.ts";

export interface FillLimits {
  readonly windowBytes: number;
  /** How long upstream may send nothing. */
  readonly idleMs: number;
  /** How long a fill goes on that nobody follows. */
  readonly unfollowedMs: number;
}

export interface Fill {
  /** The whole work; never rejects. To be called once. */
  run(): Promise<FillOutcome>;
  /** As Fills.follow. */
  follow(): Promise<Following | null>;
  /** Somebody who comes now can still have all of it. */
  readonly joinable: boolean;
  readonly followers: number;
  /** What its window holds in memory. */
  readonly heldBytes: number;
  /** Gives the window's memory back; who still follows goes on from the store. */
  release(): void;
}

/** A promise that is made anew each time it is kept. */
function createBell(): { readonly wait: () => Promise<void>; readonly ring: () => void } {
  let next = Promise.withResolvers<void>();
  function ring(): void {
    const rung = next;
    next = Promise.withResolvers();
    rung.resolve();
  }
  return { wait: () => next.promise, ring };
}

/** `onLeft` is called whenever a follower has gone. Nothing happens before `run`. */
export function createFill(
  request: FillRequest,
  deps: {
    readonly store: ArtifactStore;
    readonly timers: Timers;
    readonly limits: FillLimits;
    /** null: other processes are not asked. */
    readonly shared: SharedFill | null;
    readonly onLeft: () => void;
  },
): Fill {
  const { store, timers, limits, shared, onLeft } = deps;
  const window = createFillWindow(limits.windowBytes);
  const stop = new AbortController();
  const grown = createBell();
  const taken = createBell();
  /** The first byte may be given out, or there will be none. */
  const begun = Promise.withResolvers<void>();
  const done = Promise.withResolvers<BlobStat | null>();
  const ended = Promise.withResolvers<void>();
  const followers = new Set<Follower>();
  let outcome: FillOutcome | null = null;
  let unfollowed: AbortController | null = null;
  let kept = true;
  begun.promise.catch(() => {});
  done.promise.catch(() => {});

  function settle(how: FillOutcome): FillOutcome {
    outcome = how;
    unfollowed?.abort(UNNEEDED);
    if (how.kind === "failed") {
      window.clear();
      begun.reject(how.error);
      done.reject(how.error);
      for (const follower of [...followers]) follower.cut(how.error);
    } else {
      window.release();
      begun.resolve();
      done.resolve(how.kind === "absent" ? null : how.stat);
    }
    ended.resolve();
    grown.ring();
    return how;
  }

  async function endUnlessFollowed(): Promise<void> {
    unfollowed = new AbortController();
    const { unfollowedMs } = limits;
    try {
      if (kept) await timers.sleep(unfollowedMs, unfollowed.signal);
    } catch {
      return;
    }
    stop.abort(upstreamFailure(request, "timeout", `nobody has waited for it for ${unfollowedMs} ms`));
  }

  function left(follower: Follower): void {
    followers.delete(follower);
    if (followers.size === 0 && outcome === null) endUnlessFollowed();
    taken.ring();
    onLeft();
  }

  function join(): Follower {
    unfollowed?.abort(UNNEEDED);
    const follower = createFollower({
      window,
      store,
      timers,
      label: request.label,
      ended: ended.promise,
      outcome: () => outcome,
      changed: grown.wait,
      moved: taken.ring,
      left,
    });
    followers.add(follower);
    return follower;
  }

  async function follow(): Promise<Following | null> {
    const follower = join();
    // Where it fails before the first byte, `settle` has cut the follower already.
    await begun.promise;
    if (outcome?.kind === "absent") {
      await follower.body.cancel();
      return null;
    }
    return {
      body: follower.body,
      done: done.promise,
      keeps: kept,
      verified: outcome?.kind === "kept" ? outcome.stat : null,
      elsewhere: outcome?.kind === "kept" && outcome.elsewhere === true,
    };
  }

  async function run(): Promise<FillOutcome> {
    try {
      return settle(
        await shareBytes(shared, {
          request,
          store,
          timers,
          idleMs: limits.idleMs,
          window,
          followers,
          stop,
          decided: (whether) => {
            kept = whether;
          },
          grown: () => {
            if (window.limit > 0) begun.resolve();
            grown.ring();
          },
          taken: taken.wait,
        }),
      );
    } catch (error) {
      // With bytes out, the followers' answers have begun: what ends them is told by nobody but the fill.
      return settle({ kind: "failed", error, followed: followers.size > 0 && window.limit === 0 });
    }
  }

  return {
    run,
    follow,
    get joinable() {
      if (stop.signal.aborted || outcome?.kind === "failed" || outcome?.kind === "absent") return false;
      return kept || window.start === 0;
    },
    get followers() {
      return followers.size;
    },
    get heldBytes() {
      return window.heldBytes;
    },
    release: window.clear,
  };
}
