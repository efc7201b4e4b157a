/** A store whose every read and write holds only as long as one key stands still. */

export interface FenceOptions<T> {
  readonly key: Deno.KvKey;
  /** The versionstamp at which it must stand; undefined: at none. */
  readonly asOf: () => string | null | undefined;
  /** What an operation rejects with that found it elsewhere. */
  readonly moved: (entry: Deno.KvEntryMaybe<T>) => Promise<Error>;
}

/** KV answers at most so many keys as one snapshot. */
const MOST_AT_ONCE = 10;
const BATCH = 100;
const LARGEST_BATCH = 500;

/** `watch`, `enqueue` and what else there is go past it: nothing of ours uses them. */
export function fenced<T>(kv: Deno.Kv, { key, asOf, moved }: FenceOptions<T>): Deno.Kv {
  let looking: Promise<Deno.KvEntryMaybe<T>> | null = null;
  let next: Promise<Deno.KvEntryMaybe<T>> | null = null;

  async function hold(entry: Deno.KvEntryMaybe<T>, at: string | null | undefined): Promise<void> {
    if (entry.versionstamp !== at) throw await moved(entry);
  }

  /** One look for all who ask while another runs: what they see is never older than they are. */
  function look(): Promise<Deno.KvEntryMaybe<T>> {
    if (looking === null) return begin();
    return next ??= looking.then(() => {}, () => {}).then(() => {
      next = null;
      return begin();
    });
  }

  function begin(): Promise<Deno.KvEntryMaybe<T>> {
    return looking = kv.get<T>(key).finally(() => looking = null);
  }

  async function getMany(
    wanted: readonly Deno.KvKey[],
    options?: { consistency?: Deno.KvConsistencyLevel },
  ): Promise<Deno.KvEntryMaybe<unknown>[]> {
    const at = asOf();
    if (wanted.length < MOST_AT_ONCE) {
      const entries = await kv.getMany<unknown[]>([...wanted, key], options);
      await hold(entries.pop() as Deno.KvEntryMaybe<T>, at);
      return entries;
    }
    const entries = await kv.getMany<unknown[]>(wanted, options);
    await hold(await look(), at);
    return entries;
  }

  async function get(wanted: Deno.KvKey, options?: { consistency?: Deno.KvConsistencyLevel }) {
    return (await getMany([wanted], options))[0]!;
  }

  function atomic(): Deno.AtomicOperation {
    // As of now, not of the commit: what it is to write was read before.
    const at = asOf();
    const operation = kv.atomic();
    // Where it stands at nothing, what it is held against is no versionstamp that there is.
    operation.check({ key, versionstamp: at === undefined ? "f".repeat(20) : at });
    const commit = operation.commit.bind(operation);
    // Each method answers the operation itself, so that this holds for the whole chain.
    operation.commit = async () => {
      const result = await commit();
      if (!result.ok) await hold(await look(), at);
      return result;
    };
    return operation;
  }

  function list<V>(selector: Deno.KvListSelector, options: Deno.KvListOptions = {}): Deno.KvListIterator<V> {
    const at = asOf();
    const batchSize = options.batchSize ?? Math.min(options.limit ?? BATCH, LARGEST_BATCH);
    const entries = kv.list<V>(selector, { ...options, batchSize });
    const following = entries.next.bind(entries);
    let seen = 0;
    entries.next = async () => {
      const result = await following();
      // A batch is one snapshot: looked at once it is here, before the first of it is handed on.
      if (result.done || seen % batchSize === 0) await hold(await look(), at);
      seen++;
      return result;
    };
    return entries;
  }

  async function set(...[at, value, options]: Parameters<Deno.Kv["set"]>): Promise<Deno.KvCommitResult> {
    return await committed(atomic().set(at, value, options));
  }

  async function remove(at: Deno.KvKey): Promise<void> {
    await committed(atomic().delete(at));
  }

  async function committed(operation: Deno.AtomicOperation): Promise<Deno.KvCommitResult> {
    const result = await operation.commit();
    if (result.ok) return result;
    // The key had moved, and is back where it was: it cannot be.
    throw new TypeError("Cannot write to KV: a commit without conditions of its own has failed");
  }

  const own: Readonly<Record<PropertyKey, unknown>> = { get, getMany, set, delete: remove, atomic, list };
  return new Proxy(kv, {
    get(target, property) {
      if (Object.hasOwn(own, property)) return own[property];
      const value = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
