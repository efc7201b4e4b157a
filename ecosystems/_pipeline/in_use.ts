/** Which packages were asked for, since it was last written down: in memory, so that no request waits for it. */
import type { PackageKey } from "../../storage/kv/packages.ts";

export interface InUse {
  /** `id`: the key as a text. Costs a look into a map. */
  note(id: string, key: PackageKey): void;
  /** Up to so many of them, and forgets those. */
  take(most: number): readonly (readonly [id: string, key: PackageKey])[];
}

/** More than these between two minutes are written down when they are asked for again. */
const MOST = 50_000;

/** One for the process. */
export function createInUse(): InUse {
  const noted = new Map<string, PackageKey>();
  return {
    note(id, key) {
      if (!noted.has(id) && noted.size < MOST) noted.set(id, key);
    },
    take(most) {
      const taken = [...noted.entries().take(most)];
      for (const [id] of taken) noted.delete(id);
      return taken;
    },
  };
}
