/** What has to work before anybody is sent here: KV written and read, the store written, read and deleted. */
import type { HealthCheck } from "../routes/health.ts";
import type { ArtifactStore } from "../storage/artifacts/store.ts";
import { keys } from "../storage/kv/keys.ts";

const MAX_PROBE_BYTES = 200;
const EXPIRE_MS = 60_000;

/** `instance` names this process: two that look at once must not read each other's. */
export function readinessChecks(
  deps: { readonly kv: Deno.Kv; readonly artifacts: ArtifactStore; readonly instance: string },
): readonly HealthCheck[] {
  const { kv, artifacts, instance } = deps;
  const key = keys.readiness(instance);

  async function tryKv(): Promise<void> {
    const written = crypto.randomUUID();
    await kv.set(key, written, { expireIn: EXPIRE_MS });
    const { value } = await kv.get<string>(key);
    if (value !== written) throw new Error("Cannot read from KV what was written to it");
  }

  async function tryStore(): Promise<void> {
    // Bytes that nothing else has: a blob is named by them, and this one is deleted.
    const written = new TextEncoder().encode(`sluice ready ${instance} ${crypto.randomUUID()}\n`);
    const { key: blob } = await artifacts.put(written, { maxBytes: MAX_PROBE_BYTES });
    try {
      const read = await artifacts.read(blob, MAX_PROBE_BYTES);
      if (read === null || read.byteLength !== written.byteLength) {
        throw new Error("Cannot read from the store what was written to it");
      }
    } finally {
      await artifacts.delete(blob);
    }
  }

  return [{ name: "kv", run: tryKv }, { name: "artifacts", run: tryStore }];
}
