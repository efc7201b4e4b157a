/** The audit trail in KV: each entry once among all and once among its organisation's, by rising ids. */
import type { EpochMs } from "../../policy/types.ts";
import type { AuditEntry, AuditQuery, AuditTrail } from "../audit_trail.ts";
import { StorageError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import { boundedText } from "./held_entries.ts";
import { keys } from "./keys.ts";

interface AuditRecord {
  readonly v: 1;
  readonly entry: AuditEntry;
}

const MAX_CHANGES = 100;
const MAX_LINE = 300;
const ATTEMPTS = 5;

/** Several may share the store. */
export function createAuditTrail(kv: Deno.Kv, { clock }: { readonly clock: Clock }): AuditTrail {
  let last = { at: 0 as EpochMs, count: 0 };

  /** Sorts by time; of one millisecond, in the order in which this process wrote. */
  function idAt(at: EpochMs): string {
    last = { at, count: at === last.at ? last.count + 1 : 0 };
    const parts = [at, last.count].map((number) => Math.max(0, number).toString(36));
    return `${parts[0]!.padStart(9, "0")}-${parts[1]!.padStart(4, "0")}-${crypto.randomUUID().slice(0, 8)}`;
  }

  async function append(given: Omit<AuditEntry, "id" | "at">): Promise<void> {
    const at = clock();
    for (let i = 0; i < ATTEMPTS; i++) {
      const entry: AuditEntry = {
        ...given,
        id: idAt(at),
        at,
        user: boundedText(given.user, MAX_LINE),
        subject: boundedText(given.subject, MAX_LINE),
        changes: given.changes.slice(0, MAX_CHANGES).map((line) => boundedText(line, MAX_LINE)),
      };
      const record: AuditRecord = { v: 1, entry };
      const among = [keys.auditEntry(null, entry.id), keys.auditEntry({ of: given.organisation }, entry.id)];
      const atomic = kv.atomic();
      // What is there is never written over.
      for (const key of among) atomic.check({ key, versionstamp: null }).set(key, record);
      if ((await attempt("write down what was changed", () => atomic.commit())).ok) return;
    }
    throw new StorageError("Cannot write down what was changed: others were always faster");
  }

  async function list({ organisation, limit, before = null }: AuditQuery): Promise<readonly AuditEntry[]> {
    const whose = organisation === undefined ? null : { of: organisation };
    const prefix = keys.auditTrail(whose);
    const selector = before === null ? { prefix } : { prefix, end: keys.auditEntry(whose, before) };
    return await attempt("read the audit trail", async () => {
      const found: AuditEntry[] = [];
      for await (const { value } of kv.list<AuditRecord>(selector, { limit, reverse: true })) {
        found.push(value.entry);
      }
      return found;
    });
  }
  return { append, list };
}
