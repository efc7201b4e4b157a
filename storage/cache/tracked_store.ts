/** A store whose size is known and whose readers are: what comes and goes through it is tallied. */
import type { ArtifactStore, BlobKey, PutOptions } from "../artifacts/store.ts";
import type { Tally } from "./tally.ts";
import type { Uses } from "./uses.ts";

export interface TrackDeps {
  readonly tally: Pick<Tally, "changed">;
  readonly uses: Pick<Uses, "used" | "reading">;
  /** A blob that is deleted takes its readers with it, so that they are counted (a bucket; not a folder). */
  readonly countsReaders: boolean;
  /** Called when a blob has come. */
  readonly added: () => void;
}

/** Reading through it is no use of a blob: who serves it says that. */
export function trackStore(store: ArtifactStore, deps: TrackDeps): ArtifactStore {
  const { tally, uses, countsReaders, added } = deps;

  async function put(body: ReadableStream<Uint8Array> | Uint8Array, options: PutOptions) {
    let isNew = false;
    const stat = await store.put(body, {
      ...options,
      onAdded: () => {
        isNew = true;
        options.onAdded?.();
      },
    });
    uses.used(stat.key);
    if (isNew) {
      tally.changed(stat.sizeBytes, 1);
      added();
    }
    return stat;
  }

  async function remove(key: BlobKey): Promise<boolean> {
    const stat = await store.stat(key);
    const wasThere = await store.delete(key);
    if (wasThere && stat !== null) tally.changed(stat.sizeBytes, -1);
    return wasThere;
  }

  const get: ArtifactStore["get"] = async (key, range) => {
    const blob = await store.get(key, range);
    if (blob === null) return null;
    const { end } = uses.reading(key);
    return { ...blob, body: whenEnded(blob.body, end) };
  };

  return { ...store, put, delete: remove, ...(countsReaders ? { get } : {}) };
}

/** The same bytes; `end` is called once they ended, failed or were cancelled. */
function whenEnded(body: ReadableStream<Uint8Array>, end: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      } catch (error) {
        end();
        throw error;
      }
    },
    async cancel(reason) {
      end();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
