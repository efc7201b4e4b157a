/** When tokens were last used: known at once in this process, written down at most once an hour for each. */
import { LRUCache } from "lru-cache";
import type { EpochMs } from "../../policy/types.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";
import { tokenExpiry, type TokenRecord } from "./token_record.ts";

const WRITTEN_EVERY_MS = 3_600_000;
const MAX_CACHED = 20_000;

export interface TokenUses {
  /** Only of a token that was verified: nobody else's word makes an entry here. */
  note(id: string, at: EpochMs): void;
  /** In this process since it was last written down; null: not. */
  noted(id: string): EpochMs | null;
  /** Of all tokens, as written. Throws StorageError. */
  written(): Promise<ReadonlyMap<string, EpochMs>>;
  /** Throws StorageError; what was not written then is tried again the next time. */
  flush(): Promise<void>;
}

/** One for the process. */
export function createTokenUses(kv: Deno.Kv, clock: Clock): TokenUses {
  const uses = new Map<string, EpochMs>();
  const lastWritten = new LRUCache<string, EpochMs>({ max: MAX_CACHED });

  function isDue(id: string): boolean {
    const age = clock() - (lastWritten.get(id) ?? -Infinity);
    return age < 0 || age >= WRITTEN_EVERY_MS;
  }

  async function write(id: string, at: EpochMs): Promise<void> {
    const entry = await attempt("read a token", () => kv.get<TokenRecord>(keys.token(id)));
    if (entry.value === null) return;
    const lifetime = tokenExpiry(entry.value.info.expiresAt, clock());
    await attempt("write a token's last use", () =>
      // Checked: a use that is written after the token was revoked would stay for ever.
      kv.atomic().check(entry).set(keys.tokenUse(id), at, lifetime).commit());
    lastWritten.set(id, at);
  }

  return {
    note: (id, at) => void uses.set(id, at),
    noted: (id) => uses.get(id) ?? null,
    async written() {
      const found = new Map<string, EpochMs>();
      await attempt("list the tokens' uses", async () => {
        for await (
          const { key, value } of kv.list<EpochMs>({ prefix: keys.tokenUses() }, { batchSize: 500 })
        ) {
          found.set(String(key.at(-1)), value);
        }
      });
      return found;
    },
    async flush() {
      for (const [id, at] of [...uses]) {
        if (isDue(id)) await write(id, at);
        // Used again meanwhile: that is written the next time.
        if (uses.get(id) === at) uses.delete(id);
      }
    },
  };
}
